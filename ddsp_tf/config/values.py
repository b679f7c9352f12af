"""Plain values to dataclasses and back, with words for everything that is wrong.

Unknown keys are refused with the nearest known one; values of the wrong type or out of range are refused
with what would be valid.
"""

import dataclasses
import re
import types
import typing
from typing import Any

import numpy as np

from ddsp_edge.numeric import plain, real_number, whole_number
from ddsp_tf.errors import DdspError, did_you_mean


def build(cls: Any, values: Any, where: str) -> Any:
    """Build a dataclass of plain values, and those inside it.

    Args:
        cls: The dataclass.
        values: A mapping of its fields.
        where: What the values are called in errors; empty at the top.

    Raises:
        DdspError: If a key is unknown or missing, or a value of the wrong type.
    """
    if not isinstance(values, dict):
        raise DdspError(f"{where or 'the configuration'} must be a section of settings. Received: {values!r}")
    hints = typing.get_type_hints(cls)
    for key in values:
        if key not in hints:
            full = f"{where}.{key}" if where else str(key)
            known = did_you_mean(str(key), list(hints)) or f" Known here: {', '.join(hints)}"
            raise DdspError(f"unknown key {full!r}.{known}")
    built = {k: _convert(hints[k], v, f"{where}.{k}" if where else k) for k, v in values.items()}
    required = [
        f.name
        for f in dataclasses.fields(cls)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    for name in required:
        if name not in built:
            raise DdspError(f"{f'{where}.{name}' if where else name} is missing")
    return cls(**built)


def _convert(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return build(kind, value, where)
    origin = typing.get_origin(kind)
    if origin is types.UnionType:
        options = typing.get_args(kind)
        if value is None and type(None) in options:
            return None
        return _convert(next(k for k in options if k is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise DdspError(f"{where} must be a list. Received: {shown(value)}")
        return tuple(_convert(typing.get_args(kind)[0], v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict) or not all(isinstance(k, str) for k in value):
            raise DdspError(f"{where} must be a mapping. Received: {shown(value)}")
        return plain(value)
    if kind is float and _is_number(value):
        return float(value)
    if kind is int and whole_number(value) is not None:
        return whole_number(value)
    if kind is bool and isinstance(value, np.bool_):
        return bool(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        words = {int: "an integer", float: "a number", str: "text", bool: "true or false"}
        raise DdspError(f"{where} must be {words.get(kind, kind.__name__)}. Received: {shown(value)}")
    return value


def _is_number(value: Any) -> bool:
    """Whether YAML means a number; PyYAML reads `1e-3`, without a point, as text."""
    if isinstance(value, str):
        return re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value) is not None
    return real_number(value) is not None


def shown(value: Any) -> str:
    """A value as errors show it, shortened."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]} ..."


def one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse a value that is not known, with the nearest that is.

    Raises:
        DdspError: If it is not.
    """
    if value not in known:
        raise DdspError(
            f"{name} must be one of {', '.join(known)}. Received: {value!r}.{did_you_mean(value, known)}"
        )


def in_range(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside of a range, ends included.

    Raises:
        DdspError: If it is, or is no number.
    """
    if not low <= value <= high:  # also refuses NaN
        raise DdspError(f"{name} must lie within {low:g} to {high:g}. Received: {value!r}")
