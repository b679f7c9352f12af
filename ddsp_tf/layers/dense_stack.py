"""Dense layers with layer normalisation."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable(package="ddsp_tf")
class DenseStack(keras.layers.Layer):
    """Dense, layer normalisation and leaky ReLU, `layers` times (Engel et al. 2020, appendix B.2).

    It works on the last axis, whatever comes before it: a sequence in training, one frame on a device.

    A single number x > 0, as pitch or loudness is, would begin without any effect: with biases of 0 the first
    layer gives `w x`, and the normalisation takes x out of it again. So for one input channel the first layer
    begins with `w (x - c)`, where w is 1 and -1 in turn and c lies evenly from 0 to 1: every unit bends at a
    place of its own (`docs/decisions/0016-units-bend-at-places-of-their-own.md`).

    Args:
        units: Integer > 0, width of every layer.
        layers: Integer > 0, how many.

    Input: `[..., channels]`. Output: `[..., units]`.
    """

    spread = True
    """Whether stacks of one channel begin as told above; where not, as Keras has it."""

    def __init__(self, units: int, layers: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Not `layers`: Keras takes that for a list of layers.
        self.units, self.n_layers = units, layers
        policy = self.dtype_policy
        self.dense = [keras.layers.Dense(units, dtype=policy, name=f"dense_{i}") for i in range(layers)]
        self.norms = [keras.layers.LayerNormalization(dtype=policy, name=f"norm_{i}") for i in range(layers)]

    def build(self, input_shape: Any) -> None:
        """Create the weights."""
        channels = input_shape[-1]
        if channels == 1 and self.spread:
            slopes = np.where(np.arange(self.units) % 2, -1.0, 1.0)
            places = (np.arange(self.units) + 0.5) / self.units
            self.dense[0].kernel_initializer = keras.initializers.Constant(slopes[np.newaxis])
            self.dense[0].bias_initializer = keras.initializers.Constant(-slopes * places)
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
        return {**super().get_config(), "units": self.units, "layers": self.n_layers}
