"""What training asks of the model of a task: a Keras model that shows the terms of its loss."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.losses.terms import TermedLoss
from ddsp_tf.tasks.registry import DEFAULT_TASK

_SMALLEST_POWER = 1e-12  # -120 dB


class Level(keras.metrics.Mean):
    """Mean of powers, in dB relative to full scale, -120 and up."""

    def result(self) -> tf.Tensor:
        """The level of everything seen."""
        return tf.math.log(super().result() + _SMALLEST_POWER) * (10.0 / math.log(10.0))


class _Observers:
    """Metrics that Keras is not to save with the weights: it would, were they attributes of the model."""

    def __init__(self, terms: Sequence[str], levels: Sequence[str]) -> None:
        self.terms = {name: keras.metrics.Mean(name=name) for name in terms}
        self.levels = {name: Level(name=name) for name in levels}


class TaskModel(keras.Model):
    """A model that `ddsp_tf.training` trains, saves and loads.

    Everything is Keras' own but the training step, which can be shared by several workers: with a
    `TermedLoss` the logs hold the mean of each term beside `loss`; in training they hold the levels that the
    model names.

    Attributes:
        facts: What belongs to the trained model beside its weights, as plain data: under `"config"` the
            configuration, and what its task keeps of the dataset. Sub-classes save it in `get_config`.
        average: Averages gradients, loss and terms over workers before a step is taken; None where there is
            one.
    """

    facts: dict[str, Any]
    optimizer: Any
    average: Callable[[Sequence[tf.Tensor]], list[tf.Tensor]] | None = None
    _observers: _Observers | None = None

    @property
    def task_name(self) -> str:
        """Name of its task, as its configuration has it."""
        return str(self.facts.get("config", {}).get("task", DEFAULT_TASK))

    @property
    def own_term_names(self) -> Sequence[str]:
        """Names of the terms that the model itself adds to the loss."""
        return ()

    @property
    def level_names(self) -> Sequence[str]:
        """Names of the powers among what `observed_loss` notes, which are logged in dB."""
        return ()

    def in_float32(self) -> "TaskModel":
        """The same with a network of float32, to be used and exported; itself if it has one."""
        return self

    @property
    def input_specs(self) -> Any:
        """What the model takes, of any batch and length, as `tf.TensorSpec`s; None leaves it to Keras."""
        return None

    @property
    def input_shapes(self) -> Any:
        """Shapes of `input_specs`, as `build` takes them."""
        return tf.nest.map_structure(lambda spec: tuple(spec.shape), self.input_specs)

    def export(self, filepath: Any, format: str = "tf_saved_model", **kwargs: Any) -> Any:
        """Export the model as a SavedModel of TensorFlow, whose endpoint `serve` takes what a call takes.

        Files for devices are made by `ddsp-tf export` (`ddsp_export`): the network with its states,
        quantized, the synthesizer beside it, and a check of what it plays.

        Args:
            filepath: Where to.
            format: `"tf_saved_model"`.
            **kwargs: Of `keras.Model.export`.

        Raises:
            DdspError: If the format is another.
        """
        if format != "tf_saved_model":
            raise DdspError(
                f"{type(self).__name__}.export writes format='tf_saved_model' only, others hold neither our "
                "compiled loops nor our transforms. For a .tflite train with `ddsp-tf train` and export with "
                f"`ddsp-tf export` (the package ddsp_export). Received: format={format!r}"
            )
        if self.input_specs is not None:
            self.build(self.input_shapes)  # notes for TensorFlow's own signature what it takes
            kwargs.setdefault("input_signature", [self.input_specs])
        return super().export(filepath, format, **kwargs)

    def observed_loss(
        self, x: Any, y: Any, sample_weight: tf.Tensor | None, training: bool
    ) -> tuple[Any, tf.Tensor, dict[str, tf.Tensor]]:
        """Run the model on a batch.

        Args:
            x: The model's input.
            y: The target, or targets.
            sample_weight: `[batch]`, or None.
            training: Boolean, whether the model is being trained.

        Returns:
            What metrics compare with the target; the loss of this replica, whose gradient is taken; and what
            is noted, scalars by name: `loss`, its terms, and powers.
        """
        replicas = tf.distribute.get_strategy().num_replicas_in_sync  # Keras adds their gradients up
        prediction = self(x, training=training)
        if not (isinstance(self.loss, TermedLoss) and self.loss.reduction == "sum_over_batch_size"):
            loss = self.compute_loss(x, y, prediction, sample_weight, training)
            return prediction, loss, {"loss": loss * replicas}
        weights = 1.0 if sample_weight is None else tf.reshape(tf.cast(sample_weight, tf.float32), [-1])
        values, terms = self.loss.value_and_terms(y, prediction)
        loss = (tf.reduce_mean(values * weights) + sum(self.losses)) / replicas
        means = {name: tf.reduce_mean(term * weights) for name, term in terms.items()}
        return prediction, loss, {"loss": loss * replicas, **means}

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
        of_loss = self.loss.term_names if isinstance(self.loss, TermedLoss) else ()
        self._observers = _Observers([*of_loss, *self.own_term_names], self.level_names)

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
            prediction, loss, notes = self.observed_loss(x, y, sample_weight, training=True)
            loss = self.optimizer.scale_loss(loss)
        weights = self.trainable_weights
        # Zero where a weight has no part in the loss: workers average tensors of the same shapes.
        found = tape.gradient(loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        gradients = [tf.convert_to_tensor(gradient) for gradient in found]
        if self.average is not None:
            joined = self.average([*gradients, *notes.values()])
            gradients, notes = (
                joined[: len(gradients)],
                dict(zip(notes, joined[len(gradients) :], strict=True)),
            )
        self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        self._note(notes, _batch_size(y))
        return dict(self.compute_metrics(x, y, prediction, sample_weight=sample_weight))

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measure one batch; returns the logs, without the levels."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        prediction, _, notes = self.observed_loss(x, y, sample_weight, training=False)
        self._note(notes, _batch_size(y))
        logs = self.compute_metrics(x, y, prediction, sample_weight=sample_weight)
        levels = () if self._observers is None else self._observers.levels
        return {name: value for name, value in logs.items() if name not in levels}

    def _note(self, notes: Mapping[str, tf.Tensor], batch: tf.Tensor) -> None:
        """Add a batch to the metrics."""
        own = {} if self._observers is None else {**self._observers.terms, **self._observers.levels}
        for name, value in notes.items():
            metric = super().metrics[0] if name == "loss" else own.get(name)  # the first is Keras' own
            if metric is not None:
                metric.update_state(value, sample_weight=batch)


def _batch_size(target: Any) -> tf.Tensor:
    return tf.shape(tf.nest.flatten(target)[0])[0]
