"""A Keras model whose training shows the terms of its loss and how loud its branches are."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.layers.branches import branch_kinds, branch_signals, sum_of_kind
from ddsp_tf.layers.processor_group import GroupOutput, ProcessorGroup
from ddsp_tf.losses.terms import Branches, TermedLoss

RECORDING = "recording_db"
_SMALLEST_POWER = 1e-12  # -120 dB


class Level(keras.metrics.Mean):
    """Mean of powers, in dB relative to full scale, -120 and up."""

    def result(self) -> tf.Tensor:
        """The level of everything seen."""
        return tf.math.log(super().result() + _SMALLEST_POWER) * (10.0 / math.log(10.0))


class _Observers:
    """Metrics that Keras is not to save with the weights: it would, were they attributes of the model."""

    def __init__(self, loss: Any, own_terms: Sequence[str], group: ProcessorGroup) -> None:
        names = [*(loss.term_names if isinstance(loss, TermedLoss) else ()), *own_terms]
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
    average: Callable[[Sequence[tf.Tensor]], list[tf.Tensor]] | None = None
    """Averages gradients, loss and terms over workers before a step is taken; None where there is one."""
    _observers: _Observers | None = None

    def stream(
        self, features: Mapping[str, tf.Tensor], state: Any = None, training: bool = False
    ) -> tuple[GroupOutput, Any]:
        """Render one block of features; see the sub-class."""
        raise TypeError(f"{type(self).__name__} must render its features (stream)")

    @property
    def own_term_names(self) -> Sequence[str]:
        """Names of the terms that the model itself adds to the loss."""
        return ()

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

    @property
    def term_names(self) -> list[str]:
        """Names of the terms of the loss, none before `compile`; of a loss without terms the model's own."""
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
        self._observers = _Observers(self.loss, self.own_term_names, self.processors)

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
            output, loss, notes = self._observed_loss(x, y, sample_weight, training=True)
            loss = self.optimizer.scale_loss(loss)
        weights = self.trainable_weights
        gradients = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, weights)]
        if self.average is not None:
            joined = self.average([*gradients, *notes.values()])
            gradients, notes = (
                joined[: len(gradients)],
                dict(zip(notes, joined[len(gradients) :], strict=True)),
            )
        self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        self._note(notes, tf.shape(y)[0])
        return dict(self.compute_metrics(x, y, output.audio, sample_weight=sample_weight))

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measure one batch; returns the logs, without the levels."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        output, _, notes = self._observed_loss(x, y, sample_weight, training=False)
        self._note(notes, tf.shape(y)[0])
        logs = self.compute_metrics(x, y, output.audio, sample_weight=sample_weight)
        levels = () if self._observers is None else self._observers.levels
        return {name: value for name, value in logs.items() if name not in levels}

    def _observed_loss(
        self, x: Any, y: tf.Tensor, sample_weight: tf.Tensor | None, training: bool
    ) -> tuple[GroupOutput, tf.Tensor, dict[str, tf.Tensor]]:
        """Everything that is rendered; the loss of this replica; loss, terms and powers, to be noted."""
        x = {name: tf.cast(value, tf.float32) for name, value in x.items()}
        output, own = self.observe(x, tf.cast(y, tf.float32), training)
        replicas = tf.distribute.get_strategy().num_replicas_in_sync  # Keras adds their gradients up
        weights = 1.0 if sample_weight is None else tf.reshape(tf.cast(sample_weight, tf.float32), [-1])
        terms = {name: tf.reduce_mean(term * weights) for name, term in own.items()}
        if isinstance(self.loss, TermedLoss) and self.loss.reduction == "sum_over_batch_size":
            values, of_loss = self.loss.value_and_terms(y, output.audio, self._branches(x, output))
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
        return output, loss, {"loss": loss * replicas, **notes}

    def _branches(self, x: Mapping[str, tf.Tensor], output: GroupOutput) -> Branches:
        harmonic, noise = (sum_of_kind(self.processors, output.signals, kind) for kind in ("tonal", "noise"))
        return Branches(x["f0_hz"], harmonic, noise)

    def _note(self, notes: Mapping[str, tf.Tensor], batch: tf.Tensor) -> None:
        """Add a batch to the metrics."""
        own = {} if self._observers is None else {**self._observers.terms, **self._observers.levels}
        for name, value in notes.items():
            metric = super().metrics[0] if name == "loss" else own.get(name)  # the first is Keras' own
            if metric is not None:
                metric.update_state(value, sample_weight=batch)
