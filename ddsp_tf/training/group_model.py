"""A Keras model made of a processor group, whose training shows how loud its branches are."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from ddsp_tf.layers.branches import branch_kinds, branch_signals
from ddsp_tf.layers.processor_group import GroupOutput, ProcessorGroup
from ddsp_tf.losses.terms import Branches, TermedLoss
from ddsp_tf.training.model import TaskModel

RECORDING = "recording_db"


def level_name(branch: str) -> str:
    """Under which name the level of a branch is reported."""
    return f"{branch}_db"


class GroupModel(TaskModel):
    """What `fit` and `evaluate` do with a model that is made of a processor group.

    In training the logs hold, beside the terms of the loss, the level of the recordings (`recording_db`), of
    every synth and of the echoes of every room (`harmonic_db`, ...).

    Sub-classes have `processors` and `stream`.
    """

    processors: ProcessorGroup

    def stream(
        self, features: Mapping[str, tf.Tensor], state: Any = None, training: bool = False
    ) -> tuple[GroupOutput, Any]:
        """Render one block of features; see the sub-class."""
        raise TypeError(f"{type(self).__name__} must render its features (stream)")

    def named_features(self, features: Any) -> dict[str, tf.Tensor]:
        """Features as float32 tensors by name, as `stream` takes them."""
        return {name: tf.cast(value, tf.float32) for name, value in features.items()}

    def observe(
        self, features: Mapping[str, tf.Tensor], target: tf.Tensor, training: bool
    ) -> tuple[GroupOutput, dict[str, tf.Tensor]]:
        """Render a batch.

        Args:
            features: The model's input.
            target: The recordings, `[batch, samples]`.
            training: Boolean, whether the model is being trained.

        Returns:
            Everything that was rendered, and the model's own terms of the loss, `[batch]`, already weighted.
        """
        return self.stream(features, training=training)[0], {}

    def branches(self, features: Mapping[str, tf.Tensor], output: GroupOutput) -> Branches | None:
        """What losses may know of a rendering beside its samples; None for nothing."""
        return None

    @property
    def level_names(self) -> Sequence[str]:
        """The recordings, and every branch of the group."""
        return (RECORDING, *map(level_name, branch_kinds(self.processors)))

    def observed_loss(
        self, x: Any, y: tf.Tensor, sample_weight: tf.Tensor | None, training: bool
    ) -> tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
        """The sound; the loss of this replica; loss, terms and powers, to be noted."""
        x = self.named_features(x)
        output, own = self.observe(x, tf.cast(y, tf.float32), training)
        replicas = tf.distribute.get_strategy().num_replicas_in_sync  # Keras adds their gradients up
        weights = 1.0 if sample_weight is None else tf.reshape(tf.cast(sample_weight, tf.float32), [-1])
        terms = {name: tf.reduce_mean(term * weights) for name, term in own.items()}
        if isinstance(self.loss, TermedLoss) and self.loss.reduction == "sum_over_batch_size":
            values, of_loss = self.loss.value_and_terms(y, output.audio, self.branches(x, output))
            loss = (tf.reduce_mean(values * weights) + sum(self.losses)) / replicas
            of_loss_means = {name: tf.reduce_mean(term * weights) for name, term in of_loss.items()}
        else:
            loss = self.compute_loss(x, y, output.audio, sample_weight, training)
            of_loss_means = {}
        if terms:
            loss += tf.add_n(list(terms.values())) / replicas
        notes = {**of_loss_means, **terms}
        sounds = {level_name(k): v for k, v in branch_signals(self.processors, output.signals).items()}
        for name, sound in {**sounds, RECORDING: tf.cast(y, tf.float32)}.items():
            notes[name] = tf.reduce_mean(tf.square(tf.stop_gradient(sound)))
        return output.audio, loss, {"loss": loss * replicas, **notes}
