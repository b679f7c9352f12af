"""Checks of constructor arguments."""

from typing import Any

import keras

from ddsp_tf.arguments import check_boolean, check_choice, check_integer, check_number
from ddsp_tf.errors import DdspError

__all__ = ["check_boolean", "check_choice", "check_float32", "check_integer", "check_number"]


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
