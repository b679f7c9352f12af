"""`tf.train.Example` without TensorFlow: the bytes that it would write, and what it would read.

`prepare` and its workers write records without loading TensorFlow, which saves half a gigabyte in each.
The format is Protocol Buffers' wire format of `tensorflow/core/example/{example,feature}.proto`: an
`Example` holds `Features`, a map from names to lists of bytes, floats or integers.
"""

import struct
from collections.abc import Iterator, Mapping

Value = bytes | float | int
"""One value of a feature; a feature here holds exactly one."""

_LENGTH, _VARINT = 2, 0  # wire types
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3  # fields of Feature


def encode_example(features: Mapping[str, Value]) -> bytes:
    """Serialise features, each of one value, in the order that they come in."""
    entries = b"".join(
        _field(1, _field(1, name.encode()) + _field(2, _encode_feature(value)))
        for name, value in features.items()
    )
    return _field(1, entries)


def decode_example(data: bytes) -> dict[str, Value]:
    """Parse a serialised `Example`; of a feature with many values, the first.

    Raises:
        ValueError: If it is none, or breaks off.
    """
    decoded: dict[str, Value] = {}
    for features in _fields(memoryview(data), 1):
        for entry in _fields(features, 1):
            names, values = list(_fields(entry, 1)), list(_fields(entry, 2))
            if names and values:
                value = _decode_feature(values[-1])
                if value is not None:
                    decoded[bytes(names[-1]).decode()] = value
    return decoded


def _encode_feature(value: Value) -> bytes:
    if isinstance(value, bytes):
        return _field(_BYTES_LIST, _field(1, value))
    if isinstance(value, float):
        return _field(_FLOAT_LIST, _field(1, struct.pack("<f", value)))
    return _field(_INT64_LIST, _field(1, _varint(value & 0xFFFF_FFFF_FFFF_FFFF)))


def _decode_feature(feature: memoryview) -> Value | None:
    for values in _fields(feature, _BYTES_LIST):
        for one in _fields(values, 1):
            return bytes(one)
    for values in _fields(feature, _FLOAT_LIST):
        for packed in _fields(values, 1):
            return float(struct.unpack_from("<f", packed)[0]) if len(packed) >= 4 else None
    for values in _fields(feature, _INT64_LIST):
        for packed in _fields(values, 1):
            if len(packed):
                number, _ = _read_varint(packed, 0)
                return number - (1 << 64) if number >= 1 << 63 else number
    return None


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _fields(message: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the payloads of a message's fields of one number that have a length; skip the others."""
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        kind = tag & 7
        if kind == _LENGTH:
            size, at = _read_varint(message, at)
        elif kind == _VARINT:
            _, at = _read_varint(message, at)
            continue
        else:
            size = {1: 8, 5: 4}.get(kind, -1)
        if size < 0 or at + size > len(message):
            raise ValueError("a field breaks off")
        if kind == _LENGTH and tag >> 3 == number:
            yield message[at : at + size]
        at += size


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError("a number breaks off")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number has no end")
