"""CRC-32C, the checksum of TFRecord files, in numpy: fast enough to be checked on every read.

The polynomial is Castagnoli's (RFC 3720, appendix B.4). Data is cut into lanes of equal length that are
computed side by side, two bytes a step; their checksums are joined pair by pair, because the checksum of
zeros appended is a linear map of the checksum before them.
"""

from functools import cache

import numpy as np

from ddsp_edge.units import Array

_POLYNOMIAL = 0x82F63B78  # reflected
_MASK_DELTA = 0xA282EAD8  # of TFRecord: a checksum of data that holds checksums is a poor one
_LANE = 128  # bytes


def crc32c(data: bytes) -> int:
    """Checksum of `data`."""
    if len(data) < 4:
        crc = 0xFFFFFFFF
        for byte in data:
            crc = int(_bytes_table()[(crc ^ byte) & 0xFF]) ^ (crc >> 8)
        return crc ^ 0xFFFFFFFF
    lanes = -(-len(data) // _LANE)
    padded = np.zeros(lanes * _LANE, np.uint8)  # zeros in front change nothing, as the state begins at 0:
    padded[len(padded) - len(data) :] = np.frombuffer(data, np.uint8)
    padded[len(padded) - len(data) :][:4] ^= 0xFF  # ... the usual beginning with ones is put in here
    # Indices of 64 bits are what numpy gathers with; others it would convert at every step.
    pairs = np.ascontiguousarray(padded.view("<u2").reshape(lanes, -1).T.astype(np.int64))
    wide, table = np.zeros(lanes, np.int64), _pairs_table()
    for pair in pairs:
        wide = wide ^ pair
        wide = table[wide & 0xFFFF] ^ (wide >> 16)
    state: Array = wide.astype(np.uint32)
    level = 0
    while len(state) > 1:
        if len(state) % 2:
            state = np.concatenate([np.zeros(1, np.uint32), state])
        state = _after_zeros(state[0::2], level) ^ state[1::2]
        level += 1
    return int(state[0]) ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """The checksum as TFRecord files store it."""
    return int(_mask(np.array([crc32c(data)], np.uint32))[0])


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
    return _mask(state ^ np.uint32(0xFFFFFFFF))


def _mask(crc: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(_MASK_DELTA))


@cache
def _bytes_table() -> Array:
    """What a byte leaves of the state, `[256]`."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ np.where(table & np.uint32(1), np.uint32(_POLYNOMIAL), np.uint32(0))
    return np.asarray(table, np.uint32)


@cache
def _pairs_table() -> Array:
    """What two bytes leave of the state, int64 `[65536]`."""
    pairs = np.arange(65536, dtype=np.uint32)
    table = _bytes_table()
    once = table[pairs & np.uint32(0xFF)] ^ (pairs >> np.uint32(8))
    return np.asarray(table[once & np.uint32(0xFF)] ^ (once >> np.uint32(8)), np.int64)


def _after_zeros(state: Array, level: int) -> Array:
    """The states after `_LANE * 2**level` bytes of zeros."""
    tables = _zeros_tables(level)
    result = np.zeros_like(state)
    for i in range(4):
        result = result ^ tables[i][(state >> np.uint32(8 * i)) & np.uint32(0xFF)]
    return np.asarray(result)


@cache
def _zeros_tables(level: int) -> Array:
    """The map of `_after_zeros` by the four bytes of a state, `[4, 256]`."""
    states = (
        np.arange(256, dtype=np.uint32) << (np.uint32(8) * np.arange(4, dtype=np.uint32)[:, None])
    ).ravel()
    if level:
        return _after_zeros(_after_zeros(states, level - 1), level - 1).reshape(4, 256)
    for _ in range(_LANE):
        states = _bytes_table()[states & np.uint32(0xFF)] ^ (states >> np.uint32(8))
    return np.asarray(states.reshape(4, 256))
