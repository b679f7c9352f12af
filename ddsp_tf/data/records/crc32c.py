"""CRC-32C, the checksum of TFRecord files: masked as they store it, and of all windows of a damaged file.

The polynomial is Castagnoli's (RFC 3720, appendix B.4). A checksum of one string of bytes is the processor's
own, by google-crc32c; decision 0011 says why. Where records are lost, the next one is found by the checksums
of all places that a header could be at, side by side in numpy.
"""

from functools import cache

import google_crc32c
import numpy as np

from ddsp_edge.units import Array

_POLYNOMIAL = 0x82F63B78  # reflected
_MASK_DELTA = 0xA282EAD8  # of TFRecord: a checksum of data that holds checksums is a poor one


def masked_crc32c(data: bytes) -> int:
    """The checksum of `data` as TFRecord files store it."""
    crc = int(google_crc32c.value(data))
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFF_FFFF


def masked_crc32c_of_windows(data: bytes, size: int) -> Array:
    """Masked checksums, uint32 `[len(data) - size + 1]`, of all `size` bytes that follow each other."""
    values = np.frombuffer(data, np.uint8)
    count = len(values) - size + 1
    if count <= 0:
        return np.zeros(0, np.uint32)
    state = np.full(count, 0xFFFFFFFF, np.uint32)
    table = _bytes_table()
    for i in range(size):
        state = table[(state ^ values[i : i + count]) & np.uint32(0xFF)] ^ (state >> np.uint32(8))
    crc = state ^ np.uint32(0xFFFFFFFF)
    with np.errstate(over="ignore"):
        return np.asarray(((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(_MASK_DELTA))


@cache
def _bytes_table() -> Array:
    """What a byte leaves of the state, `[256]`."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ np.where(table & np.uint32(1), np.uint32(_POLYNOMIAL), np.uint32(0))
    return np.asarray(table, np.uint32)
