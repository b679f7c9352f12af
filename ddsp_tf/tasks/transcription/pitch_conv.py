"""A convolution over time and pitch that can be run frame by frame."""

from typing import Any

import keras
import tensorflow as tf

_MOMENTUM, _EPSILON = 0.97, 1e-3  # of the normalisation over the batch


@keras.saving.register_keras_serializable(package="ddsp_tf")
class PitchConv(keras.layers.Layer):
    """Convolution over the frames so far and neighbouring pitches, normalised over the batch, rectified.

    In time it is causal; over pitch it is centred, with silence beyond the ends. With `spread=12` its
    neighbours in pitch are octaves. `call` takes whole rolls; `step` takes the last frames alone, and is one
    product of matrices.

    Args:
        channels: Integer, channels that come out.
        frames: Integer, frames that it looks at: its own and those before.
        pitches: Integer, odd, pitches that it looks at.
        spread: Integer, semitones from one of them to the next: 1, or with one frame 12.
        activation: Whether it is normalised and rectified; else it is a plain affine map.
        **kwargs: Of `keras.layers.Layer`.

    Input: `[batch, frames, pitches, channels]`. Output: the same with `channels`.
    """

    def __init__(
        self,
        channels: int,
        frames: int = 1,
        pitches: int = 1,
        spread: int = 1,
        activation: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.channels, self.frames, self.pitches = channels, frames, pitches
        self.spread, self.activation = spread, activation

    def build(self, input_shape: Any) -> None:
        """Create the weights."""
        shape = (self.frames, self.pitches, int(input_shape[-1]), self.channels)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="he_normal")
        self.bias = self.add_weight(name="bias", shape=(self.channels,), initializer="zeros")
        if self.activation:
            size = (self.channels,)
            self.gain = self.add_weight(name="gain", shape=size, initializer="ones")
            self.mean = self.add_weight(name="mean", shape=size, initializer="zeros", trainable=False)
            self.variance = self.add_weight(name="variance", shape=size, initializer="ones", trainable=False)
        self.built = True

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Whole rolls."""
        reach = self.pitches // 2
        if self.spread == 1:
            padded = tf.pad(inputs, [[0, 0], [self.frames - 1, 0], [reach, reach], [0, 0]])
            out = tf.nn.conv2d(padded, self.kernel, 1, "VALID")
        else:
            size = tf.shape(inputs)
            folded = [size[0] * size[1], -1, self.spread, inputs.shape[-1]]
            padded = tf.pad(tf.reshape(inputs, folded), [[0, 0], [reach, reach], [0, 0], [0, 0]])
            out = tf.nn.conv2d(padded, tf.transpose(self.kernel, [1, 0, 2, 3]), 1, "VALID")
            out = tf.reshape(out, [size[0], size[1], inputs.shape[2], self.channels])
        return tf.nn.relu(self._normalised(out, training)) if self.activation else out + self.bias

    def _normalised(self, x: tf.Tensor, training: bool) -> tf.Tensor:
        """Normalise as `keras.layers.BatchNormalization` does, in one operator: a third of its time."""
        gain, bias = tf.convert_to_tensor(self.gain), tf.convert_to_tensor(self.bias)
        if not training:
            scale = gain * tf.math.rsqrt(tf.convert_to_tensor(self.variance) + _EPSILON)
            return x * scale + (bias - tf.convert_to_tensor(self.mean) * scale)
        out, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x, scale=gain, offset=bias, mean=[], variance=[], epsilon=_EPSILON, is_training=True
        )
        for kept, now in ((self.mean, mean), (self.variance, variance)):
            kept.assign(_MOMENTUM * kept + (1.0 - _MOMENTUM) * tf.stop_gradient(now))
        return out

    def step(self, window: tf.Tensor) -> tf.Tensor:
        """The last `frames` frames `[frames, pitches, channels]` to a frame `[pitches, channels]`."""
        n_pitches, n_channels = window.shape[1], window.shape[2]
        reach = self.pitches // 2 * self.spread
        if reach:
            silence = tf.zeros([self.frames, reach, n_channels])
            window = tf.concat([silence, window, silence], 1)
        parts = [
            window[t, p * self.spread : p * self.spread + n_pitches]
            for t in range(self.frames)
            for p in range(self.pitches)
        ]
        kernel, bias = tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias)
        if self.activation:
            scale = tf.convert_to_tensor(self.gain) * tf.math.rsqrt(
                tf.convert_to_tensor(self.variance) + _EPSILON
            )
            kernel = kernel * scale
            bias = bias - tf.convert_to_tensor(self.mean) * scale
        matrix = tf.reshape(kernel, [-1, self.channels])
        out = tf.matmul(tf.concat(parts, -1) if len(parts) > 1 else parts[0], matrix) + bias
        return tf.nn.relu(out) if self.activation else out

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "channels": self.channels,
            "frames": self.frames,
            "pitches": self.pitches,
            "spread": self.spread,
            "activation": self.activation,
        }
