"""Losses that are sums of terms, each of which can be seen."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.arguments import check_number
from ddsp_tf.ops.arguments import Arguments

Terms = dict[str, tf.Tensor]


@dataclass(frozen=True)
class Branches:
    """What a model knows of a sound beside its samples.

    Args:
        f0_hz: `[batch, frames, 1]`, the fundamental frequency that was played.
        harmonic: `[batch, samples]`, the sum of the tonal synths; None if there is none.
        noise: `[batch, samples]`, the sum of the noise synths; None if there is none.
    """

    f0_hz: tf.Tensor
    harmonic: tf.Tensor | None
    noise: tf.Tensor | None


class TermedLoss(keras.losses.Loss):
    """A loss that is a sum of named terms, already weighted, for each example of a batch.

    Sub-classes give `term_names` and `value_and_terms`. Everything is computed in float32, whatever the
    dtype of the model.

    Args:
        name: String, name of the loss.
        reduction: How Keras joins the losses of a batch.
    """

    def __init__(self, name: str, reduction: str = "sum_over_batch_size") -> None:
        super().__init__(name=name, reduction=reduction, dtype="float32")

    @property
    def term_names(self) -> tuple[str, ...]:
        """Names of the terms of `value_and_terms`, in their order."""
        raise TypeError(f"{type(self).__name__} must name its terms (term_names)")

    def value_and_terms(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, branches: Branches | None = None
    ) -> tuple[tf.Tensor, Terms]:
        """Return the loss and its terms, `[batch]` each; only the loss has a gradient.

        Args:
            y_true: The recording, `[batch, samples]`.
            y_pred: The rendering, `[batch, samples]`.
            branches: Its parts, if they are known; terms that need them are left out without.
        """
        raise TypeError(f"{type(self).__name__} must compute its terms (value_and_terms)")

    def __call__(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Return the loss of a batch, reduced as the constructor was told.

        Raises:
            DdspError: If the sounds are not `[batch, samples]`, or `sample_weight` not one number an example.
        """
        target, prediction = checked_sounds(y_true, y_pred, self.name)
        if sample_weight is not None:
            sample_weight = checked_example_weights(sample_weight, target, self.name)
        return super().__call__(target, prediction, sample_weight)

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Return the loss of each example, `[batch]`."""
        return self.value_and_terms(y_true, y_pred)[0]


class SingleTermLoss(TermedLoss):
    """A loss of one term, which has its name. Sub-classes give `distance`."""

    @property
    def term_names(self) -> tuple[str, ...]:
        """One term, named as the loss."""
        return (self.name,)

    def distance(self, target: tf.Tensor, prediction: tf.Tensor, branches: Branches | None) -> tf.Tensor:
        """Return the loss of each example, `[batch]`, of float32 sounds `[batch, samples]`."""
        raise TypeError(f"{type(self).__name__} must compute its distance (distance)")

    def value_and_terms(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, branches: Branches | None = None
    ) -> tuple[tf.Tensor, Terms]:
        """Return the loss of each example, `[batch]`, and the same as its term."""
        loss = self.distance(*checked_sounds(y_true, y_pred, self.name), branches)
        return loss, without_gradient({self.name: loss})


def checked_sounds(
    y_true: tf.Tensor, y_pred: tf.Tensor, owner: str = "a loss"
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return both as float32 `[batch, samples]`.

    Args:
        y_true: A tensor, an array or lists of numbers.
        y_pred: The same.
        owner: Who asks, for the error.

    Raises:
        DdspError: If they are not that, or have different shapes.
    """
    take = Arguments(owner, tf.float32)
    return take("y_true", y_true, "batch", "samples"), take("y_pred", y_pred, "batch", "samples")


def checked_example_weights(sample_weight: tf.Tensor, values: tf.Tensor, owner: str) -> tf.Tensor:
    """Return weights of examples as float32 `[batch]`; `[batch, 1]` is taken too.

    Args:
        sample_weight: A tensor, an array or a list of numbers.
        values: What is weighed, `[batch, ...]`.
        owner: Who asks, for the error.

    Raises:
        DdspError: If there is not one weight for each example.
    """
    take = Arguments(owner, tf.float32)
    take.check_shape("y_true", values.shape[:1], ["batch"])
    weights = take("sample_weight", sample_weight)
    if weights.shape.rank == 2:
        weights = take("sample_weight", weights, "batch", 1)[:, 0]
    return take("sample_weight", weights, "batch")


def checked_weight(name: str, value: float) -> float:
    """Return a number that is finite and not negative.

    Raises:
        DdspError: If it is not.
    """
    return check_number("a loss", name, value, 0.0, math.inf)


def total(terms: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """The sum of terms, `[batch]`."""
    return tf.add_n(list(terms.values()))


def without_gradient(terms: Mapping[str, tf.Tensor]) -> Terms:
    """The same terms, to be looked at."""
    return {name: tf.stop_gradient(value) for name, value in terms.items()}


def plain_config(loss: keras.losses.Loss, *names: str) -> dict[str, Any]:
    """Name, reduction and attributes of a loss: its constructor's arguments."""
    return {**{name: getattr(loss, name) for name in names}, "name": loss.name, "reduction": loss.reduction}
