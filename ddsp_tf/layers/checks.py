"""Checks of constructor arguments that are no integers."""

import math
from typing import Any

from ddsp_tf.errors import DdspError, did_you_mean


def check_number(owner: str, name: str, value: Any, low: float, high: float) -> float:
    """Return `value` as a float if it is a number within `low` to `high`.

    Raises:
        DdspError: If it is not.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not low <= value <= high:
        raise DdspError(
            f"{owner}: {name} must be a number within {low:g} to {high:g}. Received: {name}={value!r}"
        )
    return float(value)


def check_choice(owner: str, name: str, value: Any, choices: tuple[Any, ...]) -> Any:
    """Return `value` if it is one of `choices`.

    Raises:
        DdspError: If it is not.
    """
    if isinstance(value, bool) or value not in choices:
        hint = did_you_mean(value, list(choices)) if isinstance(value, str) else ""
        raise DdspError(
            f"{owner}: {name} must be one of {', '.join(map(repr, choices))}.{hint} "
            f"Received: {name}={value!r}"
        )
    return value
