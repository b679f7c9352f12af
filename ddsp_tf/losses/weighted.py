"""The loss of an instrument: several losses under weights."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.losses.terms import Branches, TermedLoss, Terms, checked_weight


@keras.saving.register_keras_serializable(package="ddsp_tf")
class WeightedLosses(TermedLoss):
    """A weighted sum of losses whose terms are those of all of them.

    Args:
        losses: Losses, all `TermedLoss`.
        weights: Float >= 0 for each.
        name: String, name of the loss.
        reduction: How Keras joins the losses of a batch.

    Raises:
        DdspError: If the numbers of losses and weights differ, or two terms have one name.

    Example:
        >>> from ddsp_tf.losses import LoudnessLoss, MultiScaleSpectralLoss
        >>> loss = WeightedLosses([MultiScaleSpectralLoss(), LoudnessLoss(16000, 128)], [1.0, 0.1])
        >>> loss.term_names
        ('magnitude', 'log_magnitude', 'loudness')

    Input: `y_true` and `y_pred`, both `[batch, samples]`. Output: `[batch]`, before the reduction.
    """

    def __init__(
        self,
        losses: Sequence[TermedLoss],
        weights: Sequence[float],
        name: str = "weighted_losses",
        reduction: str = "sum_over_batch_size",
    ) -> None:
        super().__init__(name, reduction)
        self.losses = list(losses)
        self.weights = [checked_weight("weights", weight) for weight in weights]
        names = self.term_names
        if not self.losses or len(self.losses) != len(self.weights) or len(set(names)) < len(names):
            raise DdspError(
                "WeightedLosses takes one weight for each loss, and terms of different names. "
                f"Received: {len(self.losses)} losses, {len(self.weights)} weights, terms {', '.join(names)}"
            )

    @property
    def term_names(self) -> tuple[str, ...]:
        """Those of all losses."""
        return tuple(name for loss in self.losses for name in loss.term_names)

    def value_and_terms(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, branches: Branches | None = None
    ) -> tuple[tf.Tensor, Terms]:
        """Return the loss of each example, `[batch]`, and its terms."""
        values, terms = [], {}
        for loss, weight in zip(self.losses, self.weights, strict=True):
            value, own = loss.value_and_terms(y_true, y_pred, branches)
            values.append(weight * value)
            terms.update({name: weight * term for name, term in own.items()})
        return tf.add_n(values), terms

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return {
            "losses": [keras.saving.serialize_keras_object(loss) for loss in self.losses],
            "weights": self.weights,
            "name": self.name,
            "reduction": self.reduction,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WeightedLosses":
        """Rebuild the loss from `get_config`."""
        losses = [keras.saving.deserialize_keras_object(loss) for loss in config["losses"]]
        return cls(**{**config, "losses": losses})
