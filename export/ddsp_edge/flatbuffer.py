"""Tables of a flatbuffer, read with every offset and length checked.

A file from anywhere may say anything. What is read here lies within the file, nothing is followed further
than the caller asks for, so that there is no cycle to fall into, and a vector is never longer than the file.
The format is that of https://flatbuffers.dev/internals: a table begins with the distance back to its vtable,
which holds where each field lies; strings, vectors and tables are referred to by the distance ahead.
"""

import struct
from typing import Any

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.units import Array

_SIZES = {"?": 1, "b": 1, "B": 1, "H": 2, "i": 4, "I": 4, "f": 4, "q": 8, "Q": 8}  # of `struct`, in bytes


class Table:
    """A table of a flatbuffer; fields go by their number in the schema.

    Args:
        data: The whole flatbuffer.
        where: Offset of the table in bytes.

    Raises:
        DdspError: If the table, or what is asked of it, does not lie within the flatbuffer.
    """

    def __init__(self, data: bytes, where: int) -> None:
        self._data, self._where = data, where
        self._fields = where - _number(data, where, "i")
        self._size = _number(data, self._fields, "H")
        _within(data, self._fields, self._size)

    @classmethod
    def root(cls, data: bytes) -> "Table":
        """The table that a flatbuffer is about."""
        return cls(data, _number(data, 0, "I"))

    def real(self, field: int, kind: str = "f", default: float = 0.0) -> float:
        """A number of a kind of `struct`, or its default where the field is not there."""
        where = self._field(field)
        return default if where is None else float(_number(self._data, where, kind))

    def whole(self, field: int, kind: str = "i", default: int = 0) -> int:
        """A whole number (`"i"`, `"B"` ...) in the same way."""
        where = self._field(field)
        return default if where is None else int(_number(self._data, where, kind))

    def table(self, field: int) -> "Table | None":
        """A table, or None where the field is not there."""
        where = self._reference(field)
        return None if where is None else Table(self._data, where)

    def numbers(self, field: int, kind: str) -> Array:
        """A vector of numbers `[n]`, a view of the flatbuffer; empty where the field is not there."""
        where, length = self._vector(field, _SIZES[kind])
        dtype = np.dtype(kind).newbyteorder("<")
        # A view, so that a thousand references to one vector cost nothing.
        return np.frombuffer(self._data, dtype, length, where) if length else np.zeros(0, dtype)

    def tables(self, field: int, limit: int) -> "list[Table]":
        """A vector of at most `limit` tables."""
        where, length = self._vector(field, 4)
        if length > limit:
            raise DdspError(f"it claims {length} entries where at most {limit} are read")
        places = range(where, where + 4 * length, 4)
        return [Table(self._data, place + _number(self._data, place, "I")) for place in places]

    def text(self, field: int, limit: int = 200) -> str:
        """A string, of which the first bytes up to `limit` are read."""
        where, length = self._vector(field, 1)
        return self._data[where : where + min(length, limit)].decode(errors="replace")

    def _field(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry + 2 > self._size:
            return None
        offset = _number(self._data, self._fields + entry, "H")
        return self._where + int(offset) if offset else None

    def _reference(self, field: int) -> int | None:
        where = self._field(field)
        return None if where is None else where + _number(self._data, where, "I")

    def _vector(self, field: int, item_bytes: int) -> tuple[int, int]:
        """Offset of the first item, and how many there are."""
        where = self._reference(field)
        if where is None:
            return 0, 0
        length = _number(self._data, where, "I")
        _within(self._data, where + 4, length * item_bytes)
        return where + 4, length


def _number(data: bytes, where: int, kind: str) -> Any:
    _within(data, where, _SIZES[kind])
    return struct.unpack_from("<" + kind, data, where)[0]


def _within(data: bytes, where: int, size: int) -> None:
    if where < 0 or where + size > len(data):
        raise DdspError(f"an offset points to byte {where + max(size, 0)} of {len(data)}")
