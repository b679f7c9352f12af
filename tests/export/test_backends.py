"""An exported instrument, however its weights are stored, sounds the same with every backend."""

import copy
import dataclasses

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from ddsp_edge.errors import DdspError
from ddsp_edge.instrument import Instrument
from ddsp_edge.live import KeySettings
from ddsp_edge.live.voices import VoiceBank
from ddsp_edge.model.file import write_model_file
from ddsp_edge.model.numpy_graph import NumpyGraph
from ddsp_export.graph import SynthesizerGraph
from ddsp_export.operators import pack
from ddsp_export.quantize import QUANTIZATIONS, quantize_weights
from ddsp_tf.models import Autoencoder
from ddsp_tf.tasks.instrument.export.describe import describe
from ddsp_tf.tasks.instrument.export.endpoints import VoiceSynthesis
from ddsp_tf.tasks.instrument.export.exportable import convert_model as convert
from tests import tiny
from tests.export.conftest import WIDTH

LAW = 1e-4  # of full scale, law 1
EXACT = ("float32", "float16", "int8-weights")  # products of floats


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The instrument, untrained, by how its weights are stored."""
    model = copy.deepcopy(tiny.settings()["model"])
    group = model["processors"]
    group["inputs"] += ["level", "air"]
    noise = group["nodes"][1]
    group["nodes"][2:3] = [
        {
            "name": "dry",
            "type": "Mix",
            "inputs": {"audio_0": "harmonic", "audio_1": "noise", "level": "level"},
        },
        {**noise, "name": "breath", "inputs": {"magnitudes": "air"}},
        {"name": "both", "type": "Add", "inputs": {"audio_0": "dry", "audio_1": "breath"}},
    ]
    group["nodes"][-1]["inputs"]["audio"] = "both"
    model["decoder"] = {"type": "GruDecoder", "units": WIDTH, "layer_units": WIDTH, "layers": 1}
    known = {
        "f0_estimator": {"name": "yin-viterbi"},
        "loudness": "A-weighted",
        "f0_hz_range": {"low": 200.0, "median": 300.0, "high": 400.0},
        "loudness_db_range": {"low": -40.0, "median": -25.0, "high": -10.0},
    }
    keras.utils.set_random_seed(0)
    instrument = Autoencoder.from_experiment(tiny.config(model=model), known)
    card, arrays = describe(instrument, play=True)
    [(room, response)] = arrays.items()
    echoes = np.random.default_rng(0).normal(size=len(response) - 1) * 0.05
    arrays[room] = np.array([1.0, *echoes], np.float32)
    synthesizer = SynthesizerGraph(instrument.spec, card.synthesizer, arrays)
    voice = VoiceSynthesis.of(instrument.spec, card.synthesizer, arrays)
    float32 = convert(instrument, None, synthesizer, voice)
    folder = tmp_path_factory.mktemp("files")
    for how in QUANTIZATIONS:
        stored = dataclasses.replace(card, quantization=how)
        write_model_file(folder / f"{how}.tflite", quantize_weights(float32, how), stored, arrays)
    return folder


def played(path, backend, seconds):
    instrument = Instrument(path, seed=1, backend=backend)
    frames = np.arange(round(seconds * tiny.FRAME_RATE))
    f0_hz = 300.1 * 2.0 ** (np.sin(frames / 40.0) / 6.0)
    f0_hz[50:500] = 440.1
    blocks = np.array_split(np.stack([f0_hz, -25.0 + 15.0 * np.sin(frames / 20.0)]), 20, axis=1)
    return np.concatenate([*(instrument.process(*block) for block in blocks), instrument.flush()])


@pytest.mark.parametrize("backend", ["play", "numpy"])
@pytest.mark.parametrize("how", QUANTIZATIONS)
def test_it_sounds_the_same(files, how, backend):
    seconds = 60.0 if how == "float32" else 5.0  # law 1 asks for a minute: what drifts is not seen in less
    want = played(files / f"{how}.tflite", "step", seconds)
    found = played(files / f"{how}.tflite", backend, seconds)
    assert np.abs(want).max() > 0.02  # untrained
    if how in EXACT:
        np.testing.assert_allclose(found, want, atol=LAW, rtol=0)
        return
    # Where a feature that differs in its last bit is rounded to another step of 8 bits, the sound differs by
    # that; in all by less than rounding to 8 bits does at all.
    rounding = np.std(want - played(files / "float32.tflite", "step", seconds))
    assert np.std(found - want) < rounding


@pytest.mark.parametrize("how", QUANTIZATIONS)
def test_voices_sound_the_same_by_graph_and_numpy(files, how):
    """With a crossfade and two noises, a room after them, gains that change and a voice that begins late."""

    def chords(backend):
        bank = VoiceBank(files / f"{how}.tflite", 2, seed=1, backend=backend)
        settings, hops = KeySettings(), []
        for i in range(round(3.0 * tiny.FRAME_RATE)):
            settings.harmonic_db, settings.noise_db = -0.05 * i, 6.0 * (i % 2)
            numbers = [0, 1] if i > 50 else [0]
            f0_hz = np.array([220.1 + i / 10.0, 330.1], np.float32)[: len(numbers)]
            dry = bank.play_voices(numbers, f0_hz, np.full(len(numbers), -20.0), settings).sum(axis=0)
            hops.append(bank.reverberate(dry, 0.7))
        return np.concatenate(hops)

    want = chords("numpy")
    assert np.abs(want).max() > 0.01
    np.testing.assert_allclose(chords("graph"), want, atol=0.1 * LAW, rtol=0)  # a soft sound


@pytest.mark.parametrize("how", QUANTIZATIONS)
def test_every_matrix_product_is_that_of_litert(files, how):
    """One product at a time: 8-bit activations are rounded as XNNPACK rounds them, to the bit."""
    rng, compared = np.random.default_rng(0), 0
    flatbuffer = (files / f"{how}.tflite").read_bytes()
    for number, given in enumerate(products(flatbuffer)):
        single = alone(flatbuffer, number)
        graph, interpreter = NumpyGraph(single, "step"), Interpreter(model_content=single, num_threads=1)
        interpreter.allocate_tensors()
        for _ in range(20):
            spread, middle = rng.uniform(0.01, 5.0), rng.uniform(-1.0, 1.0)
            values = rng.normal(middle, spread, graph.inputs["x"]["shape"]).astype(np.float32)
            interpreter.set_tensor(given, values)
            interpreter.invoke()
            graph.set_tensor(given, values)
            graph.invoke()
            result = graph.outputs["y"]["index"]
            want = interpreter.get_tensor(result)
            bound = 1e-5 * np.abs(want).max()  # of float32 in another order
            np.testing.assert_allclose(graph.get_tensor(result), want, atol=bound, rtol=0)
            compared += 1
    assert compared >= 60


def is_product(model, operator):
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode) == schema.BuiltinOperator.FULLY_CONNECTED


def products(flatbuffer):
    """The tensor that each matrix product of the first graph multiplies."""
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    return [one.inputs[0] for one in model.subgraphs[0].operators if is_product(model, one)]


def alone(flatbuffer, number):
    """A model of one matrix product, and what makes its weights floats, from `x` to `y`."""
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    graph = model.subgraphs[0]
    product = [one for one in graph.operators if is_product(model, one)][number]
    before = [one for one in graph.operators if one.outputs[0] == product.inputs[1]]
    graph.operators = [*before, product]
    graph.inputs, graph.outputs = [product.inputs[0]], product.outputs
    model.subgraphs = [graph]
    [step] = [one for one in model.signatureDefs if one.signatureKey == b"step"]
    model.signatureDefs = [step]
    step.inputs, step.outputs = step.inputs[:1], step.outputs[:1]
    step.inputs[0].name, step.inputs[0].tensorIndex = b"x", product.inputs[0]
    step.outputs[0].name, step.outputs[0].tensorIndex = b"y", product.outputs[0]
    return pack(model)


def test_integers_throughout_are_refused_in_words(files):
    model = schema.ModelT.InitFromPackedBuf((files / "float32.tflite").read_bytes(), 0)
    for tensor in model.subgraphs[0].tensors:
        tensor.type = schema.TensorType.INT8 if not tensor.buffer else tensor.type
    with pytest.raises(DdspError, match=r"computes in integers \(int8-full\), which numpy does not"):
        NumpyGraph(pack(model), "step")
