"""What an encoder is trained to: the cross-entropy of phones, frame by frame."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.losses.terms import Branches, Terms, without_gradient
from ddsp_tf.speech.loss import LabelLoss

_SMOOTHING = 0.1  # of the labels: some are wrong, and ends of phones are not sharp


@keras.saving.register_keras_serializable(package="ddsp_tf")
class PhoneLoss(LabelLoss):
    """Cross-entropy of phones with smoothed labels, over the frames that have one.

    Args:
        name: String, name of the loss.
        reduction: How Keras joins the losses of a batch.

    Takes `y_true`, numbers of phones `[batch, frames]`, below 0 where it is not known, and `y_pred`, logits
    `[batch, frames, phones]`. The term `wrong` is the share of frames that are named wrongly.
    """

    def __init__(self, name: str = "phones", reduction: str = "sum_over_batch_size") -> None:
        super().__init__(name, reduction)

    @property
    def term_names(self) -> tuple[str, ...]:
        """Share of wrong frames."""
        return ("wrong",)

    def value_and_terms(
        self, y_true: Any, y_pred: Any, branches: Branches | None = None
    ) -> tuple[tf.Tensor, Terms]:
        """Return the loss and its terms, `[batch]` each."""
        known = tf.cast(y_true >= 0.0, tf.float32)
        labels = tf.cast(tf.maximum(y_true, 0.0), tf.int32)
        logs = tf.nn.log_softmax(y_pred)
        own = tf.gather(logs, labels, axis=-1, batch_dims=2)
        errors = -(1.0 - _SMOOTHING) * own - _SMOOTHING * tf.reduce_mean(logs, axis=-1)
        wrong = tf.cast(tf.argmax(y_pred, axis=-1, output_type=tf.int32) != labels, tf.float32)
        count = tf.reduce_sum(known, 1) + 1.0
        terms = {"wrong": tf.reduce_sum(wrong * known, 1) / count}
        return tf.reduce_sum(errors * known, 1) / count, without_gradient(terms)
