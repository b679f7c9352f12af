"""The network of a model as a stream, for the code of devices: frames in, frames out, states carried."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from ddsp_edge.units import Array

_AT_ONCE = 64  # frames, for which a graph is made once

Shapes = Mapping[str, Sequence[int]]


class StepNetwork:
    """Runs the `step` of a model frame by frame, as `ddsp_edge.StepModel` runs that of its file.

    Args:
        step: Takes one frame of each input, then the states, `[1, ...]` each; gives outputs and next states
            by name.
        inputs: Shape of a frame of each input, in the order of `step`.
        states: Shape of each state, in the order of `step`.
        outputs: Shape of a frame of each output that is wanted.
    """

    def __init__(
        self, step: Callable[..., Mapping[str, tf.Tensor]], inputs: Shapes, states: Shapes, outputs: Shapes
    ) -> None:
        self._step = tf.autograph.experimental.do_not_convert(step)
        self._inputs, self._states_of, self._outputs = inputs, states, outputs
        signature = [
            [tf.TensorSpec([None, *shape], tf.float32) for shape in inputs.values()],
            [tf.TensorSpec(shape, tf.float32) for shape in states.values()],
        ]
        self._many = tf.function(self._frames, input_signature=signature)
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._states: list[Any] = [tf.zeros(shape) for shape in self._states_of.values()]

    def process(self, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """Outputs of frames `[frames, ...]` that follow those before."""
        given = [np.asarray(inputs[name], np.float32) for name in self._inputs]
        parts = [[np.zeros((0, *shape), np.float32)] for shape in self._outputs.values()]
        for start in range(0, len(given[0]), _AT_ONCE):
            block = [tf.constant(values[start : start + _AT_ONCE]) for values in given]
            found, states = self._many(block, self._states)
            self._states = list(states)
            for part, values in zip(parts, found, strict=True):
                part.append(np.asarray(values))
        return {name: np.concatenate(part) for name, part in zip(self._outputs, parts, strict=True)}

    def _frames(
        self, inputs: list[tf.Tensor], states: list[tf.Tensor]
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        count = tf.shape(inputs[0])[0]
        arrays = [tf.TensorArray(tf.float32, count, element_shape=s) for s in self._outputs.values()]
        index = tf.constant(0)
        while index < count:
            out = self._step(*[values[index : index + 1] for values in inputs], *states)
            arrays = [
                array.write(index, out[name][0]) for array, name in zip(arrays, self._outputs, strict=True)
            ]
            states = [tf.ensure_shape(out[name], shape) for name, shape in self._states_of.items()]
            index += 1
        return [array.stack() for array in arrays], states
