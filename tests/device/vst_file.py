"""Files with the tensors of the plug-in DDSP-VST, in any order and shape, whose network is a few formulas.

They stand for files of the web trainer where what is behind the tensors does not matter; stand-ins with the
trainer's network are made by `tests/export/vst_standin.py`, which needs TensorFlow.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

INPUTS = {"f0": ("call_f0_scaled:0", 1), "pw": ("call_pw_scaled:0", 1), "state": ("call_state:0", 512)}
OUTPUTS = {
    "amplitude": ("StatefulPartitionedCall:0", 1),
    "distribution": ("StatefulPartitionedCall:1", 60),
    "magnitudes": ("StatefulPartitionedCall:2", 65),
    "next_state": ("StatefulPartitionedCall:3", 512),
}
METADATA = {
    "mean_min_pitch_note": 60.0,
    "mean_max_pitch_note": 80.0,
    "mean_min_pitch_note_hz": 261.6,
    "mean_max_pitch_note_hz": 830.6,
    "mean_min_power_note": -40.0,
    "mean_max_power_note": -15.0,
    "version": "3.4.3",
    "export_time": "2022-06-01T00:00:00.000001",
    "num_harmonics": 60,
    "num_noise_amps": 65,
}
HIGHEST = ((69.0 + 12.0 * np.log2(8000.0 / np.arange(1, 61) / 440.0)) / 127.0).astype(np.float32)
"""The scaled pitch from which on each harmonic is not below 8 kHz."""
SLOPE = np.linspace(0.0, 0.01, 65, dtype=np.float32)


def expected(f0_scaled: np.ndarray, pw_scaled: np.ndarray) -> dict[str, np.ndarray]:
    """What the network gives, by the formulas, float64 `[frames, channels]`; NaN without a harmonic left."""
    state, rows = np.zeros(512), []
    with np.errstate(invalid="ignore"):
        for f0, power in zip(f0_scaled, pw_scaled, strict=True):
            left = np.maximum(HIGHEST - f0, 0.0)
            rows.append((1.0 / (1.0 + np.exp(-power - state[0])), left / left.sum(), SLOPE * power))
            state = 0.5 * state + f0
    amplitude, distribution, magnitudes = zip(*rows, strict=True)
    return {
        "amplitude": np.array(amplitude)[:, None],
        "distribution": np.array(distribution),
        "magnitudes": np.array(magnitudes),
    }


def vst_model(
    amplitude: Sequence[int] = (1,),
    turned: bool = False,
    sizes: dict[str, Sequence[int]] | None = None,
    types: dict[str, int] | None = None,
    names: dict[str, str] | None = None,
) -> bytes:
    """The flatbuffer.

    Args:
        amplitude: Shape of the amplitude.
        turned: Whether inputs and outputs come in the opposite order.
        sizes: Shapes that tensors are said to have, by name of the port.
        types: The same of types.
        names: The same of names.
    """
    model = _Model()
    shapes = {"amplitude": list(amplitude), **(sizes or {})}
    ports = {}
    for port, (name, size) in {**INPUTS, **OUTPUTS}.items():
        kind = (types or {}).get(port, schema.TensorType.FLOAT32)
        ports[port] = model.tensor((names or {}).get(port, name), shapes.get(port, [size]), kind=kind)
    whole, half, first = model.tensor("sum", [1]), model.constant([0.5]), model.tensor("first", [1])
    model.run("SLICE", [ports["state"], model.integers([0]), model.integers([1])], [first])
    model.run("ADD", [ports["pw"], first], [whole])
    if list(shapes["amplitude"]) == [1]:
        model.run("LOGISTIC", [whole], [ports["amplitude"]])
    else:
        flat = model.tensor("flat", [1])
        model.run("LOGISTIC", [whole], [flat])
        model.run("RESHAPE", [flat, model.integers(shapes["amplitude"])], [ports["amplitude"]])
    below, left, total = model.tensor("below", [60]), model.tensor("left", [60]), model.tensor("total", [1])
    model.run("SUB", [model.constant(HIGHEST), ports["f0"]], [below])
    model.run("RELU", [below], [left])
    options = schema.ReducerOptionsT()
    options.keepDims = True
    model.run("SUM", [left, model.integers([0])], [total], options, "ReducerOptions")
    model.run("DIV", [left, total], [ports["distribution"]])
    model.run("MUL", [model.constant(SLOPE), ports["pw"]], [ports["magnitudes"]])
    halved = model.tensor("halved", [512])
    model.run("MUL", [ports["state"], half], [halved])
    model.run("ADD", [halved, ports["f0"]], [ports["next_state"]])
    order = -1 if turned else 1
    return model.packed([ports[n] for n in INPUTS][::order], [ports[n] for n in OUTPUTS][::order])


def write_vst_file(path: Path, metadata: Any = METADATA, model: bytes | None = None) -> Path:
    """Write a file: text as it is, other metadata as JSON, None for a flatbuffer alone."""
    data = io.BytesIO()
    data.write(vst_model() if model is None else model)
    if metadata is not None:
        text = metadata if isinstance(metadata, str) else json.dumps(metadata)
        with zipfile.ZipFile(data, "a") as archive:
            archive.writestr("metadata.json", text)
    path.write_bytes(data.getvalue())
    return path


class _Model:
    """A flatbuffer of one graph that is being made."""

    def __init__(self) -> None:
        self._model, self._graph = schema.ModelT(), schema.SubGraphT()
        self._model.version, self._model.buffers = 3, [schema.BufferT()]
        self._model.operatorCodes, self._model.subgraphs = [], [self._graph]
        self._graph.tensors, self._graph.operators = [], []

    def tensor(self, name: str, shape: Sequence[int], value: Any = None, kind: int = 0) -> int:
        buffer, tensor = schema.BufferT(), schema.TensorT()
        if value is not None:
            buffer.data = np.frombuffer(value.tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        tensor.name, tensor.type, tensor.buffer = name.encode(), kind, len(self._model.buffers) - 1
        tensor.shape = np.array(shape, np.int32)
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def constant(self, values: Any) -> int:
        array = np.asarray(values, np.float32)
        return self.tensor("constant", array.shape, array)

    def integers(self, values: Sequence[int]) -> int:
        return self.tensor("integers", [len(values)], np.array(values, np.int32), schema.TensorType.INT32)

    def run(
        self, kind: str, inputs: list[int], outputs: list[int], options: Any = None, name: str | None = None
    ) -> None:
        code, operator = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
        code.version = 1
        self._model.operatorCodes.append(code)
        operator.opcodeIndex = len(self._model.operatorCodes) - 1
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if options is None and hasattr(schema, f"{kind.capitalize()}OptionsT"):
            options, name = getattr(schema, f"{kind.capitalize()}OptionsT")(), f"{kind.capitalize()}Options"
        if name is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
        self._graph.operators.append(operator)

    def packed(self, inputs: list[int], outputs: list[int]) -> bytes:
        self._graph.inputs, self._graph.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
