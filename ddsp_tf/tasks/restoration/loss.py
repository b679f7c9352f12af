"""The loss of a restoration: compressed spectra, and the level of the error."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.losses.terms import (
    Branches,
    TermedLoss,
    Terms,
    checked_sounds,
    checked_weight,
    plain_config,
    total,
    without_gradient,
)
from ddsp_tf.ops.transforms import stft
from ddsp_tf.tasks.restoration.model.band_loss import compressed_terms, level_db


@keras.saving.register_keras_serializable(package="ddsp_tf")
class RestorationLoss(TermedLoss):
    """Distance of compressed spectra of several sizes, what is missing of them, and the level of the error.

    The level of the error, `10 log10(|s - y|^2 / |s|^2)`, is what keeps a network in doubt from giving too
    little: with compressed spectra alone clean sound loses an eighth of its magnitude. To lessen it is to
    raise the signal-to-distortion ratio (J. Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019).

    Everything is relative to the level of the input, so loud and soft examples weigh the same.

    Args:
        fft_sizes: Integers, windows in samples, with 75 % overlap.
        compressed_weight: Float >= 0, of the distance of compressed spectra.
        under_weight: Float >= 0, of what is missing in the estimate.
        ratio_weight: Float >= 0, of the level of the error, a dB.
        name: String, name of the loss.
        reduction: How Keras joins the losses of a batch.

    Input: `y_true` and `y_pred`, both `[batch, samples]`. Output: `[batch]`, before the reduction.
    """

    def __init__(
        self,
        fft_sizes: Sequence[int] = (256, 512, 1024),
        compressed_weight: float = 10.0,
        under_weight: float = 2.0,
        ratio_weight: float = 0.04,
        name: str = "restoration_loss",
        reduction: str = "sum_over_batch_size",
    ) -> None:
        super().__init__(name, reduction)
        self.fft_sizes = list(fft_sizes)
        self.compressed_weight = checked_weight("compressed_weight", compressed_weight)
        self.under_weight = checked_weight("under_weight", under_weight)
        self.ratio_weight = checked_weight("ratio_weight", ratio_weight)

    @property
    def term_names(self) -> tuple[str, ...]:
        """Distance of compressed spectra, what is missing, and the level of the error."""
        return ("compressed", "missing", "error_level")

    def value_and_terms(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, branches: Branches | None = None
    ) -> tuple[tf.Tensor, Terms]:
        """Return the loss of each example, `[batch]`, and its terms; of an input that is not known."""
        target, estimate = checked_sounds(y_true, y_pred, self.name)
        parts = tf.square(target) + tf.square(target - estimate)
        return self.of_sound(target, estimate, tf.stop_gradient(tf.reduce_mean(parts, axis=1)))

    def of_sound(self, target: tf.Tensor, estimate: tf.Tensor, power: tf.Tensor) -> tuple[tf.Tensor, Terms]:
        """Return the loss of each example and its terms, relative to the power of what came in.

        Args:
            target: `[batch, samples]`.
            estimate: `[batch, samples]`.
            power: `[batch]`, mean square of the input.
        """
        distances, missing = [], []
        for size in self.fft_sizes:
            wanted, given = stft(target, size, size // 4), stft(estimate, size, size // 4)
            # The squares of a window sum to size / 2: powers of bins re that of the input.
            unit = 2.0 / (size * (power[:, tf.newaxis, tf.newaxis] + 1e-12))
            product = tf.math.real(wanted * tf.math.conj(given)) * unit
            terms = compressed_terms(_power(given) * unit, _power(wanted) * unit, product, [1, 2])
            distances.append(terms[0])
            missing.append(terms[1])
        error = tf.reduce_mean(tf.square(target - estimate), axis=1)
        level = level_db(error, tf.reduce_mean(tf.square(target), axis=1), power)
        count = float(len(self.fft_sizes))
        return self._weighted(tf.add_n(distances) / count, tf.add_n(missing) / count, level)

    def of_bands(
        self, gains: tf.Tensor, power: tf.Tensor, target: tf.Tensor, product: tf.Tensor
    ) -> tuple[tf.Tensor, Terms]:
        """The same reckoned from one size of window, in bands: what gains would make of a mixture.

        Args:
            gains: `[batch, frames, bands]`.
            power: Mean powers of the mixture in bands, the same shape.
            target: Those of the target.
            product: Those of the product of both.
        """
        scale = tf.reduce_mean(power, [1, 2], keepdims=True) + 1e-12
        power, target, product = power / scale, target / scale, product / scale
        given, crossed = gains * gains * power, gains * product
        distance, missing = compressed_terms(given, target, crossed, [1, 2])
        error = tf.nn.relu(tf.reduce_mean(target - 2.0 * crossed + given, [1, 2]))
        level = level_db(error, tf.reduce_mean(target, [1, 2]), tf.reduce_mean(power, [1, 2]))
        return self._weighted(distance, missing, level)

    def _weighted(
        self, distance: tf.Tensor, missing: tf.Tensor, error_db: tf.Tensor
    ) -> tuple[tf.Tensor, Terms]:
        values = (
            self.compressed_weight * distance,
            self.under_weight * missing,
            self.ratio_weight * error_db,
        )
        terms = dict(zip(self.term_names, values, strict=True))
        return total(terms), without_gradient(terms)

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        names = ("fft_sizes", "compressed_weight", "under_weight", "ratio_weight")
        return plain_config(self, *names)


def _power(spectra: tf.Tensor) -> tf.Tensor:
    return tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))
