"""How far the fundamental frequency is off, as Keras metrics."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.arguments import check_above
from ddsp_tf.metrics.tracks import compared_tracks, frame_weights


@keras.saving.register_keras_serializable(package="ddsp_tf")
class F0L1(keras.metrics.Mean):
    """Mean absolute distance of fundamental frequencies in semitones, over frames voiced in both.

    Reference: J. Engel et al., "DDSP: Differentiable Digital Signal Processing", ICLR 2020, section 5 (F0 L1,
    in the space of MIDI notes).

    Args:
        name: String, name of the metric.
        dtype: Of the sums.

    Input: `y_true`, the reference, and `y_pred`, both `[batch, frames]` or `[batch, frames, 1]`, in Hz, 0 if
    there is no pitch; `sample_weight` `[batch]`. The result is 0 if no frame counts.
    """

    def __init__(self, name: str = "f0_l1_semitones", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> None:
        """Add a batch.

        Raises:
            DdspError: If the tracks are not as above, or have different frames.
        """
        distance, voiced, found = compared_tracks(y_true, y_pred, self.name)
        super().update_state(tf.abs(distance), frame_weights(voiced & found, sample_weight, self.name))


@keras.saving.register_keras_serializable(package="ddsp_tf")
class F0Outliers(keras.metrics.Mean):
    """Share of the reference's voiced frames whose estimate is missing or too far off, 0 to 1.

    J. Engel et al. 2020 count frames of which a pitch tracker is unsure; here a frame is an outlier whose
    pitch the tracker does not find at all, or finds elsewhere.

    Args:
        semitones: Float > 0, from where a distance is too far.
        name: String, name of the metric.
        dtype: Of the sums.

    Input: as of `F0L1`. The result is 0 if no frame is voiced.
    """

    def __init__(self, semitones: float = 0.5, name: str = "f0_outliers", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.semitones = check_above("F0Outliers", "semitones", semitones, 0.0)

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> None:
        """Add a batch.

        Raises:
            DdspError: If the tracks are not as above, or have different frames.
        """
        distance, voiced, found = compared_tracks(y_true, y_pred, self.name)
        wrong = tf.cast(~found | (tf.abs(distance) > self.semitones), tf.float32)
        super().update_state(wrong, frame_weights(voiced, sample_weight, self.name))

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return {**super().get_config(), "semitones": self.semitones}
