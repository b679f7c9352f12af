"""What all decoders have in common: dense layers before and after a memory, and one linear head."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.arguments import check_integer
from ddsp_tf.errors import DdspError
from ddsp_tf.layers.checks import network_dtype
from ddsp_tf.layers.dense_stack import DenseStack
from ddsp_tf.layers.inputs import named_inputs, named_shapes
from ddsp_tf.ops.arguments import Arguments

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
        owner = type(self).__name__
        super().__init__(**{**kwargs, "dtype": network_dtype(owner, kwargs.get("dtype"))})
        sizes = {"units": units, "layer_units": layer_units, "layers": layers, "depth": depth}
        units, layer_units, layers, depth = (check_integer(owner, k, v, 1) for k, v in sizes.items())
        self.output_sizes = _checked_sizes(owner, "output_sizes", output_sizes)
        self.input_sizes = _checked_sizes(owner, "input_sizes", input_sizes or FEATURE_SIZES)
        # Not `layers`: Keras takes that for a list of layers.
        self.units, self.layer_units, self.n_layers, self.depth = units, layer_units, layers, depth
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

    def __call__(self, inputs: Any, state: Any = None, **kwargs: Any) -> Any:
        """Run over a sequence; inputs and states may be arrays or lists of any numbers."""
        take = Arguments(self.name)
        named = self._checked(take, "input", inputs, self.input_sizes, ("batch", "frames"))
        if state is None:
            return super().__call__(named, **kwargs)
        state = self._checked(take, "state", state, self.state_sizes, ("batch",))
        return super().__call__(named, state, **kwargs)

    def _checked(
        self, take: Arguments, what: str, values: Any, sizes: dict[str, int], axes: tuple[str, ...]
    ) -> Tensors:
        """Values by name as float32 tensors `[*axes, size]`; symbolic ones as they are.

        Raises:
            DdspError: If one is missing or of another shape.
        """
        if isinstance(values, Mapping) and not sizes:
            return dict(values)
        named = named_inputs(self.name, values, list(sizes), list(sizes))
        for name, size in sizes.items():
            if name not in named:
                raise DdspError(f"{self.name} lacks the {what} {name!r}; it has {', '.join(named) or 'none'}")
            take.check_shape(f"{what} {name!r}", tf.TensorShape(named[name].shape), [*axes, size])
        return named

    def call(self, inputs: Tensors, state: Tensors | None = None) -> tuple[Tensors, Tensors]:
        """Run over a sequence; `state` is that of the frame before, None starts at zero."""
        hidden = self._encode(inputs)
        if state is None:
            batch = tf.shape(hidden)[0]
            state = {name: tf.zeros([batch, size]) for name, size in self.state_sizes.items()}
        sequence, state = self.remember(hidden, state)
        return self._decode(sequence, hidden), state

    def step(self, inputs: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """Run over one frame: inputs `[batch, channels]`, states and outputs `[batch, size]` by name.

        Raises:
            DdspError: If an input or a state is missing, or not as above.
        """
        take = Arguments(self.name)
        inputs = self._checked(take, "input", inputs, self.input_sizes, ("batch",))
        state = self._checked(take, "state", state, self.state_sizes, ("batch",))
        hidden = self._encode(inputs)
        frame, state = self.remember_frame(hidden, state)
        return self._decode(frame, hidden), state

    def _encode(self, inputs: Tensors) -> tf.Tensor:
        return tf.concat([self.input_stacks[name](inputs[name]) for name in self.input_sizes], axis=-1)

    def _decode(self, remembered: tf.Tensor, hidden: tf.Tensor) -> Tensors:
        raw = self.head(self.output_stack(tf.concat([remembered, hidden], axis=-1)))
        parts = tf.split(tf.cast(raw, tf.float32), list(self.output_sizes.values()), axis=-1)
        return dict(zip(self.output_sizes, parts, strict=True))

    def compute_output_shape(self, input_shape: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Shapes of the raw controls and of the states by name."""
        shapes = named_shapes(input_shape, self.input_names, self.input_names)
        batch, frames = next(iter(shapes.values()), (None, None))[:2]
        return (
            {name: (batch, frames, size) for name, size in self.output_sizes.items()},
            {name: (batch, size) for name, size in self.state_sizes.items()},
        )

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "output_sizes": self.output_sizes,
            "input_sizes": self.input_sizes,
            "units": self.units,
            "layer_units": self.layer_units,
            "layers": self.n_layers,
            "depth": self.depth,
        }


def _checked_sizes(owner: str, what: str, sizes: Any) -> dict[str, int]:
    if not isinstance(sizes, Mapping) or not sizes or not all(isinstance(name, str) for name in sizes):
        raise DdspError(f"{owner}: {what} must be channels by name. Received: {what}={sizes!r}")
    return {name: check_integer(owner, f"{what}[{name!r}]", size, 1) for name, size in sizes.items()}
