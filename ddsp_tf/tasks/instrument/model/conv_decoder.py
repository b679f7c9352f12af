"""A decoder that looks back over a fixed number of frames."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.tasks.instrument.model.decoder import Decoder, Tensors

KERNEL_SIZE = 3


@keras.saving.register_keras_serializable(package="ddsp_tf")
class ConvDecoder(Decoder):
    """A decoder whose memory is a stack of causal dilated convolutions.

    Each of `depth` residual layers joins the frame itself and those `d` and `2 d` frames before it, with
    `d = 1, 2, 4, ...`: together they hear `2 (2 ** depth - 1)` frames back. On a device the earlier frames
    of every layer are its state.

    Reference: A. van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016, section 2.1.

    Arguments, input and output are those of `Decoder`.

    Example:
        >>> ConvDecoder({"amplitude": 1}, units=16, depth=3).state_sizes
        {'past_0': 32, 'past_1': 64, 'past_2': 128}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        policy = self.dtype_policy
        self.entry = keras.layers.Dense(self.units, name="entry", dtype=policy)
        self.mixes = [
            keras.layers.Dense(self.units, name=f"mix_{i}", dtype=policy) for i in range(self.depth)
        ]
        self.norms = [
            keras.layers.LayerNormalization(name=f"norm_{i}", dtype=policy) for i in range(self.depth)
        ]

    @property
    def state_sizes(self) -> dict[str, int]:
        """Frames that a layer looks back, times its width."""
        return {f"past_{i}": self._reach(i) * self.units for i in range(self.depth)}

    def _reach(self, layer: int) -> int:
        return (KERNEL_SIZE - 1) * 2**layer

    def build_memory(self, channels: int) -> int:
        """Create the weights of all layers."""
        self.entry.build((None, None, channels))
        for mix, norm in zip(self.mixes, self.norms, strict=True):
            mix.build((None, None, KERNEL_SIZE * self.units))
            norm.build((None, None, self.units))
        return self.units

    def remember(self, hidden: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Run over a sequence."""
        x = self.entry(hidden)
        frames = tf.shape(x)[1]
        after = {}
        for i in range(self.depth):
            reach = self._reach(i)
            past = tf.reshape(tf.cast(state[f"past_{i}"], x.dtype), [-1, reach, self.units])
            longer = tf.concat([past, x], axis=1)
            taps = [longer[:, reach - back : reach - back + frames] for back in (reach, reach // 2, 0)]
            x += self._layer(i, tf.concat(taps, axis=-1))
            kept = tf.cast(longer[:, frames:], tf.float32)
            after[f"past_{i}"] = tf.reshape(kept, [-1, reach * self.units])
        return x, after

    def remember_frame(self, hidden: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Run over one frame."""
        x = self.entry(hidden)
        after = {}
        for i in range(self.depth):
            past, middle = state[f"past_{i}"], self._reach(i) // 2 * self.units
            taps = [past[:, : self.units], past[:, middle : middle + self.units], x]
            after[f"past_{i}"] = tf.concat([past[:, self.units :], x], axis=-1)
            x += self._layer(i, tf.concat(taps, axis=-1))
        return x, after

    def _layer(self, i: int, taps: tf.Tensor) -> tf.Tensor:
        return tf.nn.leaky_relu(self.norms[i](self.mixes[i](taps)), alpha=0.2)
