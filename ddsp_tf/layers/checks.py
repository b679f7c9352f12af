"""Checks of constructor arguments."""

import math
from typing import Any

import keras

from ddsp_tf.errors import DdspError, did_you_mean


def check_integer(owner: str, name: str, value: Any, low: int, high: int) -> int:
    """Return `value` if it is an integer within `low` to `high`.

    Raises:
        DdspError: If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise DdspError(
            f"{owner}: {name} must be an integer within {low} to {high}. Received: {name}={value!r}"
        )
    return value


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
        hint = (
            did_you_mean(value, [c for c in choices if isinstance(c, str)]) if isinstance(value, str) else ""
        )
        raise DdspError(
            f"{owner}: {name} must be one of {', '.join(map(repr, choices))}.{hint} "
            f"Received: {name}={value!r}"
        )
    return value


def check_boolean(owner: str, name: str, value: Any) -> bool:
    """Return `value` if it is True or False.

    Raises:
        DdspError: If it is not.
    """
    if not isinstance(value, bool):
        raise DdspError(f"{owner}: {name} must be True or False. Received: {name}={value!r}")
    return value


def check_float32(owner: str, dtype: Any) -> Any:
    """Return the dtype policy of a processor, float32 for None.

    Raises:
        DdspError: If it computes, or keeps its weights, in anything else.
    """
    if dtype is None:
        return "float32"
    try:
        policy = keras.dtype_policies.get(dtype)
    except (TypeError, ValueError):
        policy = None
    if policy is None or not policy.compute_dtype == policy.variable_dtype == "float32":
        given = dtype if policy is None else policy.name
        raise DdspError(
            f"{owner}: dtype must be 'float32', which phases and spectra need. Received: dtype={given!r}"
        )
    return dtype
