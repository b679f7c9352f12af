"""The multi-scale spectral distance as a metric."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.losses.spectral import FFT_SIZES, MultiScaleSpectralLoss
from ddsp_tf.losses.terms import checked_example_weights, checked_sounds


@keras.saving.register_keras_serializable(package="ddsp_tf")
class MultiScaleSpectralDistance(keras.metrics.Mean):
    """Mean of `MultiScaleSpectralLoss`, both weights 1, over all examples seen.

    Whatever weights a model is trained with, this figure can be compared between models.

    Args:
        fft_sizes: Integers, as in `MultiScaleSpectralLoss`.
        name: String, name of the metric.
        dtype: Of the sums.

    Input: `y_true` and `y_pred`, both `[batch, samples]`; `sample_weight` `[batch]`.
    """

    def __init__(
        self,
        fft_sizes: Sequence[int] = FFT_SIZES,
        name: str = "multi_scale_spectral_distance",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._distance = MultiScaleSpectralLoss(fft_sizes)

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> None:
        """Add a batch.

        Raises:
            DdspError: If the sounds are not as above, or of different shapes.
        """
        target, prediction = checked_sounds(y_true, y_pred, self.name)
        if sample_weight is not None:
            sample_weight = checked_example_weights(sample_weight, target, self.name)
        terms = self._distance.terms(target, prediction)
        super().update_state(tf.add_n(list(terms.values())), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return {**super().get_config(), "fft_sizes": list(self._distance.fft_sizes)}
