"""A Keras model whose training shows the terms of its loss and how loud its branches are."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.layers.processor_group import GroupOutput, ProcessorGroup
from ddsp_tf.losses.terms import Branches, TermedLoss
from ddsp_tf.models.branches import branch_kinds, branch_signals, sum_of_kind

RECORDING = "recording_db"
_SMALLEST_POWER = 1e-12  # -120 dB


class Level(keras.metrics.Mean):
    """Root mean square of signals `[batch, samples]`, in dB below full scale, -120 and up."""

    def update_state(self, audio: tf.Tensor, sample_weight: tf.Tensor | None = None) -> None:
        """Add a batch."""
        super().update_state(tf.reduce_mean(tf.square(tf.cast(audio, tf.float32)), axis=-1), sample_weight)

    def result(self) -> tf.Tensor:
        """The level of everything seen."""
        return tf.math.log(super().result() + _SMALLEST_POWER) * (10.0 / math.log(10.0))


class _Observers:
    """Metrics that Keras is not to save with the weights: it would, were they attributes of the model."""

    def __init__(self, loss: Any, group: ProcessorGroup) -> None:
        names = loss.term_names if isinstance(loss, TermedLoss) else ()
        self.terms = {name: keras.metrics.Mean(name=name) for name in names}
        self.levels = {name: Level(name=name) for name in (RECORDING, *map(level_name, branch_kinds(group)))}


def level_name(branch: str) -> str:
    """Under which name the level of a branch is reported."""
    return f"{branch}_db"


class ObservedModel(keras.Model):
    """What `fit` and `evaluate` do with a model that is made of a processor group.

    Everything is Keras' own but the training step, which knows the branches of the group: with a
    `TermedLoss` the logs hold the mean of each term beside `loss`; in training they hold the level of the
    recordings (`recording_db`), of every synth and of the echoes of every room (`harmonic_db`, ...).

    Sub-classes have `processors` and `stream`.
    """

    processors: ProcessorGroup
    optimizer: Any
    _observers: _Observers | None = None

    def stream(
        self, features: Mapping[str, tf.Tensor], state: Any = None, training: bool = False
    ) -> tuple[GroupOutput, Any]:
        """Render one block of features; see the sub-class."""
        raise TypeError(f"{type(self).__name__} must render its features (stream)")

    @property
    def term_names(self) -> list[str]:
        """Names of the terms of the loss; none before `compile`, or with a loss that has no terms."""
        return [] if self._observers is None else list(self._observers.terms)

    @property
    def computes_in_half_precision(self) -> bool:
        """Whether gradients of float16 have to be kept from vanishing."""
        return any(layer.dtype_policy.name == "mixed_float16" for layer in self._flatten_layers())

    def compile(self, optimizer: Any = "rmsprop", *args: Any, **kwargs: Any) -> None:
        """As `keras.Model.compile`; with float16 inside, the optimizer scales the loss."""
        super().compile(optimizer, *args, **kwargs)
        scales = isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer)
        if self.computes_in_half_precision and not scales and kwargs.get("auto_scale_loss", True):
            self.optimizer = keras.optimizers.LossScaleOptimizer(self.optimizer, name="loss_scale_optimizer")
        self._observers = _Observers(self.loss, self.processors)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile a model that was saved compiled."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Those of Keras, then terms and levels."""
        own = self._observers
        return [*super().metrics, *([] if own is None else [*own.terms.values(), *own.levels.values()])]

    def train_step(self, data: Any) -> dict[str, Any]:
        """Do one step; returns the logs."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            output, loss = self._observed_loss(x, y, sample_weight, training=True)
            loss = self.optimizer.scale_loss(loss)
        weights = self.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return dict(self.compute_metrics(x, y, output.audio, sample_weight=sample_weight))

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measure one batch; returns the logs, without the levels."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        output, _ = self._observed_loss(x, y, sample_weight, training=False)
        logs = self.compute_metrics(x, y, output.audio, sample_weight=sample_weight)
        levels = () if self._observers is None else self._observers.levels
        return {name: value for name, value in logs.items() if name not in levels}

    def _observed_loss(
        self, x: Any, y: tf.Tensor, sample_weight: tf.Tensor | None, training: bool
    ) -> tuple[GroupOutput, tf.Tensor]:
        """Everything that is rendered, and the loss of this replica; terms and levels are noted."""
        x = {name: tf.cast(value, tf.float32) for name, value in x.items()}
        output, _ = self.stream(x, training=training)
        replicas = tf.distribute.get_strategy().num_replicas_in_sync  # Keras adds their gradients up
        if isinstance(self.loss, TermedLoss) and self.loss.reduction == "sum_over_batch_size":
            values, terms = self.loss.value_and_terms(y, output.audio, self._branches(x, output))
            weights = None if sample_weight is None else tf.reshape(tf.cast(sample_weight, tf.float32), [-1])
            loss = tf.reduce_mean(values if weights is None else values * weights)
            loss = (loss + sum(self.losses)) / replicas
        else:
            terms, weights = {}, None
            loss = self.compute_loss(x, y, output.audio, sample_weight, training)
        self._note(x, y, output, terms, weights, loss * replicas)
        return output, loss

    def _branches(self, x: Mapping[str, tf.Tensor], output: GroupOutput) -> Branches:
        harmonic, noise = (sum_of_kind(self.processors, output.signals, kind) for kind in ("tonal", "noise"))
        return Branches(x["f0_hz"], harmonic, noise)

    def _note(
        self,
        x: Mapping[str, tf.Tensor],
        y: tf.Tensor,
        output: GroupOutput,
        terms: Mapping[str, tf.Tensor],
        weights: tf.Tensor | None,
        loss: tf.Tensor,
    ) -> None:
        batch = tf.shape(x["f0_hz"])[0]
        super().metrics[0].update_state(loss, sample_weight=batch)  # Keras' own "loss"
        own = self._observers
        if own is None:
            return
        for name, value in terms.items():
            own.terms[name].update_state(value, weights)
        for name, signal in branch_signals(self.processors, output.signals).items():
            own.levels[level_name(name)].update_state(tf.stop_gradient(signal))
        own.levels[RECORDING].update_state(y)
