"""What counts as a number where a user gives one: Python's, NumPy's, and arrays of one without axes."""

import numbers
from typing import Any

import numpy as np


def whole_number(value: Any) -> int | None:
    """The value as a Python integer; None if it is no integer. True and False are none."""
    value = _without_array(value)
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    return None


def real_number(value: Any) -> float | None:
    """The value as a Python float; None if it is no real number. True and False are none, NaN is one."""
    value = _without_array(value)
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return float(value)
    return None


def plain(value: Any) -> Any:
    """What YAML and JSON hold: NumPy's numbers and arrays as Python's, tuples as lists, inside of both."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value


def _without_array(value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
