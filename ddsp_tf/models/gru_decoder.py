"""The recurrent decoder: scaled features in, raw controls out."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers.gru import GRU
from ddsp_tf.models.dense_stack import DenseStack

Tensors = dict[str, tf.Tensor]


@keras.saving.register_keras_serializable(package="ddsp_tf")
class GruDecoder(keras.layers.Layer):
    """Dense layers for each input, a gated recurrent unit over time, dense layers, and one linear head.

    The decoder of Engel et al. 2020, appendix B.2, in sizes of your choice. It runs over whole sequences
    for training (`call`) and one frame at a time with an explicit state on a device (`step`).

    Args:
        output_sizes: Channels of each raw control by name.
        units: Integer > 0, width of the recurrent layer.
        layer_units: Integer > 0, width of the dense layers.
        layers: Integer > 0, dense layers for each input, and after the recurrent layer.

    Input: `{"f0_scaled", "loudness_scaled"}`, each `[batch, frames, 1]`.

    Output: raw controls by name, `[batch, frames, size]`, and the state `[batch, units]`.
    """

    input_names = ("f0_scaled", "loudness_scaled")

    def __init__(
        self,
        output_sizes: Mapping[str, int],
        units: int = 128,
        layer_units: int = 128,
        layers: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value in (("units", units), ("layer_units", layer_units), ("layers", layers)):
            if not isinstance(value, int) or value <= 0:
                raise DdspError(f"GruDecoder: {name} must be a positive integer. Received: {name}={value!r}")
        self.output_sizes = dict(output_sizes)
        self.units, self.layer_units, self.layers = units, layer_units, layers
        self.input_stacks = {
            name: DenseStack(layer_units, layers, name=f"{name}_stack", dtype=self.dtype_policy)
            for name in self.input_names
        }
        self.gru = GRU(units, return_sequences=True, return_state=True, name="gru", dtype=self.dtype_policy)
        self.output_stack = DenseStack(layer_units, layers, name="output_stack", dtype=self.dtype_policy)
        self.head = keras.layers.Dense(sum(self.output_sizes.values()), name="head", dtype=self.dtype_policy)

    @property
    def state_sizes(self) -> dict[str, int]:
        """Width of each state of `step` by name."""
        return {"state": self.units}

    def build(self, input_shape: Any) -> None:
        """Create the weights; shapes follow from the arguments alone."""
        for stack in self.input_stacks.values():
            stack.build((None, None, 1))
        joined = len(self.input_names) * self.layer_units
        self.gru.build((None, None, joined))
        self.output_stack.build((None, None, self.units + joined))
        self.head.build((None, None, self.layer_units))
        self.built = True

    def call(self, inputs: Tensors, state: Tensors | None = None) -> tuple[Tensors, Tensors]:
        """Run over a sequence; `state` is that of the frame before, None starts at zero."""
        hidden = self._encode(inputs)
        initial = None if state is None else state["state"]
        sequence, last = self.gru(hidden, initial_state=initial)
        return self._decode(sequence, hidden), {"state": last}

    def step(self, inputs: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """Run over one frame: inputs `[batch, 1]`, state `[batch, units]`, outputs `[batch, size]`."""
        hidden = self._encode(inputs)
        output, _ = self.gru.cell(hidden, [state["state"]])
        return self._decode(output, hidden), {"state": output}

    def _encode(self, inputs: Tensors) -> tf.Tensor:
        return tf.concat([self.input_stacks[name](inputs[name]) for name in self.input_names], axis=-1)

    def _decode(self, recurrent: tf.Tensor, hidden: tf.Tensor) -> Tensors:
        raw = self.head(self.output_stack(tf.concat([recurrent, hidden], axis=-1)))
        parts = tf.split(tf.cast(raw, tf.float32), list(self.output_sizes.values()), axis=-1)
        return dict(zip(self.output_sizes, parts, strict=True))

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "output_sizes": self.output_sizes,
            "units": self.units,
            "layer_units": self.layer_units,
            "layers": self.layers,
        }
