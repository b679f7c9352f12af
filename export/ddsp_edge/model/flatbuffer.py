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

_FIELDS = 32  # of a table that are read: no table of the schema has more

_KINDS = {kind: struct.Struct("<" + kind) for kind in "bBHiIfq"}


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
        begin = where - _number(data, where, "i")
        size = _number(data, begin, "H")
        _within(data, begin, size)
        # Where each field lies, from the beginning of the table; 0 where it is not there. Many tables may
        # refer to one long vtable: no more of it is kept than is read.
        count = min(max(0, (size - 4) // 2), _FIELDS)
        self._fields = struct.unpack_from(f"<{count}H", data, begin + 4)

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
        where, length = self._vector(field, _KINDS[kind].size)
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
        offset = self._fields[field] if field < len(self._fields) else 0
        return self._where + offset if offset else None

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
    _within(data, where, _KINDS[kind].size)
    return _KINDS[kind].unpack_from(data, where)[0]


def _within(data: bytes, where: int, size: int) -> None:
    if where < 0 or where + size > len(data):
        raise DdspError(f"an offset points to byte {where if where < 0 else where + size} of {len(data)}")
