"""A signature of a TensorFlow Lite model, run in numpy: an oracle, and for where LiteRT has no wheel.

It computes what LiteRT computes, to the rounding of float32; a tenth to a twentieth as fast.
"""

from typing import Any

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.model.numpy_operators import Call, Function, build, dequantized
from ddsp_edge.model.tflite import FLOAT32, Graph, Operator, read_graph
from ddsp_edge.units import Array

MAX_WORK = 1 << 27
"""Weights used, values computed and products of a frame; the network of the DDSP paper has 10 million."""


class NumpyGraph:
    """Run a signature of a model, whose weights are unpacked once.

    Tensors go by their number, as with LiteRT's interpreter.

    Args:
        model: The flatbuffer; a file from anywhere, so all that is used of it is checked.
        signature: Name of the signature.

    Raises:
        DdspError: If it cannot be run.
    """

    def __init__(self, model: bytes, signature: str) -> None:
        graph = read_graph(model, signature)
        self.inputs: dict[str, Any] = _details(graph, graph.inputs)
        self.outputs: dict[str, Any] = _details(graph, graph.outputs)
        """What LiteRT tells of tensors by name: `index`, `shape` and `dtype`."""
        self._values: dict[int, Array] = {}  # of tensors that are there: given, constant or computed
        self._constants: dict[int, Array] = {}  # those of them that are float32 weights
        for name, number in graph.inputs.items():
            if graph.tensors[number].data is not None:
                raise DdspError(f"its input {name!r} is a constant")
            self._values[number] = np.zeros(graph.tensors[number].shape, np.float32)
        self._program: list[tuple[Function, tuple[int, ...], int]] = []
        self._work = 0
        with np.errstate(all="ignore"):
            for operator in graph.operators:
                self._add(graph, operator)
        for name, number in graph.outputs.items():
            if number not in self._values:
                raise DdspError(f"nothing computes its output {name!r}")

    def set_tensor(self, number: int, value: Array) -> None:
        """Give an input, float32 of its shape."""
        self._values[number] = value

    def invoke(self) -> None:
        """Compute everything from the inputs."""
        values = self._values
        with np.errstate(all="ignore"):  # what is not finite is the caller's to see, as with LiteRT
            for function, inputs, output in self._program:
                values[output] = function(*[values[number] for number in inputs])

    def get_tensor(self, number: int) -> Array:
        """Return a tensor as it is now; later runs make new ones."""
        return self._values[number]

    def _add(self, graph: Graph, operator: Operator) -> None:
        """Check an operator, run it on zeros, and put it at the end of the program."""
        inputs = [None if number == -1 else graph.tensors[number] for number in operator.inputs]
        if -1 in operator.outputs:
            raise DdspError(f"an operator {operator.name} leaves an output out")
        outputs = [graph.tensors[number] for number in operator.outputs]
        constants: dict[int, Array] = {}
        for place, (number, tensor) in enumerate(zip(operator.inputs, inputs, strict=True)):
            if tensor is None:
                continue
            if tensor.data is not None and tensor.type == FLOAT32:
                self._constants[number] = self._values[number] = np.require(tensor.data, np.float32, "A")
            if number in self._constants:
                constants[place] = self._constants[number]
            elif tensor.data is not None:
                constants[place] = tensor.data
            elif number not in self._values:
                raise DdspError(f"an operator {operator.name} takes tensor {number} before it is computed")
        for number, tensor in zip(operator.outputs, outputs, strict=True):
            if number in self._values or tensor.data is not None:
                raise DdspError(
                    f"an operator {operator.name} computes tensor {number}, which is there already"
                )
        self._work += sum(tensor.size for tensor in outputs) + sum(x.size for x in constants.values())
        if operator.name == "FULLY_CONNECTED" and outputs and inputs and inputs[0] is not None:
            self._work += inputs[0].size * outputs[0].shape[-1]  # the products of each row
        if self._work > MAX_WORK:
            raise DdspError(f"it computes more than {MAX_WORK} products in a frame, which is the limit here")
        if operator.name == "DEQUANTIZE":  # of weights, once and for all
            values = dequantized(inputs, outputs)
            self._constants[operator.outputs[0]] = self._values[operator.outputs[0]] = values
            return
        steps = build(Call(operator, inputs, outputs, constants))
        for number, (function, places) in zip(operator.outputs, steps, strict=True):
            taken = tuple(operator.inputs[place] for place in places)
            if not self._values.keys() >= set(taken):
                raise DdspError(f"an operator {operator.name} takes a constant that is no float32")
            self._values[number] = function(*[self._values[k] for k in taken])
            self._program.append((function, taken, number))


def _details(graph: Graph, ports: dict[str, int]) -> dict[str, Any]:
    return {
        name: {"index": number, "shape": graph.tensors[number].shape, "dtype": np.float32}
        for name, number in ports.items()
    }
