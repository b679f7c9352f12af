"""A decoder whose recurrence is linear in its state."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.ops.linear_recurrence import linear_recurrence
from ddsp_tf.tasks.instrument.model.decoder import Decoder, Tensors


@keras.saving.register_keras_serializable(package="ddsp_tf")
class MinGruDecoder(Decoder):
    """A decoder whose memory is a stack of minimal gated recurrent units.

    In each of `depth` residual layers gate and candidate depend on the input alone,

        z = sigmoid(W_z x),  c = W_c x,  h' = (1 - z) h + z c

    so that all products over time are one, and only a sum per unit runs from frame to frame.

    Reference: L. Feng et al., "Were RNNs All We Needed?", 2024, section 3.1.

    Arguments, input and output are those of `Decoder`.

    Example:
        >>> MinGruDecoder({"amplitude": 1}, units=16, depth=2).state_sizes
        {'state_0': 16, 'state_1': 16}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        policy = self.dtype_policy
        self.entry = keras.layers.Dense(self.units, name="entry", dtype=policy)
        self.norms = [
            keras.layers.LayerNormalization(name=f"norm_{i}", dtype=policy) for i in range(self.depth)
        ]
        self.gates = [
            keras.layers.Dense(2 * self.units, name=f"gates_{i}", dtype=policy) for i in range(self.depth)
        ]

    @property
    def state_sizes(self) -> dict[str, int]:
        """Width of the state of each layer."""
        return {f"state_{i}": self.units for i in range(self.depth)}

    def build_memory(self, channels: int) -> int:
        """Create the weights of all layers."""
        self.entry.build((None, None, channels))
        for norm, gates in zip(self.norms, self.gates, strict=True):
            norm.build((None, None, self.units))
            gates.build((None, None, self.units))
        return self.units

    def remember(self, hidden: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Run over a sequence."""
        x = self.entry(hidden)
        after = {}
        for i in range(self.depth):
            keep, add = self._gate(i, x)
            states = linear_recurrence(keep, add, state[f"state_{i}"])
            after[f"state_{i}"] = states[:, -1]
            x += tf.cast(states, x.dtype)
        return x, after

    def remember_frame(self, hidden: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Run over one frame."""
        x = self.entry(hidden)
        after = {}
        for i in range(self.depth):
            keep, add = self._gate(i, x)
            after[f"state_{i}"] = keep * state[f"state_{i}"] + add
            x += tf.cast(after[f"state_{i}"], x.dtype)
        return x, after

    def _gate(self, i: int, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """What the state before is multiplied by, and what is added; float32 whatever the policy."""
        gate, candidate = tf.split(tf.cast(self.gates[i](self.norms[i](x)), tf.float32), 2, axis=-1)
        gate = tf.sigmoid(gate)
        return 1.0 - gate, gate * candidate
