"""Chunks of RIFF, IFF and W64 files: WAV, AIFF, W64, and MIDI in a RIFF file."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

OPEN_ENDED = 0x7FFF_F000
"""Programs that write into a pipe state this length, bytes, or more, as they cannot know."""

MAX_CHUNKS = 1_000
"""No recorder writes as many; a file of zeros seems to have millions."""

_W64_NAME = bytes.fromhex("f3acd3118cd100c04f8edb8a")  # of the GUIDs of its chunks, behind four letters
_W64_HEAD = 24  # bytes: GUID and size, which counts them


def chunks(file: BinaryIO, at: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, first byte and size in bytes of the chunks of a RIFF or IFF file, from byte `at` on.

    Args:
        file: The file.
        at: Integer, byte at which the first begins.
        order: `"<"` for little-endian sizes, `">"` for big-endian ones.
    """
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            return
        (count,) = struct.unpack(f"{order}I", header[4:])
        yield header[:4], at + 8, count
        at += 8 + count + count % 2


def w64_chunks(file: BinaryIO, at: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the first four letters, first byte and size in bytes of the chunks of a W64 file, from `at` on.

    It ends at what is no chunk; sizes are as the file has them, without the head, and may be anything.
    """
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        header = file.read(_W64_HEAD)
        if len(header) < _W64_HEAD or header[4:16] != _W64_NAME:
            return
        (count,) = struct.unpack("<Q", header[16:])
        if count > 1 << 62:  # no file is as long
            return
        yield header[:4], at + _W64_HEAD, count - _W64_HEAD
        at += max(_W64_HEAD, (count + 7) // 8 * 8)
