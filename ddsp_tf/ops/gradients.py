"""What all gradients written by hand share."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from ddsp_tf.errors import DdspError


def first_order(gradients: Sequence[tf.Tensor], sources: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Return gradients as they are; whoever differentiates them once more is refused.

    A gradient written by hand is a constant to TensorFlow, and its own derivative would silently be
    nothing.

    Args:
        gradients: Tensors, one for each source.
        sources: The tensors by which was differentiated.

    Returns:
        The gradients.

    Raises:
        DdspError: When a second derivative is asked for.
    """

    @tf.custom_gradient
    def guarded(*tensors: tf.Tensor) -> tuple[list[tf.Tensor], Any]:
        def refuse(*_: tf.Tensor) -> None:
            raise DdspError(
                "this operation has first derivatives only: its gradient was written by hand for speed"
            )

        return [tf.identity(x) for x in tensors[: len(gradients)]], refuse

    return list(guarded(*gradients, *sources))
