"""A causal convolution with gaps, depth by depth and then point by point, that runs frame by frame too."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="ddsp_tf")
class DilatedConv(keras.layers.Layer):
    """A depthwise-separable causal convolution over frames, rectified, with a shortcut around it.

        y[t] = x[t] + relu(P sum_k d[k] x[t - (kernel - 1 - k) dilation] + b)

    References: F. Chollet, "Xception", CVPR 2017; S. Bai et al., "An Empirical Evaluation of Generic
    Convolutional and Recurrent Networks for Sequence Modeling", 2018.

    Args:
        kernel: Integer > 0, frames that it looks at.
        dilation: Integer > 0, frames from one of them to the next.
        **kwargs: Of `keras.layers.Layer`.

    Input: `[batch, frames, channels]`. Output: the same.
    """

    def __init__(self, kernel: int, dilation: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kernel, self.dilation = kernel, dilation

    @property
    def reach(self) -> int:
        """Frames before its own that it looks back."""
        return (self.kernel - 1) * self.dilation

    def build(self, input_shape: Any) -> None:
        """Create the weights."""
        channels = int(input_shape[-1])
        scale = keras.initializers.RandomNormal(stddev=self.kernel**-0.5)
        self.depth = self.add_weight(name="depth", shape=(self.kernel, channels), initializer=scale)
        self.point = self.add_weight(name="point", shape=(channels, channels), initializer="he_normal")
        self.bias = self.add_weight(name="bias", shape=(channels,), initializer="zeros")
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Frames that begin after silence."""
        padded = tf.pad(inputs, [[0, 0], [self.reach, 0], [0, 0]])
        frames = tf.shape(inputs)[1]
        depth = tf.unstack(tf.convert_to_tensor(self.depth))
        parts = [padded[:, k * self.dilation : k * self.dilation + frames] * d for k, d in enumerate(depth)]
        mixed = tf.matmul(tf.add_n(parts), tf.convert_to_tensor(self.point)) + self.bias
        return inputs + tf.nn.relu(mixed)

    def step(self, frame: tf.Tensor, before: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """One frame `[1, channels]`, with the `reach` frames before it `[reach, channels]`; and the next."""
        joined = tf.concat([before, frame], 0)
        depth = tf.convert_to_tensor(self.depth)
        parts = [joined[k * self.dilation : k * self.dilation + 1] * depth[k] for k in range(self.kernel)]
        mixed = parts[0]
        for part in parts[1:]:
            mixed = mixed + part
        out = frame + tf.nn.relu(tf.matmul(mixed, tf.convert_to_tensor(self.point)) + self.bias)
        return out, joined[1:]

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "kernel": self.kernel, "dilation": self.dilation}
