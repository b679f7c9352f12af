"""Checks of plain arguments: numbers, choices, truth. `ddsp_tf.ops.arguments` has those of tensors."""

import math
from typing import Any

import numpy as np

from ddsp_edge.numeric import real_number, whole_number
from ddsp_tf.errors import DdspError, did_you_mean


def check_integer(owner: str, name: str, value: Any, low: int, high: int | None = None) -> int:
    """Return `value` as a Python integer if it is one within `low` to `high`; NumPy's count.

    Args:
        owner: Who asks, for the error.
        name: Name of the argument.
        value: What was given.
        low: Integer, the least.
        high: Integer, the most; None for no end.

    Raises:
        DdspError: If it is not.
    """
    number = whole_number(value)
    if number is None or number < low or (high is not None and number > high):
        raise DdspError(f"{owner}: {name} must be {_an_integer(low, high)}. Received: {name}={value!r}")
    return number


def _an_integer(low: int, high: int | None) -> str:
    if high is not None:
        return f"an integer within {low} to {high}"
    return "a positive integer" if low == 1 else f"an integer, {low} or more"


def check_number(owner: str, name: str, value: Any, low: float, high: float) -> float:
    """Return `value` as a float if it is a finite number within `low` to `high`; NumPy's count.

    Raises:
        DdspError: If it is not.
    """
    number = real_number(value)
    if number is None or not math.isfinite(number) or not low <= number <= high:
        raise DdspError(f"{owner}: {name} must be {_a_number(low, high)}. Received: {name}={value!r}")
    return number


def check_above(owner: str, name: str, value: Any, low: float) -> float:
    """Return `value` as a float if it is a finite number above `low`.

    Raises:
        DdspError: If it is not.
    """
    number = real_number(value)
    if number is None or not low < number < math.inf:
        raise DdspError(f"{owner}: {name} must be a finite number above {low:g}. Received: {name}={value!r}")
    return number


def _a_number(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "a finite number"
    return f"a finite number, {low:g} or more" if math.isinf(high) else f"a number within {low:g} to {high:g}"


def check_choice(owner: str, name: str, value: Any, choices: tuple[Any, ...]) -> Any:
    """Return the one of `choices` that `value` is.

    Raises:
        DdspError: If it is none of them.
    """
    number = whole_number(value)
    wanted = value if number is None else number
    for choice in choices:
        if type(choice) is type(wanted) and choice == wanted:
            return choice
    hint = did_you_mean(value, [c for c in choices if isinstance(c, str)]) if isinstance(value, str) else ""
    raise DdspError(
        f"{owner}: {name} must be one of {', '.join(map(repr, choices))}. Received: {name}={value!r}.{hint}"
    )


def check_boolean(owner: str, name: str, value: Any) -> bool:
    """Return `value` if it is True or False, of Python or of NumPy.

    Raises:
        DdspError: If it is not.
    """
    if not isinstance(value, bool | np.bool_):
        raise DdspError(f"{owner}: {name} must be True or False. Received: {name}={value!r}")
    return bool(value)
