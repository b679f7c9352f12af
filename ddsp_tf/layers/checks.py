"""Checks of constructor arguments."""

from typing import Any

import keras

from ddsp_tf.arguments import check_boolean, check_choice, check_integer, check_number
from ddsp_tf.errors import DdspError

__all__ = [
    "check_boolean",
    "check_choice",
    "check_float32",
    "check_integer",
    "check_number",
    "network_dtype",
]


def network_dtype(owner: str, dtype: Any) -> Any:
    """Return the dtype policy of a network: weights in float32, whatever it computes in.

    None is the global policy of Keras, if that keeps weights in float32, and float32 where it does not
    (`keras.config.set_floatx("float64")`): loops and gradients written by hand are float32.

    Raises:
        DdspError: If weights would be kept in anything else.
    """
    policy = keras.config.dtype_policy() if dtype is None else _policy(dtype)
    if policy is not None and policy.variable_dtype == "float32":
        return policy if dtype is None else dtype
    if dtype is None:
        return "float32"
    raise DdspError(
        f"{owner}: dtype must be 'float32', 'mixed_bfloat16' or 'mixed_float16'. Received: dtype={dtype!r}"
    )


def _policy(dtype: Any) -> Any:
    try:
        return keras.dtype_policies.get(dtype)
    except (TypeError, ValueError):
        return None


def check_float32(owner: str, dtype: Any) -> Any:
    """Return the dtype policy of a processor, float32 for None.

    Raises:
        DdspError: If it computes, or keeps its weights, in anything else.
    """
    if dtype is None:
        return "float32"
    policy = _policy(dtype)
    if policy is None or not policy.compute_dtype == policy.variable_dtype == "float32":
        given = dtype if policy is None else policy.name
        raise DdspError(
            f"{owner}: dtype must be 'float32', which phases and spectra need. Received: dtype={given!r}"
        )
    return dtype
