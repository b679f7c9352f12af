"""TFRecord files: bytes with a length and checksums around them.

uint64  length of the data, little-endian
uint32  masked CRC-32C of the length
bytes   the data
uint32  masked CRC-32C of the data
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ddsp_tf.data.records.crc32c import masked_crc32c, masked_crc32c_of_windows

HEADER_BYTES = 12
FRAMING_BYTES = 16
_SEARCH_BYTES = 1 << 20  # looked at together where a length is damaged


@dataclass(frozen=True)
class Frame:
    """One record as it lies in a file.

    Args:
        offset: Integer, byte of the file that its header begins at.
        data: Its data; None where it is damaged.
        problem: What is wrong with it; empty where nothing is.
    """

    offset: int
    data: bytes | None
    problem: str = ""


def frame(data: bytes) -> bytes:
    """Put length and checksums around data."""
    length = struct.pack("<Q", len(data))
    return b"".join(
        [
            length,
            struct.pack("<I", masked_crc32c(length)),
            data,
            struct.pack("<I", masked_crc32c(data)),
        ]
    )


def read_frames(path: Path) -> Iterator[Frame]:
    """Yield the records of a file in order, the damaged ones too, every byte of the others checked.

    After a damaged one reading goes on with the next that can be found. A file that ends inside a record
    ends with a damaged one.
    """
    with path.open("rb") as file:
        end = path.stat().st_size
        offset = 0
        while offset < end:
            found = read_frame(file, offset)
            yield found
            if found.data is not None:
                offset += FRAMING_BYTES + len(found.data)
            else:
                offset = _next_header(file, offset, end)


def read_frame(file: BinaryIO, offset: int) -> Frame:
    """Read and check the record whose header begins at a byte of a file."""
    file.seek(offset)
    header = file.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        return Frame(offset, None, "the file ends inside its header")
    if masked_crc32c(header[:8]) != int.from_bytes(header[8:], "little"):
        return Frame(offset, None, "the checksum of its length is wrong")
    (size,) = struct.unpack("<Q", header[:8])
    if size > file.seek(0, 2) - offset - FRAMING_BYTES:
        return Frame(offset, None, "the file ends inside it")
    file.seek(offset + HEADER_BYTES)
    data, crc = file.read(size), file.read(4)
    if masked_crc32c(data) != int.from_bytes(crc, "little"):
        return Frame(offset, None, "its checksum is wrong")
    return Frame(offset, data)


def _next_header(file: BinaryIO, damaged: int, end: int) -> int:
    """The byte at which the record after a damaged one begins; `end` if there is none."""
    file.seek(damaged)
    header = file.read(HEADER_BYTES)
    if len(header) == HEADER_BYTES and masked_crc32c(header[:8]) == int.from_bytes(header[8:], "little"):
        return min(end, damaged + FRAMING_BYTES + int(struct.unpack("<Q", header[:8])[0]))
    for start in range(damaged + 1, end, _SEARCH_BYTES):
        file.seek(start)
        data = file.read(_SEARCH_BYTES + HEADER_BYTES - 1)
        crcs = masked_crc32c_of_windows(data[:-4], 8)
        stored = np.frombuffer(data[8:], np.uint8).astype(np.uint32)
        count = len(crcs)
        if not count:
            continue
        words = sum(stored[i : i + count] << np.uint32(8 * i) for i in range(4))
        for at in np.flatnonzero(crcs == words):
            (size,) = struct.unpack_from("<Q", data, int(at))
            if start + int(at) + FRAMING_BYTES + size <= end:
                return start + int(at)
    return end
