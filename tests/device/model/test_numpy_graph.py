"""A network in numpy: what LiteRT computes, and models that cannot be, refused in words."""

import copy
import struct
import tracemalloc

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from ddsp_edge import DdspError, read_model_file
from ddsp_edge.model import numpy_graph, tflite
from ddsp_edge.model.flatbuffer import Table
from ddsp_edge.model.network import Network
from ddsp_edge.model.numpy_graph import NumpyGraph
from ddsp_edge.units import scale_f0, scale_loudness
from tests.device.conftest import TINY

FILE = read_model_file(TINY)
FRAMES = 250


def features():
    at = np.arange(FRAMES)
    f0_hz = 300.0 * 2.0 ** (np.sin(at / 10.0) / 6.0)
    return scale_f0(f0_hz), scale_loudness(-25.0 + 15.0 * np.sin(at / 20.0))


def step_alone():
    """The small instrument's model with the graph of `step` alone, packed."""
    model = schema.ModelT.InitFromPackedBuf(FILE.model, 0)
    model.signatureDefs = [s for s in model.signatureDefs if s.signatureKey == b"step"]
    model.subgraphs = model.subgraphs[:1]
    kept = sorted({0, *(tensor.buffer for tensor in model.subgraphs[0].tensors)})
    for tensor in model.subgraphs[0].tensors:
        tensor.buffer = kept.index(tensor.buffer)
    model.buffers, model.metadata, model.metadataBuffer = [model.buffers[k] for k in kept], [], None
    return packed(model)


def unpacked():
    """It as objects."""
    return schema.ModelT.InitFromPackedBuf(SMALL, 0)


def packed(model):
    import flatbuffers

    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


SMALL = step_alone()


def operators(model, name):
    number = getattr(schema.BuiltinOperator, name)
    codes = [max(c.builtinCode, c.deprecatedBuiltinCode) for c in model.operatorCodes]
    return [one for one in model.subgraphs[0].operators if codes[one.opcodeIndex] == number]


def test_it_gives_what_litert_gives_and_carries_its_state():
    """Bit for bit but for exponentials and orders of sums; see `test_backends` for long sounds."""
    want = Network(FILE.model, FILE.card, "litert").process(*features())
    network = Network(FILE.model, FILE.card, "numpy")
    found = network.process(*features())
    assert set(found) == set(want)
    for name, values in want.items():
        np.testing.assert_allclose(found[name], values, atol=2e-6, rtol=0)
    network.reset()
    again = [network.process(*(x[a : a + 50] for x in features())) for a in range(0, FRAMES, 50)]
    for name, values in found.items():
        np.testing.assert_array_equal(np.concatenate([part[name] for part in again]), values)


def test_a_result_is_not_changed_by_the_next_run():
    graph = NumpyGraph(SMALL, "step")
    outputs = [details["index"] for details in graph.outputs.values()]
    graph.invoke()
    first = [graph.get_tensor(number) for number in outputs]
    kept = copy.deepcopy(first)
    for details in graph.inputs.values():
        graph.set_tensor(details["index"], np.full(details["shape"], 0.5, np.float32))
    graph.invoke()
    for number, values, want in zip(outputs, first, kept, strict=True):
        np.testing.assert_array_equal(values, want)
        assert np.any(graph.get_tensor(number) != want)


def other_operator(number):
    def change(model):
        model.operatorCodes[0].builtinCode = number
        model.operatorCodes[0].deprecatedBuiltinCode = min(number, 127)

    return change


def tensor_with(**changes):
    """Change the tensor that the first matrix product gives."""

    def change(model):
        tensor = model.subgraphs[0].tensors[operators(model, "FULLY_CONNECTED")[0].outputs[0]]
        for name, value in changes.items():
            setattr(tensor, name, value)

    return change


def operator_with(name, **changes):
    def change(model):
        for key, value in changes.items():
            setattr(operators(model, name)[0], key, value)

    return change


def option_with(name, **changes):
    def change(model):
        for key, value in changes.items():
            setattr(operators(model, name)[0].builtinOptions, key, value)

    return change


def constants_with(name, place, values):
    """Change what an operator takes at a place, a constant."""

    def change(model):
        tensor = model.subgraphs[0].tensors[operators(model, name)[0].inputs[place]]
        model.buffers.append(schema.BufferT())
        model.buffers[-1].data = np.frombuffer(np.asarray(values).tobytes(), np.uint8)
        tensor.buffer = len(model.buffers) - 1

    return change


def in_a_circle(model):
    first, second = operators(model, "MUL")[:2]
    first.inputs = [second.outputs[0], second.outputs[0]]


def twice(model):
    first, second = operators(model, "FULLY_CONNECTED")[:2]
    second.outputs = first.outputs


def quantized(**changes):
    def change(model):
        weights = [t for t in model.subgraphs[0].tensors if t.type == schema.TensorType.INT8]
        for name, value in changes.items():
            setattr(weights[0].quantization, name, value)

    return change


def of_integers(model):
    """An operator on the weights of 8 bits."""
    tensors, operator = model.subgraphs[0].tensors, operators(model, "TANH")[0]
    [number] = [k for k, tensor in enumerate(tensors) if tensor.type == schema.TensorType.INT8]
    operator.inputs, tensors[operator.outputs[0]].shape = [number], tensors[number].shape


def no_signature(model):
    model.signatureDefs[0].signatureKey = b"stop"


def other_graph(model):
    model.signatureDefs[0].subgraphIndex = 7


def port_of_nowhere(model):
    model.signatureDefs[0].outputs[0].tensorIndex = 99_999


HOSTILE = {
    "square": (
        other_operator(92),
        "uses the operator SQUARE, which numpy does not run here: install ai-edge",
    ),
    "custom": (other_operator(32), "uses the operator CUSTOM"),
    "later": (other_operator(199), "uses the operator 199 of TensorFlow Lite's schema"),
    "operator of nowhere": (operator_with("TANH", opcodeIndex=999), "uses operator 999 of"),
    "tensor of nowhere": (operator_with("TANH", inputs=[99_999]), "uses tensor 99999 of"),
    "tensor below 0": (operator_with("TANH", inputs=[-2]), "uses tensor -2 of"),
    "no input": (operator_with("TANH", inputs=[]), "TANH"),
    "input left out": (operator_with("TANH", inputs=[-1]), "TANH lacks an input"),
    "one input of two": (operator_with("MUL", inputs=[1]), "MUL"),
    "no output": (operator_with("TANH", outputs=[]), "TANH does not fit"),
    "output left out": (operator_with("TANH", outputs=[-1]), "TANH leaves an output out"),
    "integers": (of_integers, "TANH takes a constant that is no float32"),
    "weights that are computed": (other_operator(6), "DEQUANTIZE is used on something else"),
    "two outputs": (operator_with("TANH", outputs=[1, 2]), "TANH computes tensor 1, which is there"),
    "buffer of nowhere": (tensor_with(buffer=9999), "is in buffer 9999 of"),
    "in integers": (tensor_with(type=schema.TensorType.INT8), r"computes in integers \(int8-full\)"),
    "huge": (tensor_with(shape=[1, 2**31 - 1]), "weights or computes .* values"),
    "huge in eight ways": (tensor_with(shape=[2**31 - 1] * 8), "weights or computes .* values"),
    "no size": (tensor_with(shape=[1, 0]), "impossible shape"),
    "negative": (tensor_with(shape=[1, -16]), "impossible shape"),
    "many axes": (tensor_with(shape=[1] * 9), "impossible shape"),
    "other size": (tensor_with(shape=[1, 17]), "FULLY_CONNECTED has weights"),
    "circle": (in_a_circle, "before it is computed"),
    "twice": (twice, "which is there already"),
    "cut off weights": (constants_with("FULLY_CONNECTED", 1, [1.0]), "has 8 bytes, not what"),
    "axis": (constants_with("SPLIT", 0, np.int32([7])), "SPLIT has the axis 7 of 2"),
    "parts": (constants_with("SPLIT_V", 1, np.int32([99, -97, 28])), "parts that are not the whole"),
    "step of 0": (constants_with("STRIDED_SLICE", 3, np.int32([0, 0])), "STRIDED_SLICE does not fit"),
    "begin of nowhere": (constants_with("STRIDED_SLICE", 2, np.int32([1, 77])), "STRIDED_SLICE gives"),
    "ellipsis": (option_with("STRIDED_SLICE", ellipsisMask=1), "ellipsis"),
    "activation": (option_with("MUL", fusedActivationFunction=5), "MUL has the activation 5"),
    "slope": (option_with("LEAKY_RELU", alpha=7.0), "LEAKY_RELU has the slope 7"),
    "axis of a join": (option_with("CONCATENATION", axis=5), "CONCATENATION has the axis 5 of 2"),
    "weights in another order": (option_with("FULLY_CONNECTED", weightsFormat=1), "no constant matrix"),
    "scales": (quantized(scale=np.ones(5, np.float32)), "quantized in a way"),
    "scales beyond outputs": (quantized(scale=np.ones(999, np.float32)), "999 scales for 48 outputs"),
    "scale of nothing": (quantized(scale=np.full(48, np.nan, np.float32)), "computes in integers"),
    "zero points": (quantized(zeroPoint=np.full(48, 3)), "computes in integers"),
    "no signature": (no_signature, "has no signature 'step'. Signatures: stop"),
    "graph of nowhere": (other_graph, "is graph 7 of 1"),
    "port of nowhere": (port_of_nowhere, "uses tensor 99999 of"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_model_that_cannot_be_is_refused_in_words(case):
    change, message = HOSTILE[case]
    model = unpacked()
    change(model)
    with pytest.raises(DdspError, match=rf"The network cannot be loaded by numpy: .*{message}") as caught:
        Network(packed(model), FILE.card, "numpy")
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_tables_that_share_a_long_vtable_cost_no_memory():
    """A vtable may be 64 kB long, and that of any number of tables."""
    size = 65_534
    vtable = struct.pack("<HH", size, 4) + bytes([1, 2]) * ((size - 4) // 2)
    data = vtable + b"\0\0" + struct.pack("<i", len(vtable) + 2)
    tracemalloc.start()
    tables = [Table(data, len(vtable) + 2) for _ in range(2000)]
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < 2000 * len(tables)
    with pytest.raises(DdspError, match="an offset points to byte"):
        tables[0].whole(0)


def test_products_count_as_work_besides_the_weights(monkeypatch):
    model = unpacked()
    tensors = model.subgraphs[0].tensors
    weights = sum(int(np.prod(tensors[one.inputs[1]].shape)) for one in operators(model, "FULLY_CONNECTED"))
    monkeypatch.setattr(numpy_graph, "MAX_WORK", 2 * weights)
    with pytest.raises(DdspError, match="products in a frame"):
        NumpyGraph(SMALL, "step")
    monkeypatch.setattr(numpy_graph, "MAX_WORK", 4 * weights)
    NumpyGraph(SMALL, "step")


def test_work_and_memory_have_limits(monkeypatch):
    monkeypatch.setattr(numpy_graph, "MAX_WORK", 1000)
    with pytest.raises(DdspError, match="more than 1000 products in a frame"):
        NumpyGraph(SMALL, "step")
    monkeypatch.setattr(tflite, "MAX_VALUES", 1000)
    with pytest.raises(DdspError, match=r"weights or computes .* values: 1000 at most"):
        NumpyGraph(SMALL, "step")
    monkeypatch.setattr(tflite, "MAX_OPERATORS", 50)
    with pytest.raises(DdspError, match=r"claims .* entries where at most 50 are read"):
        NumpyGraph(SMALL, "step")


def test_a_model_cut_short_anywhere_is_refused_in_words():
    rng = np.random.default_rng(0)
    for kept in [0, 1, 7, 8, 20, *rng.integers(8, len(SMALL), 200).tolist(), len(SMALL) - 1]:
        with pytest.raises(DdspError):
            NumpyGraph(SMALL[:kept], "step")


def test_flipped_bytes_are_refused_or_played():
    """2400 bytes, three in a model: nothing but words or finite controls comes out."""
    rng, card = np.random.default_rng(0), FILE.card
    refused = 0
    for _ in range(800):
        model = bytearray(SMALL)
        for where in rng.integers(0, len(model), 3):
            model[where] ^= int(rng.integers(1, 256))
        try:
            found = Network(bytes(model), card, "numpy").process([0.5], [0.7])
        except DdspError:
            refused += 1
            continue
        assert all(np.isfinite(values).all() for values in found.values())
    assert 400 < refused < 800
