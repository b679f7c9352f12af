"""A decoder without a memory."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.instrument.model.decoder import Decoder, Tensors


@keras.saving.register_keras_serializable(package="ddsp_tf")
class MlpDecoder(Decoder):
    """A decoder of dense layers alone: every frame is decided by its own pitch and loudness.

    The smallest and the quickest to train; it cannot tell an onset from a decay. Arguments, input and
    output are those of `Decoder`; `units` has no meaning here, `depth` is 1.

    Example:
        >>> MlpDecoder({"amplitude": 1, "distribution": 60}).state_sizes
        {}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.depth != 1:
            raise DdspError(f"MlpDecoder: depth must be 1. Received: depth={self.depth}")

    @property
    def state_sizes(self) -> dict[str, int]:
        """Nothing is carried from frame to frame."""
        return {}

    def build_memory(self, channels: int) -> int:
        """There is none."""
        return 0

    def remember(self, hidden: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Give no channels."""
        return hidden[..., :0], state

    def remember_frame(self, hidden: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Give no channels."""
        return self.remember(hidden, state)
