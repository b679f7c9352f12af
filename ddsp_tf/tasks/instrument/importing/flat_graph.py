"""A TFLite graph as one list of steps, for whoever looks for weights in it.

A loop (WHILE) is written out once: its body in the place of the loop, fed with what the loop is. That is what
a graph of one frame computes, whose loops run over one frame.
"""

import math
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError

Key = tuple[int, int]
"""A tensor: number of the graph's copy, and of the tensor in it."""

_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
_KINDS: dict[int, str] = {
    schema.TensorType.FLOAT32: "<f4",
    schema.TensorType.FLOAT16: "<f2",
    schema.TensorType.INT32: "<i4",
    schema.TensorType.INT64: "<i8",
}
_OF_CONSTANTS = frozenset({"DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "CAST"})
_DEEPEST = 4  # loops within loops
_MOST_STEPS = 500  # that of the trainer has 140; what follows steps back goes no deeper


@dataclass(frozen=True)
class FlatStep:
    """An operator.

    Args:
        kind: Its name in TFLite's schema.
        inputs: The tensors that it takes; None for one that is left out.
        outputs: Those that it gives.
        options: Its options, as the schema has them.
    """

    kind: str
    inputs: tuple[Key | None, ...]
    outputs: tuple[Key, ...]
    options: Any


@dataclass
class FlatGraph:
    """The first graph of a model, its loops written out.

    Args:
        model: As the schema unpacks it.
    """

    model: Any
    steps: list[FlatStep] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._same: dict[Key, Key] = {}  # what goes into a loop's body, and what comes out of it
        self._graphs: list[Any] = []
        main = self._graph(0)
        self._write_out(main, 0)
        self._check_order(main)
        self._made_by = {out: step for step in self.steps for out in step.outputs}
        self._sources: dict[Key, frozenset[str]] = {}
        self.inputs = {self._name(main, int(number)): (0, int(number)) for number in main.inputs}
        """The tensors that are given, by name."""
        for name, key in self.inputs.items():
            self._sources[key] = frozenset({name})
        for step in self.steps:
            taken = [self.sources(key) for key in step.inputs if key is not None]
            for out in step.outputs:
                self._sources[out] = frozenset().union(*taken)

    def _check_order(self, main: Any) -> None:
        """Refuse steps that take what is not there yet, or give what is: steps back come to an end."""
        later = {out for step in self.steps for out in step.outputs}
        known = {(0, int(number)) for number in main.inputs}
        for step in self.steps:
            if any(key in later and key not in known for key in step.inputs) or known & set(step.outputs):
                raise DdspError(f"its graph cannot be right: an operator {step.kind} is out of order")
            known.update(step.outputs)

    def sources(self, key: Key) -> frozenset[str]:
        """Names of the inputs that a tensor hangs on."""
        return self._sources.get(key, frozenset())

    def made_by(self, key: Key) -> FlatStep | None:
        """The step that gives a tensor; None for an input or a constant."""
        return self._made_by.get(key)

    def consumers(self, key: Key) -> list[FlatStep]:
        """The steps that take a tensor."""
        return [step for step in self.steps if key in step.inputs]

    def size(self, key: Key) -> int:
        """How many values a tensor holds, as far as the file tells."""
        return math.prod(self._shape(key))

    def constant(self, key: Key | None) -> Array | None:
        """A tensor that is constant, or a constant unpacked, turned or given another shape; else None."""
        if key is None:
            return None
        values = self._stored(key)
        step = self.made_by(key)
        if values is not None or step is None or step.kind not in _OF_CONSTANTS:
            return values
        values = self.constant(step.inputs[0])
        if values is None:
            return None
        if step.kind == "TRANSPOSE":
            order = self.constant(step.inputs[1])
            return None if order is None else np.transpose(values, order.reshape(-1).tolist())
        return values.astype(np.float32).reshape(self._shape(key))

    def _stored(self, key: Key) -> Array | None:
        tensor = self._graphs[key[0]].tensors[key[1]]
        data = self.model.buffers[tensor.buffer].data
        if data is None or tensor.type not in _KINDS:
            return None
        return np.frombuffer(np.asarray(data, np.uint8).tobytes(), _KINDS[tensor.type]).reshape(
            self._shape(key)
        )

    def _shape(self, key: Key) -> tuple[int, ...]:
        shape = self._graphs[key[0]].tensors[key[1]].shape
        return () if shape is None else tuple(int(n) for n in shape)

    @staticmethod
    def _name(graph: Any, number: int) -> str:
        return str(graph.tensors[number].name.decode(errors="replace"))

    def _graph(self, number: int) -> Any:
        self._graphs.append(self.model.subgraphs[number])
        return self._graphs[-1]

    def _key(self, copy: int, number: int) -> Key | None:
        key: Key = (copy, number)
        while key in self._same:
            key = self._same[key]
        return None if key[1] < 0 else key

    def _write_out(self, graph: Any, depth: int) -> None:
        copy = len(self._graphs) - 1
        for operator in graph.operators or []:
            code = self.model.operatorCodes[operator.opcodeIndex]
            kind = _NAMES.get(max(code.builtinCode, code.deprecatedBuiltinCode), "?")
            taken = tuple(self._key(copy, int(number)) for number in operator.inputs)
            given = [int(number) for number in operator.outputs]
            if kind == "WHILE":
                self._write_out_loop(operator, copy, taken, given, depth)
                continue
            if len(self.steps) == _MOST_STEPS:
                raise DdspError(f"its graph has more than {_MOST_STEPS} operators")
            outputs = tuple((copy, number) for number in given)
            self.steps.append(FlatStep(kind, taken, outputs, operator.builtinOptions))

    def _write_out_loop(
        self, operator: Any, copy: int, taken: tuple[Key | None, ...], given: list[int], depth: int
    ) -> None:
        if depth == _DEEPEST:
            raise DdspError(f"its loops are more than {_DEEPEST} deep")
        body = self._graph(operator.builtinOptions.bodySubgraphIndex)
        inner = len(self._graphs) - 1
        for number, key in zip(body.inputs, taken, strict=True):
            if key is not None:
                self._same[inner, int(number)] = key
        self._write_out(body, depth + 1)
        for number, out in zip(given, body.outputs, strict=True):
            key = self._key(inner, int(out))
            if key is not None and key != (copy, number):
                self._same[copy, number] = key


def flat_graph(flatbuffer: bytes) -> FlatGraph:
    """Read the first graph of a model.

    Raises:
        DdspError: If the flatbuffer cannot be right, or has loops too deep.
    """
    try:
        return FlatGraph(schema.ModelT.InitFromPackedBuf(flatbuffer, 0))
    except DdspError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, struct.error) as error:
        raise DdspError(f"its graph cannot be read: {' '.join(str(error).split())[:100]}") from error
