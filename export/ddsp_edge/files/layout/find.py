"""Where the sound lies in a file: by what its first bytes say that it is."""

import os
from pathlib import Path

from ddsp_edge.files.layout.flac import layout_of_flac
from ddsp_edge.files.layout.mp3 import layout_of_mp3
from ddsp_edge.files.layout.ogg import layout_of_ogg
from ddsp_edge.files.layout.pcm import layout_of_pcm
from ddsp_edge.files.layout.segment import Layout
from ddsp_edge.files.layout.tags import behind_tags

_PCM = (b"RIFF", b"RIFX", b"RF64", b"FORM", b".snd", b"caff", b"riff")


def layout_of(path: Path) -> Layout:
    """Find the sound of a file; whatever is unknown is read as it is.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = behind_tags(file, 0)
        file.seek(start)
        head = file.read(4)
        if head in _PCM:
            return layout_of_pcm(file, start, size)
        if head == b"fLaC":
            return layout_of_flac(file, start, size)
        if head == b"OggS":
            return layout_of_ogg(file, start, size)
        if head[:1] == b"\xff" and head[1:2] >= b"\xe0":
            return layout_of_mp3(file, start, size)
    return Layout()
