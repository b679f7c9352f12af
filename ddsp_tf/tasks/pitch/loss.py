"""What a tracker is trained to: the cross-entropy of pitches."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ddsp_edge.features.repetition import PER_OCTAVE, pitches_hz
from ddsp_tf.losses.terms import Branches, Terms, without_gradient
from ddsp_tf.speech.loss import LabelLoss

_WIDTH = 1.0  # of a label, pitches of the grid: it says how near the next ones are
_FAR = PER_OCTAVE / 24.0  # a quarter tone


@keras.saving.register_keras_serializable(package="ddsp_tf")
class PitchLoss(LabelLoss):
    """Cross-entropy of pitches whose labels are Gaussians on the grid, and of no pitch.

    Reference: J. W. Kim, J. Salamon, P. Li, J. P. Bello, "CREPE: A Convolutional Representation for Pitch
    Estimation", ICASSP 2018, for labels that are as wide as that.

    Args:
        f0_min_hz: Lowest pitch of the grid, Hz.
        f0_max_hz: Highest, Hz.
        name: String, name of the loss.
        reduction: How Keras joins the losses of a batch.

    Takes `y_true`, Hz `[batch, frames]`, 0 where there is no pitch and below 0 where it is not known, and
    `y_pred`, logits `[batch, frames, pitches + 1]`. The terms are shares of frames, to whose number one is
    added, as there may be none: `voicing` of those that are wrongly called voiced or not, and `pitch` of
    those that have one whose likeliest pitch is more than a quarter tone off.
    """

    def __init__(
        self,
        f0_min_hz: float,
        f0_max_hz: float,
        name: str = "pitches",
        reduction: str = "sum_over_batch_size",
    ) -> None:
        super().__init__(name, reduction)
        self.f0_min_hz, self.f0_max_hz = f0_min_hz, f0_max_hz
        self._count = len(pitches_hz(f0_min_hz, f0_max_hz))

    @property
    def term_names(self) -> tuple[str, ...]:
        """Shares of frames."""
        return ("voicing", "pitch")

    def value_and_terms(
        self, y_true: Any, y_pred: Any, branches: Branches | None = None
    ) -> tuple[tf.Tensor, Terms]:
        """Return the loss and its terms, `[batch]` each."""
        known, voiced = tf.cast(y_true >= 0.0, tf.float32), tf.cast(y_true > 0.0, tf.float32)
        octaves = tf.math.log(tf.maximum(y_true, self.f0_min_hz) / self.f0_min_hz) / float(np.log(2.0))
        place = octaves[..., tf.newaxis] * PER_OCTAVE
        off = tf.range(self._count, dtype=tf.float32) - place
        label = tf.exp(-0.5 * tf.square(off / _WIDTH))
        label = label / tf.reduce_sum(label, axis=-1, keepdims=True) * voiced[..., tf.newaxis]
        logs = tf.nn.log_softmax(y_pred)
        errors = -tf.reduce_sum(label * logs[..., :-1], axis=-1) - (1.0 - voiced) * logs[..., -1]
        unvoiced = tf.exp(logs[..., -1]) > 0.5
        wrong = tf.cast(tf.equal(unvoiced, y_true > 0.0), tf.float32)
        likeliest = tf.cast(tf.argmax(y_pred[..., :-1], axis=-1), tf.float32)
        far = tf.cast(tf.abs(likeliest - place[..., 0]) > _FAR, tf.float32)

        def share(values: tf.Tensor, of: tf.Tensor) -> tf.Tensor:
            return tf.reduce_sum(values * of, 1) / (tf.reduce_sum(of, 1) + 1.0)

        terms = {"voicing": share(wrong, known), "pitch": share(far, voiced)}
        return share(errors, known), without_gradient(terms)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "f0_min_hz": self.f0_min_hz, "f0_max_hz": self.f0_max_hz}
