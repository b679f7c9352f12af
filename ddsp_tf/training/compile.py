"""The optimizer of a configuration."""

from typing import Any

import keras

from ddsp_tf.config.sections import TrainingConfig
from ddsp_tf.training.model import TaskModel


def compile_with(model: TaskModel, loss: Any, settings: TrainingConfig, metrics: Any = None) -> None:
    """Compile a model with Adam, whose learning rate falls along a cosine; optimizer state is kept.

    Args:
        model: The model.
        loss: What Keras takes as a loss.
        settings: How the model is fitted.
        metrics: What Keras takes as metrics, or None.
    """
    before = getattr(model, "optimizer", None)
    values = [v.numpy() for v in before.variables] if before is not None else []
    schedule = keras.optimizers.schedules.CosineDecay(settings.learning_rate, settings.steps, alpha=0.1)
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=settings.gradient_norm)
    model.compile(optimizer=optimizer, loss=loss, metrics=metrics)
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)  # within the first step, TensorFlow would trace it twice
    if values:
        for variable, value in zip(optimizer.variables, values, strict=True):
            variable.assign(value)
