"""The loudness loss."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.features.loudness import loudness_db
from ddsp_tf.frames import FrameSpec
from ddsp_tf.losses.terms import Branches, SingleTermLoss, plain_config


@keras.saving.register_keras_serializable(package="ddsp_tf")
class LoudnessLoss(SingleTermLoss):
    """Mean absolute difference of A-weighted loudness over all frames, in dB.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        name: String, name of the loss, and of its term.
        reduction: How Keras joins the losses of a batch.

    Raises:
        DdspError: If rate and hop make no grid of frames.

    Input: `y_true` and `y_pred`, both `[batch, samples]`. Output: `[batch]`, before the reduction.
    """

    def __init__(
        self,
        sample_rate: int,
        hop: int,
        name: str = "loudness",
        reduction: str = "sum_over_batch_size",
    ) -> None:
        super().__init__(name, reduction)
        self.spec = FrameSpec(sample_rate, hop)
        self.sample_rate, self.hop = self.spec.sample_rate, self.spec.hop

    def distance(self, target: tf.Tensor, prediction: tf.Tensor, branches: Branches | None) -> tf.Tensor:
        """Mean absolute difference of loudness, `[batch]`, dB."""
        difference = loudness_db(prediction, self.spec) - loudness_db(target, self.spec)
        return tf.reduce_mean(tf.abs(difference), axis=1)

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return plain_config(self, "sample_rate", "hop")
