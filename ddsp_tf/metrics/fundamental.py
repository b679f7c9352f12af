"""How far the fundamental frequency is off, as Keras metrics."""

import math
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError


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
        """Add a batch."""
        distance, voiced, found = _compare(y_true, y_pred)
        super().update_state(distance, _weights(voiced & found, sample_weight))


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
        if not 0.0 < semitones < math.inf:
            raise DdspError(f"F0Outliers: semitones must be above 0. Received: {semitones!r}")
        self.semitones = float(semitones)

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> None:
        """Add a batch."""
        distance, voiced, found = _compare(y_true, y_pred)
        wrong = tf.cast(~found | (distance > self.semitones), tf.float32)
        super().update_state(wrong, _weights(voiced, sample_weight))

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return {**super().get_config(), "semitones": self.semitones}


def _compare(y_true: tf.Tensor, y_pred: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Distance in semitones (0 if not both are voiced), voiced in the reference, and in the estimate."""
    reference, estimate = (_frames(y) for y in (y_true, y_pred))
    if not reference.shape.is_compatible_with(estimate.shape):
        raise DdspError(
            "y_true and y_pred must have the same frames. "
            f"Received: {tuple(reference.shape)} and {tuple(estimate.shape)}"
        )
    voiced, found = reference > 0.0, estimate > 0.0
    both = voiced & found
    ratio = tf.where(both, estimate, 1.0) / tf.where(both, reference, 1.0)
    return tf.abs(tf.math.log(ratio)) * (12.0 / math.log(2.0)), voiced, found


def _frames(f0_hz: tf.Tensor) -> tf.Tensor:
    """As float32 `[batch, frames]`."""
    f0_hz = tf.cast(tf.convert_to_tensor(f0_hz), tf.float32)
    if f0_hz.shape.rank == 3 and f0_hz.shape[2] == 1:
        f0_hz = f0_hz[:, :, 0]
    if f0_hz.shape.rank != 2:
        raise DdspError(f"f0 must be [batch, frames] or [batch, frames, 1]. Received: {tuple(f0_hz.shape)}")
    return f0_hz


def _weights(counts: tf.Tensor, sample_weight: tf.Tensor | None) -> tf.Tensor:
    weights = tf.cast(counts, tf.float32)
    if sample_weight is None:
        return weights
    return weights * tf.reshape(tf.cast(tf.convert_to_tensor(sample_weight), tf.float32), [-1, 1])
