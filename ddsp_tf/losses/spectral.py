"""The multi-scale spectral loss."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ddsp_edge.numeric import plain, whole_number
from ddsp_tf.arguments import check_integer
from ddsp_tf.errors import DdspError
from ddsp_tf.losses.differences import delta_distances, log_mel_distance
from ddsp_tf.losses.terms import (
    Branches,
    TermedLoss,
    Terms,
    checked_sounds,
    checked_weight,
    plain_config,
    without_gradient,
)
from ddsp_tf.ops.mel import mel_filterbank
from ddsp_tf.ops.spectral_distance import spectral_distances, weighted_spectral_distance

FFT_SIZES = (2048, 1024, 512, 256, 128, 64)


@keras.saving.register_keras_serializable(package="ddsp_tf")
class MultiScaleSpectralLoss(TermedLoss):
    """L1 distance of magnitude spectra and of their logarithms, at several resolutions.

    With `S` the magnitudes of a Fourier transform of one size, of the target and the prediction:

        loss = sum over sizes of  magnitude_weight * mean |S - S'|
                                + log_magnitude_weight * mean |log(S + epsilon) - log(S' + epsilon)|

    Further terms, off unless they are given a weight, look at how magnitudes change over time and over
    frequency, and at mel bands (`ddsp_tf.losses.differences`).

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
        delta_time_weight: Float >= 0, of the distance of differences from window to window.
        delta_frequency_weight: Float >= 0, of the distance of differences from bin to bin.
        mel_weight: Float >= 0, of the distance of logarithms in mel bands, at the largest size.
        n_mels: Integer >= 1, mel bands.
        sample_rate: Integer, Hz; needed for mel bands alone.
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
        delta_time_weight: float = 0.0,
        delta_frequency_weight: float = 0.0,
        mel_weight: float = 0.0,
        n_mels: int = 64,
        sample_rate: int | None = None,
        reduction: str = "sum_over_batch_size",
        name: str = "multi_scale_spectral_loss",
        dtype: Any = None,
    ) -> None:
        del dtype
        super().__init__(name=name, reduction=reduction)
        self.fft_sizes = _checked_sizes(fft_sizes)
        self.magnitude_weight = checked_weight("magnitude_weight", magnitude_weight)
        self.log_magnitude_weight = checked_weight("log_magnitude_weight", log_magnitude_weight)
        self.epsilon = checked_weight("epsilon", epsilon)
        if self.epsilon == 0.0:
            raise DdspError("epsilon must be above 0: the logarithm of silence is infinite. Received: 0")
        if self.magnitude_weight + self.log_magnitude_weight == 0.0:
            raise DdspError("magnitude_weight and log_magnitude_weight must not both be 0")
        self.delta_time_weight = checked_weight("delta_time_weight", delta_time_weight)
        self.delta_frequency_weight = checked_weight("delta_frequency_weight", delta_frequency_weight)
        self.mel_weight = checked_weight("mel_weight", mel_weight)
        self.n_mels = check_integer("MultiScaleSpectralLoss", "n_mels", n_mels, 1)
        self.sample_rate = (
            None
            if sample_rate is None
            else check_integer("MultiScaleSpectralLoss", "sample_rate", sample_rate, 1)
        )
        if self.mel_weight:
            if sample_rate is None:
                raise DdspError("mel_weight needs the sample_rate. Received: sample_rate=None")
            mel_filterbank(n_mels, max(self.fft_sizes), sample_rate)  # refuses what cannot be

    @property
    def term_names(self) -> tuple[str, ...]:
        """The terms of weight 0 are left out; each is the sum over all sizes."""
        return tuple(name for name, weight in self._weights().items() if weight)

    def _weights(self) -> dict[str, float]:
        return {
            "magnitude": self.magnitude_weight,
            "log_magnitude": self.log_magnitude_weight,
            "delta_time": self.delta_time_weight,
            "delta_frequency": self.delta_frequency_weight,
            "mel": self.mel_weight,
        }

    def value_and_terms(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, branches: Branches | None = None
    ) -> tuple[tf.Tensor, Terms]:
        """Return the loss of each example, `[batch]`, and its terms; compiled for every new shape."""
        target, prediction = checked_sounds(y_true, y_pred, self.name)
        pairs = [
            weighted_spectral_distance(
                target, prediction, size, self.epsilon, self.magnitude_weight, self.log_magnitude_weight
            )
            for size in self.fft_sizes
        ]
        magnitude, log_magnitude = tf.unstack(tf.add_n([parts for _, parts in pairs]), num=2)
        seen = {"magnitude": magnitude, "log_magnitude": log_magnitude}
        further = self._further(target, prediction)
        loss = tf.add_n([*(distance for distance, _ in pairs), *further.values()])
        seen = {**seen, **without_gradient(further)}
        return loss, {name: seen[name] for name in self.term_names}

    def _further(self, target: tf.Tensor, prediction: tf.Tensor) -> Terms:
        """The terms that are not compiled, weighted."""
        terms: Terms = {}
        if self.delta_time_weight + self.delta_frequency_weight:
            pairs = [delta_distances(target, prediction, size) for size in self.fft_sizes]
            over_time, over_frequency = (tf.add_n(list(each)) for each in zip(*pairs, strict=True))
            if self.delta_time_weight:
                terms["delta_time"] = self.delta_time_weight * over_time
            if self.delta_frequency_weight:
                terms["delta_frequency"] = self.delta_frequency_weight * over_frequency
        if self.mel_weight:
            distance = log_mel_distance(
                target, prediction, self.sample_rate or 0, max(self.fft_sizes), self.n_mels, self.epsilon
            )
            terms["mel"] = self.mel_weight * distance
        return terms

    def terms(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the terms of the loss, weighted, for each example `[batch]`; their sum is the loss.

        Names are `magnitude_2048`, `log_magnitude_2048` and so on, then those of the terms that are not by
        size; a term of weight 0 is left out. Nothing is compiled: for sounds of many lengths it is faster
        than the loss itself.
        """
        target, prediction = checked_sounds(y_true, y_pred, self.name)
        terms = {}
        for size in self.fft_sizes:
            distances = spectral_distances(target, prediction, size, self.epsilon)
            weights = {"magnitude": self.magnitude_weight, "log_magnitude": self.log_magnitude_weight}
            for (name, weight), distance in zip(weights.items(), distances, strict=True):
                if weight:
                    terms[f"{name}_{size}"] = weight * distance
        return {**terms, **self._further(target, prediction)}

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        names = ("epsilon", "n_mels", "sample_rate", *(f"{name}_weight" for name in self._weights()))
        return {"fft_sizes": list(self.fft_sizes), **plain_config(self, *names)}


def _checked_sizes(fft_sizes: Sequence[int]) -> tuple[int, ...]:
    given = plain(fft_sizes)
    found = [whole_number(size) for size in given] if isinstance(given, list) else []
    sizes = tuple(size for size in found if size is not None and 16 <= size <= 65536 and size % 4 == 0)
    if not sizes or len(set(sizes)) < len(found):
        raise DdspError(
            f"fft_sizes must be one or more different multiples of 4 in 16 to 65536. Received: {given!r}"
        )
    return sizes
