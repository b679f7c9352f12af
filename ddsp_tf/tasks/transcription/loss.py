"""What a transcriber is trained to: cross-entropies of onsets, of what sounds and of ends; velocities."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_edge.transcription.decode import OFFSET, ONSET, SOUNDING, VELOCITY
from ddsp_tf.losses.terms import Branches, TermedLoss, Terms, total, without_gradient

_WEIGHTS = {"onset": 40.0, "sounding": 10.0, "offset": 8.0, "velocity": 2.0}
_RARE = 4.0  # of frames with an onset, beside the many without
_HELD = 2.0  # of frames with a note


@keras.saving.register_keras_serializable(package="ddsp_tf")
class NoteLoss(TermedLoss):
    """Loss of piano rolls.

    Onsets and ends are rare, and most of their frames soon easy: errors count more the larger they are (focal
    loss with exponent 1/2; Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017). What is unknown
    in the target, below 0, does not count.

    Args:
        name: String, name of the loss.
        reduction: How Keras joins the losses of a batch.

    Takes `y_true`, rolls, and `y_pred`, logits, `[batch, frames, pitches, 4]` both, under `roll`.
    """

    def __init__(self, name: str = "notes", reduction: str = "sum_over_batch_size") -> None:
        super().__init__(name, reduction)

    @property
    def term_names(self) -> tuple[str, ...]:
        """Onset, sounding, offset, velocity."""
        return tuple(_WEIGHTS)

    def value_and_terms(
        self, y_true: Any, y_pred: Any, branches: Branches | None = None
    ) -> tuple[tf.Tensor, Terms]:
        """Return the loss and its terms, `[batch]` each."""
        terms = _roll_terms(y_true["roll"], y_pred["roll"])
        return total(terms), without_gradient(terms)

    def call(self, y_true: Any, y_pred: Any) -> tf.Tensor:
        """Return the loss of each example, `[batch]`."""
        return self.value_and_terms(y_true, y_pred)[0]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: tf.Tensor | None = None) -> tf.Tensor:
        """Return the loss of a batch, reduced as the constructor was told."""
        return keras.losses.Loss.__call__(self, y_true, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {"name": self.name, "reduction": self.reduction}


def _roll_terms(y_true: tf.Tensor, y_pred: tf.Tensor) -> Terms:
    known = tf.cast(y_true >= 0.0, tf.float32)
    target = tf.maximum(y_true, 0.0)
    errors = tf.nn.sigmoid_cross_entropy_with_logits(target, y_pred)
    far = tf.sqrt(tf.abs(target - tf.stop_gradient(tf.sigmoid(y_pred))) + 1e-6)
    found = {}
    for name, channel in (("onset", ONSET), ("offset", OFFSET)):
        rare = tf.where(target[..., channel] > 0.5, _RARE, 1.0)
        found[name] = errors[..., channel] * far[..., channel] * rare
    held = tf.where(target[..., SOUNDING] > 0.5, _HELD, 1.0)
    found["sounding"] = errors[..., SOUNDING] * held
    terms = {
        name: _WEIGHTS[name] * _mean(found[name], known[..., channel])
        for name, channel in (("onset", ONSET), ("sounding", SOUNDING), ("offset", OFFSET))
    }
    squared = tf.square(tf.sigmoid(y_pred[..., VELOCITY]) - target[..., VELOCITY])
    terms["velocity"] = _WEIGHTS["velocity"] * _mean(squared, known[..., VELOCITY])
    return terms


def _mean(values: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """Mean over frames and pitches that are known, `[batch]`."""
    return tf.reduce_sum(values * known, [1, 2]) / (tf.reduce_sum(known, [1, 2]) + 1.0)
