"""How far a restored or separated sound is from what it should be."""

import math
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.losses.terms import checked_example_weights, checked_sounds

_TO_DB = 10.0 / math.log(10.0)
_WINDOW, _HOP = 512, 128
_RANGE = 1e-3  # of the loudest magnitude: 60 dB are compared


def si_sdr_db(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Scale-invariant signal-to-distortion ratio, dB, `[batch]`.

    The target is scaled to what of the prediction is along it; means are taken out of both.

    Reference: J. Le Roux, S. Wisdom, H. Erdogan, J. R. Hershey, "SDR - half-baked or well done?", ICASSP
    2019.

    Args:
        y_true: `[batch, samples]`.
        y_pred: The same.

    Raises:
        DdspError: If they are not, or of different shapes.
    """
    target, prediction = checked_sounds(y_true, y_pred, "si_sdr_db")
    target, prediction = (tf.cast(x, tf.float64) for x in (target, prediction))
    target -= tf.reduce_mean(target, axis=1, keepdims=True)
    prediction -= tf.reduce_mean(prediction, axis=1, keepdims=True)
    scale = tf.reduce_sum(target * prediction, axis=1) / (tf.reduce_sum(target**2, axis=1) + 1e-20)
    along = scale[:, tf.newaxis] * target
    kept, lost = (tf.reduce_sum(x**2, axis=1) for x in (along, prediction - along))
    ratio_db = tf.math.log((kept + 1e-20) / (lost + 1e-20)) * _TO_DB
    return tf.cast(ratio_db, tf.float32)


def log_spectral_distance_db(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Root mean square difference of levels over frequency, averaged over time, dB, `[batch]`.

    Hann windows of 512 samples, 128 apart; the prediction is brought to the power of the target, and what is
    more than 60 dB below the loudest bin of the target counts as that.

    Args:
        y_true: `[batch, samples]`, 512 samples at least.
        y_pred: The same.

    Raises:
        DdspError: If they are not, or of different shapes.
    """
    target, prediction = checked_sounds(y_true, y_pred, "log_spectral_distance_db")
    powers = (tf.reduce_sum(x**2, axis=1, keepdims=True) for x in (target, prediction))
    of_target, of_prediction = powers
    prediction *= tf.sqrt(of_target / (of_prediction + 1e-12))
    wanted, given = (tf.abs(tf.signal.stft(x, _WINDOW, _HOP)) for x in (target, prediction))
    floor = tf.reduce_max(wanted, axis=[1, 2], keepdims=True) * _RANGE + 1e-9
    difference = tf.math.log(tf.maximum(wanted, floor) / tf.maximum(given, floor)) * (2.0 * _TO_DB)
    return tf.reduce_mean(tf.sqrt(tf.reduce_mean(difference**2, axis=2)), axis=1)


class _MeanOfExamples(keras.metrics.Mean):
    """The mean of a figure of each example; sub-classes give `figure`."""

    def figure(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """The figure of each example, `[batch]`."""
        raise TypeError(f"{type(self).__name__} must compute its figure (figure)")

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> None:
        """Add a batch.

        Raises:
            DdspError: If the sounds are not `[batch, samples]`, or of different shapes.
        """
        if sample_weight is not None:
            sample_weight = checked_example_weights(sample_weight, tf.convert_to_tensor(y_true), self.name)
        super().update_state(self.figure(y_true, y_pred), sample_weight)


@keras.saving.register_keras_serializable(package="ddsp_tf")
class SiSdr(_MeanOfExamples):
    """Mean of `si_sdr_db` over all examples seen, dB.

    Args:
        name: String, name of the metric.
        dtype: Of the sums.

    Input: `y_true` and `y_pred`, both `[batch, samples]`; `sample_weight` `[batch]`.
    """

    def __init__(self, name: str = "si_sdr_db", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def figure(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """The ratio of each example, `[batch]`, dB."""
        return si_sdr_db(y_true, y_pred)


@keras.saving.register_keras_serializable(package="ddsp_tf")
class LogSpectralDistance(_MeanOfExamples):
    """Mean of `log_spectral_distance_db` over all examples seen, dB.

    Args:
        name: String, name of the metric.
        dtype: Of the sums.

    Input: `y_true` and `y_pred`, both `[batch, samples]`; `sample_weight` `[batch]`.
    """

    def __init__(self, name: str = "log_spectral_distance_db", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def figure(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """The distance of each example, `[batch]`, dB."""
        return log_spectral_distance_db(y_true, y_pred)
