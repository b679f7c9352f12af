"""How far loudness is off, as a metric."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.features.loudness import loudness_db
from ddsp_tf.frames import FrameSpec


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
        self.reference_above_db = reference_above_db

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> None:
        """Add a batch."""
        reference = loudness_db(tf.convert_to_tensor(y_true), self.spec)
        difference = tf.abs(loudness_db(tf.convert_to_tensor(y_pred), self.spec) - reference)
        counts = tf.ones_like(reference)
        if self.reference_above_db is not None:
            counts = tf.cast(reference > self.reference_above_db, reference.dtype)
        if sample_weight is not None:
            counts *= tf.cast(sample_weight, counts.dtype)[:, None]
        super().update_state(difference, counts)

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return {
            **super().get_config(),
            "sample_rate": self.spec.sample_rate,
            "hop": self.spec.hop,
            "reference_above_db": self.reference_above_db,
        }
