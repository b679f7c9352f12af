"""Dense layers with layer normalisation."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="ddsp_tf")
class DenseStack(keras.layers.Layer):
    """Dense, layer normalisation and leaky ReLU, `layers` times (Engel et al. 2020, appendix B.2).

    It works on the last axis, whatever comes before it: a sequence in training, one frame on a device.

    Args:
        units: Integer > 0, width of every layer.
        layers: Integer > 0, how many.

    Input: `[..., channels]`. Output: `[..., units]`.
    """

    def __init__(self, units: int, layers: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.layers = units, layers
        policy = self.dtype_policy
        self.dense = [keras.layers.Dense(units, dtype=policy, name=f"dense_{i}") for i in range(layers)]
        self.norms = [keras.layers.LayerNormalization(dtype=policy, name=f"norm_{i}") for i in range(layers)]

    def build(self, input_shape: Any) -> None:
        """Create the weights."""
        channels = input_shape[-1]
        for dense, norm in zip(self.dense, self.norms, strict=True):
            dense.build((None, channels))
            norm.build((None, self.units))
            channels = self.units
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Apply the layers."""
        for dense, norm in zip(self.dense, self.norms, strict=True):
            inputs = tf.nn.leaky_relu(norm(dense(inputs)), alpha=0.2)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Shape of the output."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "units": self.units, "layers": self.layers}
