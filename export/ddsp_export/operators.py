"""What is in a TFLite flatbuffer: its operators, and the order of its graphs."""

from collections import Counter
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from ddsp_edge.errors import DdspError

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


def put_first(flatbuffer: bytes, signature: str) -> bytes:
    """Make the graph of a signature the first, which runtimes run when none is named.

    The converter sorts signatures by name.
    """
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    [first] = [s.subgraphIndex for s in model.signatureDefs if s.signatureKey == signature.encode()]
    if first == 0:
        return flatbuffer
    model.subgraphs[0], model.subgraphs[first] = model.subgraphs[first], model.subgraphs[0]
    moved = {0: first, first: 0}
    for definition in model.signatureDefs:
        definition.subgraphIndex = moved.get(definition.subgraphIndex, definition.subgraphIndex)
    return pack(model)


def pack(model: Any) -> bytes:
    """Serialise a model that was unpacked."""
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
