"""What operations share that XLA compiles and whose gradients are written by hand (decision 0010)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from ddsp_tf.errors import DdspError

compiled = partial(tf.function, jit_compile=True, reduce_retracing=True, autograph=False)
"""Decorator of a function of tensors that XLA compiles, once for each shape. What is no tensor (a hop, a
number of units) is passed as a Python value, by keyword."""


def first_order(
    gradient: Callable[[tf.Tensor], Sequence[tf.Tensor]], *sources: tf.Tensor
) -> Callable[[tf.Tensor], list[tf.Tensor]]:
    """Make a gradient that refuses to be differentiated once more.

    To TensorFlow a gradient written by hand is a constant: its own derivative would silently be nothing,
    or be derived from loops that are not made for it.

    Args:
        gradient: From the upstream gradient to one gradient for each source.
        *sources: The tensors by which is differentiated.

    Returns:
        The same function for `tf.custom_gradient`; a second derivative raises `DdspError`.
    """

    @tf.custom_gradient
    def guarded(*tensors: tf.Tensor) -> tuple[list[tf.Tensor], Any]:
        def refuse(*_: tf.Tensor) -> None:
            raise DdspError(
                "this operation has first derivatives only: its gradient was written by hand for speed"
            )

        return [tf.identity(x) for x in tensors[: len(sources)]], refuse

    def run(upstream: tf.Tensor) -> list[tf.Tensor]:
        return list(guarded(*gradient(tf.stop_gradient(upstream)), *sources, upstream))

    return run
