"""What is in a TFLite flatbuffer: its operators, and the order of its graphs."""

from collections import Counter
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from ddsp_edge.errors import DdspError

_BUFFER_ALIGNMENT = 16  # bytes
_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}


def count_operators(flatbuffer: bytes) -> dict[str, int]:
    """Count the operators of all subgraphs by name; custom ones are called `CUSTOM:name`."""
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    codes = []
    for code in model.operatorCodes:
        name = _NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
        custom = (code.customCode or b"").decode(errors="replace")
        codes.append(f"CUSTOM:{custom}" if name == "CUSTOM" else name)
    used = Counter(codes[op.opcodeIndex] for graph in model.subgraphs for op in graph.operators)
    return dict(sorted(used.items()))


def is_kind(name: str) -> bool:
    """Whether a name is that of a kind of builtin operators."""
    return hasattr(schema.BuiltinOperator, name)


def product_names(flatbuffer: bytes) -> list[str]:
    """Names that the converter gives the products of matrices of the first graph, in their order."""
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    graph, names = model.subgraphs[0], []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) == schema.BuiltinOperator.FULLY_CONNECTED:
            names.append(graph.tensors[operator.outputs[0]].name.decode())
    return names


def check_operators(flatbuffer: bytes) -> dict[str, int]:
    """Refuse operators that are not builtin; return the count of all.

    Raises:
        DdspError: Naming them. Current runtimes cannot run Select-TF (Flex) operators.
    """
    used = count_operators(flatbuffer)
    foreign = [name for name in used if name.startswith("CUSTOM:")]
    if foreign:
        raise DdspError(f"the model needs operators that no current runtime has: {', '.join(foreign)}")
    return used


def check_ports(flatbuffer: bytes) -> None:
    """Refuse signatures that hand an input on as an output, or give one tensor under two names.

    LiteRT's interpreter plays them; its compiled models (C, C++, Kotlin) do not, having one buffer a tensor.

    Raises:
        DdspError: Naming the signature and the tensors.
    """
    for signature in schema.ModelT.InitFromPackedBuf(flatbuffer, 0).signatureDefs or []:
        seen: dict[int, str] = {}
        for port in (*signature.inputs, *signature.outputs):
            name = port.name.decode()
            if port.tensorIndex in seen:
                raise DdspError(
                    f"the signature {signature.signatureKey.decode()} has one tensor for "
                    f"{seen[port.tensorIndex]} and {name}, which hosts with a compiled model cannot play"
                )
            seen[port.tensorIndex] = name


def tidy(flatbuffer: bytes, first: str) -> bytes:
    """Put the graph of a signature first, which runtimes run when none is named, and leave out what is idle.

    The converter sorts signatures by name, names every tensor after the way it came about, and gives each a
    buffer. Names stay in the first graph, where layers go by them, and where signatures need them.
    """
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    [index] = [s.subgraphIndex for s in model.signatureDefs if s.signatureKey == first.encode()]
    model.subgraphs[0], model.subgraphs[index] = model.subgraphs[index], model.subgraphs[0]
    moved = {0: index, index: 0}
    for definition in model.signatureDefs:
        definition.subgraphIndex = moved.get(definition.subgraphIndex, definition.subgraphIndex)
    for graph in model.subgraphs:
        for operator in graph.operators:
            loop = operator.builtinOptions
            if isinstance(loop, schema.WhileOptionsT):
                loop.condSubgraphIndex = moved.get(loop.condSubgraphIndex, loop.condSubgraphIndex)
                loop.bodySubgraphIndex = moved.get(loop.bodySubgraphIndex, loop.bodySubgraphIndex)
    for number, graph in enumerate(model.subgraphs):
        ports = {*graph.inputs, *graph.outputs}
        for index, tensor in enumerate(graph.tensors):
            if number and index not in ports:
                tensor.name = None
            if tensor.quantization is not None and tensor.quantization.scale is None:
                tensor.quantization = None
    _drop_empty_buffers(model)
    return pack(model)


def _drop_empty_buffers(model: Any) -> None:
    """Let all tensors that are computed share buffer 0, which stands for no data."""
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    for tensor in tensors:
        data = model.buffers[tensor.buffer].data
        if data is None or not len(data):
            tensor.buffer = 0
    used = sorted({0, *(t.buffer for t in tensors), *(m.buffer for m in model.metadata or [])})
    places = {old: new for new, old in enumerate(used)}
    model.buffers = [model.buffers[old] for old in used]
    for holder in (*tensors, *(model.metadata or [])):
        holder.buffer = places[holder.buffer]


def operator_code(model: Any, builtin: int, version: int) -> int:
    """Index of an operator in the list of a model that was unpacked, which it joins if it is new."""
    for index, code in enumerate(model.operatorCodes):
        if code.builtinCode == builtin and code.version == version:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, builtin, version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def made_float(graph: Any, stored: int, code: int) -> int:
    """Put an operator in front of a graph that makes a constant float; return the place of what it makes.

    Args:
        graph: A subgraph that was unpacked.
        stored: The tensor in fewer bits.
        code: Index of the operator DEQUANTIZE.
    """
    tensor = graph.tensors[stored]
    floats = schema.TensorT()
    floats.name = tensor.name and tensor.name + b"/float"
    floats.shape, floats.type, floats.buffer = tensor.shape, schema.TensorType.FLOAT32, 0
    floats.hasRank = True
    graph.tensors.append(floats)
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = code, [stored], [len(graph.tensors) - 1]
    graph.operators.insert(0, made)
    return len(graph.tensors) - 1


def pack(model: Any) -> bytes:
    """Serialise a model that was unpacked; what is the same is there once."""
    builder = _SharingBuilder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class _SharingBuilder(flatbuffers.Builder):
    """Writes vectors of numbers that are equal once, and refers to them from wherever they are.

    The scales of a matrix with one for each output are as many as its outputs, with as many zero points of 64
    bits, in each of the graphs that use it: without sharing more than a twentieth of an instrument of 8 bits.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: Any) -> int:
        """Offset of a vector. Bytes lie at multiples of 16, as the schema wants of a buffer's data."""
        key = (x.dtype.str, x.tobytes())
        if key not in self._written:
            if x.dtype.itemsize == 1:
                self.Prep(_BUFFER_ALIGNMENT, x.size)
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]
