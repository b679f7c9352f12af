"""The multi-scale spectral loss."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.ops.spectral_distance import spectral_distances, weighted_spectral_distance

FFT_SIZES = (2048, 1024, 512, 256, 128, 64)


@keras.saving.register_keras_serializable(package="ddsp_tf")
class MultiScaleSpectralLoss(keras.losses.Loss):
    """L1 distance of magnitude spectra and of their logarithms, at several resolutions.

    With `S` the magnitudes of a Fourier transform of one size, of the target and the prediction:

        loss = sum over sizes of  magnitude_weight * mean |S - S'|
                                + log_magnitude_weight * mean |log(S + epsilon) - log(S' + epsilon)|

    The transform has a periodic Hann window, 75 % overlap and no normalisation, as in the paper, so a
    full-scale sine has magnitude `fft_size / 4`. Zeros are padded on both sides until every sample lies in
    four windows. Everything is computed in float32, whatever the dtype of the model.

    Reference: J. Engel, L. Hantrakul, C. Gu, A. Roberts, "DDSP: Differentiable Digital Signal
    Processing", ICLR 2020, section 4.2.1.

    Args:
        fft_sizes: Integers, window lengths in samples, multiples of 4 in 16 to 65536, all different.
        magnitude_weight: Float >= 0.
        log_magnitude_weight: Float >= 0.
        epsilon: Float > 0, floor inside the logarithm. Below 1e-5 rounding errors decide the gradient of
            quiet bins.
        reduction: How Keras joins the losses of a batch.
        name: String, name of the loss.
        dtype: Ignored but for compatibility with Keras; always `"float32"`.

    Raises:
        DdspError: If an argument is out of range, or, in the call, the shapes differ.

    Example:
        >>> loss = MultiScaleSpectralLoss(fft_sizes=(256, 64))
        >>> float(loss(tf.zeros([1, 1000]), tf.zeros([1, 1000])))
        0.0

    Input: `y_true` and `y_pred`, both `[batch, samples]`. Output: `[batch]`, before the reduction.
    """

    def __init__(
        self,
        fft_sizes: Sequence[int] = FFT_SIZES,
        magnitude_weight: float = 1.0,
        log_magnitude_weight: float = 1.0,
        epsilon: float = 1e-5,
        reduction: str = "sum_over_batch_size",
        name: str = "multi_scale_spectral_loss",
        dtype: Any = None,
    ) -> None:
        del dtype
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.fft_sizes = _checked_sizes(fft_sizes)
        self.magnitude_weight = _checked("magnitude_weight", magnitude_weight)
        self.log_magnitude_weight = _checked("log_magnitude_weight", log_magnitude_weight)
        self.epsilon = _checked("epsilon", epsilon)
        if self.epsilon == 0.0:
            raise DdspError("epsilon must be above 0: the logarithm of silence is infinite. Received: 0")
        if self.magnitude_weight + self.log_magnitude_weight == 0.0:
            raise DdspError("magnitude_weight and log_magnitude_weight must not both be 0")

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Return the loss of each example, `[batch]`; compiled for every new shape."""
        target, prediction = _checked_sounds(y_true, y_pred)
        return tf.add_n(
            [
                weighted_spectral_distance(
                    target, prediction, size, self.epsilon, self.magnitude_weight, self.log_magnitude_weight
                )
                for size in self.fft_sizes
            ]
        )

    def terms(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the terms of the loss, weighted, for each example `[batch]`; their sum is the loss.

        Names are `magnitude_2048`, `log_magnitude_2048` and so on; a term of weight 0 is left out. Nothing is
        compiled: for sounds of many lengths it is faster than the loss itself.
        """
        target, prediction = _checked_sounds(y_true, y_pred)
        terms = {}
        for size in self.fft_sizes:
            distances = spectral_distances(target, prediction, size, self.epsilon)
            weights = {"magnitude": self.magnitude_weight, "log_magnitude": self.log_magnitude_weight}
            for (name, weight), distance in zip(weights.items(), distances, strict=True):
                if weight:
                    terms[f"{name}_{size}"] = weight * distance
        return terms

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return {
            "fft_sizes": list(self.fft_sizes),
            "magnitude_weight": self.magnitude_weight,
            "log_magnitude_weight": self.log_magnitude_weight,
            "epsilon": self.epsilon,
            "reduction": self.reduction,
            "name": self.name,
        }


def _checked_sounds(y_true: tf.Tensor, y_pred: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    target, prediction = (tf.cast(tf.convert_to_tensor(y), tf.float32) for y in (y_true, y_pred))
    if target.shape.rank != 2 or not target.shape.is_compatible_with(prediction.shape):
        raise DdspError(
            "y_true and y_pred must both be [batch, samples]. "
            f"Received: {tuple(target.shape)} and {tuple(prediction.shape)}"
        )
    return target, prediction


def _checked_sizes(fft_sizes: Sequence[int]) -> tuple[int, ...]:
    sizes = tuple(fft_sizes)
    whole = all(isinstance(size, int) and not isinstance(size, bool) for size in sizes)
    good = whole and all(16 <= size <= 65536 and size % 4 == 0 for size in sizes)
    if not sizes or not good or len(set(sizes)) < len(sizes):
        raise DdspError(
            "fft_sizes must be one or more different multiples of 4 in 16 to 65536. "
            f"Received: {list(sizes)!r}"
        )
    return sizes


def _checked(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < math.inf:
        raise DdspError(f"{name} must be a finite number, 0 or more. Received: {value!r}")
    return float(value)
