"""What all losses on labels of frames have in common."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.losses.terms import TermedLoss


class LabelLoss(TermedLoss):
    """A loss that compares logits `[batch, frames, classes]` with labels `[batch, frames]`, not sounds."""

    def call(self, y_true: Any, y_pred: Any) -> tf.Tensor:
        """Return the loss of each example, `[batch]`."""
        return self.value_and_terms(y_true, y_pred)[0]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: tf.Tensor | None = None) -> tf.Tensor:
        """Return the loss of a batch, reduced as the constructor was told."""
        return keras.losses.Loss.__call__(self, y_true, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {"name": self.name, "reduction": self.reduction}
