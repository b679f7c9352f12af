"""What all decoders have in common: dense layers before and after a memory, and one linear head."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers.dense_stack import DenseStack

Tensors = dict[str, tf.Tensor]

FEATURE_SIZES = {"f0_scaled": 1, "loudness_scaled": 1}


class Decoder(keras.layers.Layer, ABC):
    """Dense layers for each input, something with a memory, dense layers, and one linear head.

    The form of Engel et al. 2020, appendix B.2, in sizes of your choice; sub-classes say what the memory
    is. A decoder runs over whole sequences for training (`call`) and one frame at a time with explicit
    states on a device (`step`).

    Args:
        output_sizes: Channels of each raw control by name.
        units: Integer > 0, width of the memory.
        layer_units: Integer > 0, width of the dense layers.
        layers: Integer > 0, dense layers for each input, and after the memory.
        depth: Integer > 0, layers of the memory.
        input_sizes: Channels of each input by name; None is `f0_scaled` and `loudness_scaled` of one each.

    Input: `[batch, frames, channels]` by name, as `input_sizes` has them.

    Output: raw controls by name, `[batch, frames, size]`, and the states `[batch, size]` by name, as
    `state_sizes` has them.

    Raises:
        DdspError: If a size is not a positive integer.
    """

    def __init__(
        self,
        output_sizes: Mapping[str, int],
        units: int = 128,
        layer_units: int = 128,
        layers: int = 1,
        depth: int = 1,
        input_sizes: Mapping[str, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        sizes = {"units": units, "layer_units": layer_units, "layers": layers, "depth": depth}
        for name, value in sizes.items():
            if not isinstance(value, int) or value <= 0:
                raise DdspError(
                    f"{type(self).__name__}: {name} must be a positive integer. Received: {name}={value!r}"
                )
        self.output_sizes = dict(output_sizes)
        self.input_sizes = dict(input_sizes or FEATURE_SIZES)
        self.units, self.layer_units, self.layers, self.depth = units, layer_units, layers, depth
        self.input_stacks = {
            name: DenseStack(layer_units, layers, name=f"{name}_stack", dtype=self.dtype_policy)
            for name in self.input_sizes
        }
        self.output_stack = DenseStack(layer_units, layers, name="output_stack", dtype=self.dtype_policy)
        self.head = keras.layers.Dense(sum(self.output_sizes.values()), name="head", dtype=self.dtype_policy)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return tuple(self.input_sizes)

    @property
    @abstractmethod
    def state_sizes(self) -> dict[str, int]:
        """Width of each state of `step` by name."""

    @abstractmethod
    def build_memory(self, channels: int) -> int:
        """Create the weights of the memory, which takes so many channels; returns how many it gives."""

    @abstractmethod
    def remember(self, hidden: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Run the memory over a sequence `[batch, frames, channels]`; returns a sequence and the states."""

    @abstractmethod
    def remember_frame(self, hidden: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Run the memory over one frame `[batch, channels]`; returns one frame and the states."""

    def build(self, input_shape: Any) -> None:
        """Create the weights; shapes follow from the arguments alone."""
        for name, size in self.input_sizes.items():
            self.input_stacks[name].build((None, None, size))
        joined = len(self.input_sizes) * self.layer_units
        self.output_stack.build((None, None, self.build_memory(joined) + joined))
        self.head.build((None, None, self.layer_units))
        self.built = True

    def call(self, inputs: Tensors, state: Tensors | None = None) -> tuple[Tensors, Tensors]:
        """Run over a sequence; `state` is that of the frame before, None starts at zero."""
        hidden = self._encode(inputs)
        if state is None:
            batch = tf.shape(hidden)[0]
            state = {name: tf.zeros([batch, size]) for name, size in self.state_sizes.items()}
        sequence, state = self.remember(hidden, state)
        return self._decode(sequence, hidden), state

    def step(self, inputs: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """Run over one frame: inputs `[batch, channels]`, states and outputs `[batch, size]` by name."""
        hidden = self._encode(inputs)
        frame, state = self.remember_frame(hidden, state)
        return self._decode(frame, hidden), state

    def _encode(self, inputs: Tensors) -> tf.Tensor:
        return tf.concat([self.input_stacks[name](inputs[name]) for name in self.input_sizes], axis=-1)

    def _decode(self, remembered: tf.Tensor, hidden: tf.Tensor) -> Tensors:
        raw = self.head(self.output_stack(tf.concat([remembered, hidden], axis=-1)))
        parts = tf.split(tf.cast(raw, tf.float32), list(self.output_sizes.values()), axis=-1)
        return dict(zip(self.output_sizes, parts, strict=True))

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "output_sizes": self.output_sizes,
            "input_sizes": self.input_sizes,
            "units": self.units,
            "layer_units": self.layer_units,
            "layers": self.layers,
            "depth": self.depth,
        }
