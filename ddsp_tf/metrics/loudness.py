"""How far loudness is off, as a metric."""

import math
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.arguments import check_number
from ddsp_tf.features.loudness import loudness_db
from ddsp_tf.frames import FrameSpec
from ddsp_tf.losses.terms import checked_example_weights, checked_sounds


@keras.saving.register_keras_serializable(package="ddsp_tf")
class LoudnessL1(keras.metrics.Mean):
    """Mean absolute difference of A-weighted loudness, in dB, over all frames seen.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        reference_above_db: Float or None. With a number, only frames where the *reference* is louder than
            it count, for example -70: in near silence a difference is large in dB and inaudible. None
            counts every frame.
        name: String, name of the metric.
        dtype: Of the sums.

    Raises:
        DdspError: If an argument is not as above.

    Input: `y_true`, the reference, and `y_pred`, both `[batch, samples]`; `sample_weight` `[batch]`. The
    result is 0 if no frame counts.
    """

    def __init__(
        self,
        sample_rate: int,
        hop: int,
        reference_above_db: float | None = None,
        name: str = "loudness_l1_db",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.spec = FrameSpec(sample_rate, hop)
        self.reference_above_db = (
            None
            if reference_above_db is None
            else check_number("LoudnessL1", "reference_above_db", reference_above_db, -math.inf, math.inf)
        )

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> None:
        """Add a batch.

        Raises:
            DdspError: If the sounds are not as above, or of different shapes.
        """
        target, prediction = checked_sounds(y_true, y_pred, self.name)
        reference = loudness_db(target, self.spec)
        difference = tf.abs(loudness_db(prediction, self.spec) - reference)
        counts = tf.ones_like(reference)
        if self.reference_above_db is not None:
            counts = tf.cast(reference > self.reference_above_db, reference.dtype)
        if sample_weight is not None:
            counts *= checked_example_weights(sample_weight, reference, self.name)[:, tf.newaxis]
        super().update_state(difference, counts)

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return {
            **super().get_config(),
            "sample_rate": self.spec.sample_rate,
            "hop": self.spec.hop,
            "reference_above_db": self.reference_above_db,
        }
