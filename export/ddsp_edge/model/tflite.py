"""What a TensorFlow Lite model says: the tensors and operators of one of its signatures.

Read with numpy alone, for `ddsp_edge.model.numpy_graph`. The schema is TensorFlow's `schema.fbs`; fields go
by their number there. A file may come from anywhere: what it says is checked, against limits and itself.
"""

import math
from dataclasses import dataclass

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.model.flatbuffer import Table
from ddsp_edge.units import Array

MAX_SIGNATURES, MAX_GRAPHS, MAX_PORTS = 100, 100, 1000
MAX_TENSORS, MAX_OPERATORS, MAX_BUFFERS = 20_000, 10_000, 100_000
MAX_RANK = 8
MAX_VALUES = 1 << 26
"""In the constants that are used, and in the tensors that are computed: 256 MiB as float32."""

FLOAT32, FLOAT16, INT32, INT64, INT8 = 0, 1, 2, 4, 9  # of the schema's TensorType
_KINDS = {FLOAT32: "f", FLOAT16: "e", INT32: "i", INT64: "q", INT8: "b"}
_INTEGERS = (
    "it computes in integers (int8-full), which numpy does not do here: install ai-edge-litert, or export it "
    "with --quantize int8"
)

OPERATORS = {
    0: "ADD",
    1: "AVERAGE_POOL_2D",
    2: "CONCATENATION",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE",
    8: "FLOOR",
    9: "FULLY_CONNECTED",
    14: "LOGISTIC",
    18: "MUL",
    19: "RELU",
    21: "RELU6",
    22: "RESHAPE",
    25: "SOFTMAX",
    28: "TANH",
    32: "CUSTOM",
    34: "PAD",
    36: "GATHER",
    39: "TRANSPOSE",
    40: "MEAN",
    41: "SUB",
    42: "DIV",
    43: "SQUEEZE",
    45: "STRIDED_SLICE",
    47: "EXP",
    49: "SPLIT",
    53: "CAST",
    55: "MAXIMUM",
    57: "MINIMUM",
    59: "NEG",
    65: "SLICE",
    66: "SIN",
    70: "EXPAND_DIMS",
    73: "LOG",
    74: "SUM",
    75: "SQRT",
    76: "RSQRT",
    78: "POW",
    83: "PACK",
    92: "SQUARE",
    98: "LEAKY_RELU",
    99: "SQUARED_DIFFERENCE",
    101: "ABS",
    102: "SPLIT_V",
    108: "COS",
    114: "QUANTIZE",
    119: "WHILE",
    126: "BATCH_MATMUL",
    150: "GELU",
}
"""Names of builtin operators by their number in the schema: those of our models, and some of others."""


@dataclass(frozen=True)
class Tensor:
    """A tensor of a graph.

    Args:
        shape: Its shape; batches are 1.
        type: Number of its type in the schema.
        data: Its values `shape`, for a constant as they are stored.
        scales: Of quantized weights: of each output, or one for all; empty where there are none.
    """

    shape: tuple[int, ...]
    type: int
    data: Array | None
    scales: Array

    @property
    def size(self) -> int:
        """How many values it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Operator:
    """An operator of a graph.

    Args:
        name: Its name in the schema.
        inputs: Numbers of tensors; -1 for an input that is left out.
        outputs: Numbers of tensors.
        options: The table of its options, if it has one.
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Table | None


@dataclass(frozen=True)
class Graph:
    """The graph of a signature.

    Args:
        tensors: Those that are used, by number.
        operators: In the order in which they run.
        inputs: Numbers of the tensors that are given, by name.
        outputs: Numbers of those that come out, by name.
    """

    tensors: dict[int, Tensor]
    operators: list[Operator]
    inputs: dict[str, int]
    outputs: dict[str, int]


def read_graph(model: bytes, signature: str) -> Graph:
    """Read the graph of a signature.

    Raises:
        DdspError: If there is no such signature, or the model cannot be right.
    """
    if model[4:8] != b"TFL3":
        raise DdspError("it does not begin with a TFL3 flatbuffer")
    root = Table.root(model)
    signatures = {table.text(2): table for table in root.tables(7, MAX_SIGNATURES)}
    if signature not in signatures:
        raise DdspError(f"it has no signature {signature!r}. Signatures: {', '.join(signatures) or 'none'}")
    definition, graphs = signatures[signature], root.tables(2, MAX_GRAPHS)
    number = definition.whole(4, "I")
    if number >= len(graphs):
        raise DdspError(f"the signature {signature!r} is graph {number} of {len(graphs)}")
    graph = graphs[number]
    names = [_operator_name(code) for code in root.tables(1, MAX_OPERATORS)]
    operators = [_operator(table, names) for table in graph.tables(3, MAX_OPERATORS)]
    inputs, outputs = _ports(definition, 0), _ports(definition, 1)
    used = {*inputs.values(), *outputs.values()}
    used |= {number for operator in operators for number in (*operator.inputs, *operator.outputs)}
    tables, buffers = graph.tables(0, MAX_TENSORS), root.tables(4, MAX_BUFFERS)
    tensors: dict[int, Tensor] = {}
    constants = computed = 0
    for number in sorted(used - {-1}):
        if not 0 <= number < len(tables):
            raise DdspError(f"it uses tensor {number} of {len(tables)}")
        tensor = tensors[number] = _tensor(tables[number], number, buffers)
        if tensor.data is None:
            computed += tensor.size
        else:
            constants += tensor.size
        if max(constants, computed) > MAX_VALUES:
            raise DdspError(f"it has {constants} weights or computes {computed} values: {MAX_VALUES} at most")
    return Graph(tensors, operators, inputs, outputs)


def _operator_name(code: Table) -> str:
    number = max(code.whole(0, "b"), code.whole(3, "i"))  # the first has no room for later operators
    return OPERATORS.get(number, f"{number} of TensorFlow Lite's schema")


def _operator(table: Table, names: list[str]) -> Operator:
    code = table.whole(0, "I")
    if code >= len(names):
        raise DdspError(f"it uses operator {code} of {len(names)}")
    inputs, outputs = table.numbers(1, "i"), table.numbers(2, "i")
    if len(inputs) > MAX_PORTS or len(outputs) > MAX_PORTS:
        raise DdspError(f"an operator {names[code]} has more than {MAX_PORTS} inputs or outputs")
    return Operator(names[code], tuple(inputs.tolist()), tuple(outputs.tolist()), table.table(4))


def _ports(definition: Table, field: int) -> dict[str, int]:
    return {port.text(0): port.whole(1, "I") for port in definition.tables(field, MAX_PORTS)}


def _tensor(table: Table, number: int, buffers: list[Table]) -> Tensor:
    sizes, kind = table.numbers(0, "i"), table.whole(1, "b")
    shape = tuple(sizes[: MAX_RANK + 1].tolist())
    if len(shape) > MAX_RANK or any(size < 1 for size in shape):
        raise DdspError(f"tensor {number} has the impossible shape {str(list(shape))[:60]}")
    elements = math.prod(shape)
    place = table.whole(2, "I")
    if place >= len(buffers):
        raise DdspError(f"tensor {number} is in buffer {place} of {len(buffers)}")
    stored = buffers[place].numbers(0, "B")
    data = None
    if len(stored):
        if kind not in _KINDS:
            raise DdspError(f"tensor {number} is a constant of type {kind}, which is not read here")
        dtype = np.dtype(_KINDS[kind]).newbyteorder("<")
        if len(stored) != elements * dtype.itemsize:
            raise DdspError(f"tensor {number} has {len(stored)} bytes, not what {list(shape)} needs")
        data = stored.view(dtype).reshape(shape)
    elif kind != FLOAT32:
        raise DdspError(_INTEGERS)
    return Tensor(shape, kind, data, _scales(table.table(4), max(shape, default=1)))


def _scales(quantization: Table | None, most: int) -> Array:
    if quantization is None:
        return np.zeros(0, np.float32)
    scales, zeros = quantization.numbers(2, "f"), quantization.numbers(3, "q")
    if max(len(scales), len(zeros)) > most:
        raise DdspError(f"a tensor has {max(len(scales), len(zeros))} scales for {most} outputs")
    if zeros.any() or quantization.whole(6) or not np.isfinite(scales).all():
        raise DdspError(_INTEGERS)
    return scales.astype(np.float32, copy=False)  # a view: a thousand tensors may share them
