"""Weights of a TFLite flatbuffer in fewer bits, layer by layer.

TensorFlow's converter quantizes all layers or none; here those that would be heard stay float. What is
written is what the converter writes, so it runs wherever LiteRT does:

- `int8`: dynamic range. Weights are int8, symmetric, with a scale for each output channel; activations are
  quantized on the fly and products are of integers: small, and the fastest.
- `int8-layers`: the same with one scale for each matrix: a little less exact, for runtimes before 2.17.
- `int8-weights`: the weights of `int8`, made float when the model is loaded: small, and as slow as float32.
- `float16`: weights in half precision, made float when the model is loaded.
- `float32`: as it is.
"""

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ddsp_edge.units import Array
from ddsp_export.operators import made_float, operator_code, pack
from ddsp_tf.errors import DdspError

QUANTIZATIONS = ("int8", "int8-layers", "int8-weights", "float16", "float32")

MIN_WEIGHTS = 1024
"""Smaller matrices stay float, there being nothing to save: the converter's own limit."""

_FULLY_CONNECTED, _DEQUANTIZE = schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOperator.DEQUANTIZE
_VERSIONS = {"int8": 12, "int8-layers": 9, "int8-weights": 5, "float16": 3}
"""Of the operator that takes the weights: the first version that knows them, with scales by channel."""


def weight_layers(flatbuffer: bytes) -> dict[str, int]:
    """Find the layers of a float32 model whose weights can be stored in fewer bits.

    Returns:
        Number of weights by the tensor's name, such as `head_1/MatMul`, in the order of their use.
    """
    return {name: weights.size for name, _, _, weights in _matrices(_read(flatbuffer))}


def quantize_weights(flatbuffer: bytes, quantization: str, keep: Collection[str] = ()) -> bytes:
    """Store the weights of a float32 model in fewer bits.

    Args:
        flatbuffer: What the converter made, without quantization.
        quantization: One of `QUANTIZATIONS`.
        keep: Layers that stay float32, by the names that `weight_layers` gives.

    Returns:
        The flatbuffer.

    Raises:
        DdspError: If there is no such quantization or layer.
    """
    if quantization not in QUANTIZATIONS:
        raise DdspError(f"quantize must be one of {', '.join(QUANTIZATIONS)}. Received: {quantization!r}")
    model = _read(flatbuffer)
    unknown = set(keep) - {name for name, *_ in _matrices(model)}
    if unknown:
        raise DdspError(f"the model has no weights called {', '.join(sorted(unknown))}")
    if quantization == "float32":
        return flatbuffer
    stored: dict[int, Array] = {}  # scales by buffer: signatures share weights
    for name, graph, operator, weights in list(_matrices(model)):
        if name in keep:
            continue
        tensor = graph.tensors[operator.inputs[1]]
        if tensor.buffer not in stored:
            values, stored[tensor.buffer] = _fewer_bits(weights, quantization)
            model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
        tensor.type = schema.TensorType.FLOAT16 if quantization == "float16" else schema.TensorType.INT8
        if quantization != "float16":
            tensor.quantization = _parameters(stored[tensor.buffer])
        if quantization in ("int8", "int8-layers"):
            operator.opcodeIndex = operator_code(model, _FULLY_CONNECTED, _VERSIONS[quantization])
            operator.builtinOptions.asymmetricQuantizeInputs = True
        else:
            code = operator_code(model, _DEQUANTIZE, _VERSIONS[quantization])
            _dequantize_first(graph, operator, code)
    return pack(model)


def _read(flatbuffer: bytes) -> Any:
    return schema.ModelT.InitFromPackedBuf(flatbuffer, 0)


def _matrices(model: Any) -> Iterator[tuple[str, Any, Any, Array]]:
    """Name, graph, operator and float32 weights of each large matrix product of the network.

    What is multiplied in the first graph, `step`, is the network's; of the other graphs the same weights.
    Their other matrices are transforms of the synthesizer, which stays float32.
    """
    names: dict[bytes, str] = {}
    for index, graph in enumerate(model.subgraphs):
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            if max(code.builtinCode, code.deprecatedBuiltinCode) != _FULLY_CONNECTED:
                continue
            tensor = graph.tensors[operator.inputs[1]]
            data = model.buffers[tensor.buffer].data
            if data is None or tensor.type != schema.TensorType.FLOAT32:
                continue
            weights = np.frombuffer(bytes(data), np.float32).reshape(tensor.shape)
            if weights.size < MIN_WEIGHTS:
                continue
            if index == 0:
                names[bytes(data)] = tensor.name.decode()
            if bytes(data) in names:
                yield names[bytes(data)], graph, operator, weights


def _fewer_bits(weights: Array, quantization: str) -> tuple[Array, Array]:
    """Stored values `[outputs, inputs]`, and the scale of each output, or the one of all."""
    if quantization == "float16":
        return weights.astype(np.float16), np.ones(0, np.float32)
    largest = np.abs(weights).max(axis=1)
    if quantization == "int8-layers":
        largest = largest.max(keepdims=True)
    scales = np.where(largest > 0.0, largest / 127.0, 1.0).astype(np.float32)
    return np.clip(np.rint(weights / scales[:, None]), -127, 127).astype(np.int8), scales


def _parameters(scales: Array) -> Any:
    parameters = schema.QuantizationParametersT()
    parameters.scale, parameters.zeroPoint = scales, np.zeros(len(scales), np.int64)
    parameters.quantizedDimension = 0
    return parameters


def _dequantize_first(graph: Any, operator: Any, code: int) -> None:
    """Put an operator in front that makes the weights float again."""
    floats = made_float(graph, operator.inputs[1], code)
    operator.inputs = [operator.inputs[0], floats, *operator.inputs[2:]]
