"""Its model: a few dense layers over a smoothed level."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.training.model import TaskModel

SMOOTHING = 0.1


@keras.saving.register_keras_serializable(package="tests")
class GainModel(TaskModel):
    """Level to gain.

    Args:
        units: Integer, width of the layers.
        facts: The configuration, as plain data.

    Input: `{"level_db": [batch, frames, 1]}`. Output: gain, `[batch, frames, 1]`.
    """

    def __init__(self, units: int, facts: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.facts = units, dict(facts or {})
        self.hidden = [keras.layers.Dense(units, "tanh", name=f"dense_{i}") for i in range(2)]
        self.head = keras.layers.Dense(1, "sigmoid", name="gain")

    def build(self, input_shape: Any) -> None:
        """Create the weights."""
        for layer, size in zip((*self.hidden, self.head), (1, self.units, self.units), strict=True):
            layer.build([None, size])
        self.built = True

    def network(self, level: tf.Tensor) -> tf.Tensor:
        """Gain of scaled and smoothed levels, `[..., 1]`."""
        for layer in self.hidden:
            level = layer(level)
        return self.head(level)

    def call(self, inputs: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Gains of whole sounds."""
        level = tf.transpose(inputs["level_db"] / 20.0 + 1.5, [1, 0, 2])
        smooth = tf.scan(lambda state, x: SMOOTHING * state + (1.0 - SMOOTHING) * x, level, level[0] * 0.0)
        return self.network(tf.transpose(smooth, [1, 0, 2]))

    def step(self, level_scaled: tf.Tensor, smooth: tf.Tensor) -> dict[str, tf.Tensor]:
        """One frame, for export."""
        smooth = SMOOTHING * smooth + (1.0 - SMOOTHING) * level_scaled
        return {"gain": self.network(smooth), "smooth": smooth + 0.0}

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "units": self.units, "facts": self.facts}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Create the weights when a saved model is loaded."""
        self.build(None)
