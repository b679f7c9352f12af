"""Whether a sound file holds as much as it says: libsndfile reads what there is without a word.

A recorder that lost its power, a full disk and a download that stopped leave such files.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ddsp_edge.files.chunks import OPEN_ENDED, chunks, w64_chunks
from ddsp_edge.files.layout.mp3 import info_at
from ddsp_edge.files.layout.tags import behind_tags

_OGG_PAGE = 65_307  # bytes, the most that a page has


def is_mp3(start: bytes) -> bool:
    """Whether a file that begins with these bytes may be MP3: with a tag, or the sync word of a frame."""
    return start[:3] == b"ID3" or (start[:1] == b"\xff" and start[1:2] >= b"\xe0")


@dataclass(frozen=True)
class Ending:
    """What a file says of its end.

    Args:
        share: Share of the bytes of sound it declares that are there; None where it declares nothing.
        lacks_mark: Whether the mark is missing that its format ends with.
    """

    share: float | None = None
    lacks_mark: bool = False


def ending_of(path: Path) -> Ending:
    """Look at the header and the last bytes of a sound file; whatever is unknown has nothing to say.

    WAV (RIFF, RF64, W64), AIFF and AU declare their bytes of sound, MP3 does where it has a Xing or Info
    header, and the last page of an Ogg file is marked. FLAC checks itself.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        start = file.read(16)
        if start[:4] == b"OggS":
            return Ending(lacks_mark=not _last_page_is_marked(file, size))
        try:
            declared = _declared(file, start)
        except struct.error:  # it ends inside its header
            return Ending()
    if declared is None or declared[1] <= 0:
        return Ending()
    at, count = declared
    return Ending(share=min(1.0, max(0, size - at) / count))


def _declared(file: BinaryIO, start: bytes) -> tuple[int, int] | None:
    """Byte at which the sound begins, and how many bytes it is said to have."""
    if start[:4] in (b"RIFF", b"RIFX", b"RF64") and start[8:12] == b"WAVE":
        return _in_riff(file, ">" if start[:4] == b"RIFX" else "<")
    if start[:4] == b"FORM" and start[8:12] in (b"AIFF", b"AIFC"):
        found = next((c for c in chunks(file, 12, ">") if c[0] == b"SSND"), None)
        return _unless_open(found[1], found[2]) if found else None
    if start[:4] == b".snd":
        return _unless_open(*struct.unpack(">II", start[4:12]))
    if start[:8] == b"riff\x2e\x91\xcf\x11":
        return _in_w64(file)
    if is_mp3(start):
        return _in_mp3(file)
    return None


def _unless_open(at: int, count: int) -> tuple[int, int] | None:
    return (at, count) if count < OPEN_ENDED else None


def _in_riff(file: BinaryIO, order: str) -> tuple[int, int] | None:
    long = None  # RF64 tells the length beyond 4 GiB in a chunk before
    for name, at, count in chunks(file, 12, order):
        if name == b"ds64":
            file.seek(at)
            long = struct.unpack("<QQ", file.read(16))[1]
        elif name == b"data":
            return (at, long) if long and count == 0xFFFF_FFFF else _unless_open(at, count)
    return None


def _in_w64(file: BinaryIO) -> tuple[int, int] | None:
    found = w64_chunks(file, 40)  # behind two GUIDs and a length
    return next(((place, count) for name, place, count in found if name == b"data"), None)


def _in_mp3(file: BinaryIO) -> tuple[int, int] | None:
    at = behind_tags(file, 0)
    info = info_at(file, at)
    return (at, info[2]) if info is not None and info[2] else None


def _last_page_is_marked(file: BinaryIO, size: int) -> bool:
    """Whether an Ogg file ends with a whole page that says it is the last."""
    file.seek(max(0, size - 2 * _OGG_PAGE))
    tail = file.read()
    at = len(tail)
    while (at := tail.rfind(b"OggS", 0, at)) >= 0:
        page = tail[at : at + 27 + 255]
        if len(page) < 27:
            return False
        if page[4] == 0 and page[5] < 8:  # version and flags: no sound looks like this by chance
            whole = 27 + page[26] + sum(page[27 : 27 + page[26]])
            return bool(page[5] & 4) and at + whole <= len(tail)
    return False
