"""Consistency of harmonics and noise: each synth is to explain what is its own."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ddsp_tf.arguments import check_above, check_integer
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from ddsp_tf.losses.terms import Branches, SingleTermLoss, plain_config
from ddsp_tf.ops.spectra import magnitude_spectrogram

HALF_WIDTH_BINS = 2.0
"""A Hann window's main lobe reaches two bins to either side of a sinusoid."""


@keras.saving.register_keras_serializable(package="ddsp_tf")
class HarmonicNoiseConsistency(SingleTermLoss):
    """Harmonics alone match the recording at multiples of f0; noise alone matches it between them.

    The sum of both may be right while noise fills in for harmonics, or harmonics for noise. With `S` the
    magnitudes of the recording, `H` and `N` those of the two parts of the rendering, `at` the bins within
    two bins of a multiple of f0, and `B` what the recording has midway between the two nearest multiples:

        loss = mean over `at` of |log(H + B) - log max(S, B)|  +  mean over the others of |log N - log S|

    So harmonics are asked for no more than what stands out of what lies between them, and for nothing
    where nothing does, as high up in most recordings.

    Where multiples of f0 are less than five bins apart no bin lies between them, and nothing is asked of
    noise. A room is in the recording and not in the two parts: with a long one the loss asks for too much,
    so its weight should be small then.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame of f0.
        fft_size: Integer, a multiple of 4, window length in samples; None: the power of 2 next to 64 ms,
            which parts the harmonics of f0 from 80 Hz up.
        epsilon: Float > 0, added inside the logarithm.
        name: String, name of the loss, and of its term.
        reduction: How Keras joins the losses of a batch.

    Raises:
        DdspError: If an argument is not as above.

    Input: `y_true`, `[batch, samples]`. What else it needs are `Branches`, which a model has that is trained
    by `ddsp_tf.models.Autoencoder`; called as a plain Keras loss it is 0.
    """

    def __init__(
        self,
        sample_rate: int,
        hop: int,
        fft_size: int | None = None,
        epsilon: float = 1e-3,
        name: str = "consistency",
        reduction: str = "sum_over_batch_size",
    ) -> None:
        super().__init__(name, reduction)
        owner, spec = "HarmonicNoiseConsistency", FrameSpec(sample_rate, hop)
        self.sample_rate, self.hop = spec.sample_rate, spec.hop
        self.epsilon = check_above(owner, "epsilon", epsilon, 0.0)
        size = 2 ** round(np.log2(0.064 * spec.sample_rate)) if fft_size is None else fft_size
        self.fft_size = check_integer(owner, "fft_size", size, 4)
        if self.fft_size % 4:
            raise DdspError(f"{owner}: fft_size must be a multiple of 4. Received: fft_size={fft_size!r}")

    def distance(self, target: tf.Tensor, prediction: tf.Tensor, branches: Branches | None) -> tf.Tensor:
        """Distances of both parts together, `[batch]`; 0 where the parts are not known."""
        loss = tf.zeros(tf.shape(target)[:1])
        if branches is not None:
            wanted = self._magnitudes(target)
            at, midway = self._comb(branches.f0_hz[:, :, 0], tf.shape(wanted)[1])
            if branches.harmonic is not None:
                between = tf.gather(wanted, midway, axis=2, batch_dims=2)
                got = self._magnitudes(branches.harmonic) + between
                loss += _mean_where(at, self._distance(got, tf.maximum(wanted, between)))
            if branches.noise is not None:
                loss += _mean_where(1.0 - at, self._distance(self._magnitudes(branches.noise), wanted))
        return loss

    def _magnitudes(self, audio: tf.Tensor) -> tf.Tensor:
        return magnitude_spectrogram(tf.cast(audio, tf.float32), self.fft_size, self.fft_size // 4)

    def _distance(self, got: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
        return tf.abs(tf.math.log((got + self.epsilon) / (wanted + self.epsilon)))

    def _comb(self, f0_hz: tf.Tensor, windows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """For each bin, 1 if it belongs to a harmonic, else 0, and the bin midway between its neighbours.

        Both are `[batch, windows, bins]`.
        """
        quarter, last = self.fft_size // 4, self.fft_size // 2
        # Window i is centred on sample (i + 1) * quarter - size / 2; frame j stands for (j + 1) * hop.
        centres = (tf.range(windows) + 1) * quarter - self.fft_size // 2
        frames = tf.clip_by_value((centres + self.hop // 2) // self.hop - 1, 0, tf.shape(f0_hz)[1] - 1)
        f0_bins = tf.gather(f0_hz, frames, axis=1)[:, :, tf.newaxis] * (self.fft_size / self.sample_rate)
        f0_bins = tf.maximum(f0_bins, 1e-3)
        bins = tf.range(last + 1, dtype=tf.float32)
        number = tf.maximum(tf.round(bins / f0_bins), 1.0)
        at = tf.cast(tf.abs(bins - number * f0_bins) <= HALF_WIDTH_BINS, tf.float32)
        midway = tf.cast(tf.round((tf.floor(bins / f0_bins) + 0.5) * f0_bins), tf.int32)
        return at, tf.clip_by_value(midway, 0, last)

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return plain_config(self, "sample_rate", "hop", "fft_size", "epsilon")


def _mean_where(mask: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Mean of values under a mask for each example, `[batch]`; 0 where the mask is empty."""
    return tf.reduce_sum(mask * values, axis=[1, 2]) / tf.maximum(tf.reduce_sum(mask, axis=[1, 2]), 1.0)
