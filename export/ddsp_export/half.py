"""Constants that half precision holds exactly are stored in it: half the bytes, and the same numbers."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ddsp_edge.units import Array
from ddsp_export.operators import made_float, operator_code, pack

MIN_VALUES = 1024
"""Smaller constants stay as they are: the operator that makes them float again takes more than it saves."""

_VERSION = 3  # of DEQUANTIZE, the first that knows float16


def halved(flatbuffer: bytes) -> bytes:
    """Store constants in half precision where that changes none of their values.

    Runtimes make them float once, when the model is loaded. Nobody computes in half precision.

    Args:
        flatbuffer: A model.

    Returns:
        The model, which computes the same.
    """
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    exact = {number for number, buffer in enumerate(model.buffers) if _is_exact(buffer.data)}
    exact &= {t.buffer for graph in model.subgraphs for t in graph.tensors if _is_float(t)}
    exact -= {t.buffer for graph in model.subgraphs for t in graph.tensors if not _is_float(t)}
    exact -= {
        graph.tensors[place].buffer for graph in model.subgraphs for place in (*graph.inputs, *graph.outputs)
    }
    if not exact:
        return flatbuffer
    for number in exact:
        values = np.frombuffer(bytes(model.buffers[number].data), "<f4").astype("<f2")
        model.buffers[number].data = np.frombuffer(values.tobytes(), np.uint8)
    code = operator_code(model, schema.BuiltinOperator.DEQUANTIZE, _VERSION)
    for graph in model.subgraphs:
        for place in [i for i, tensor in enumerate(graph.tensors) if tensor.buffer in exact]:
            graph.tensors[place].type = schema.TensorType.FLOAT16
            floats = made_float(graph, place, code)
            for operator in graph.operators[1:]:
                operator.inputs = [floats if i == place else i for i in operator.inputs]
    return pack(model)


def _is_float(tensor: Any) -> bool:
    return bool(tensor.type == schema.TensorType.FLOAT32)


def _is_exact(data: Array | None) -> bool:
    """Whether bytes are many float32 numbers that half precision has too."""
    if data is None or len(data) < 4 * MIN_VALUES or len(data) % 4:
        return False
    values = np.frombuffer(bytes(data), "<f4")
    with np.errstate(over="ignore"):
        return bool(np.array_equal(values, values.astype(np.float16).astype(np.float32)))
