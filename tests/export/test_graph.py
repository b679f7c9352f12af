"""The synthesizer inside the model: law 1 against float64 through the interpreter, and files that hold it."""

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from ddsp_edge.model.file import read_model_file
from ddsp_export.export import export
from ddsp_export.graph import SynthesizerGraph, _sums_of_sines
from ddsp_export.operators import check_operators
from ddsp_export.quantize import quantize_weights, weight_layers
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from tests import oracle

HARMONICS, BANDS = 30, 17


def nodes(mix=False):
    audio = {"audio_0": "harmonic", "audio_1": "noise"}
    controls = {"amplitude": "amplitude", "distribution": "distribution", "f0_hz": "f0_hz"}
    dry = {"type": "Mix", "inputs": {**audio, "level": "level"}} if mix else {"type": "Add", "inputs": audio}
    return [
        {"name": "harmonic", "type": "Harmonic", "config": {"n_harmonics": HARMONICS}, "inputs": controls},
        {
            "name": "noise",
            "type": "FilteredNoise",
            "config": {"n_bands": BANDS},
            "inputs": {"magnitudes": "bands"},
        },
        {"name": "dry", "config": {}, **dry},
        {"name": "room", "type": "Reverb", "config": {"impulse_response": "ir"}, "inputs": {"audio": "dry"}},
    ]


def frames_of(spec, seconds, seed=0):
    """Controls of a voice with vibrato, `[frames, channels]`, and its noise."""
    rng = np.random.default_rng(seed)
    count = spec.frames_for(seconds)
    time = np.arange(count) * spec.hop / spec.sample_rate
    f0_hz = (220.0 * 2.0 ** (0.7 * np.sin(time / 3.0) + 0.04 * np.sin(35.0 * time))).astype(np.float32)
    shares = rng.random((count, HARMONICS)) * (
        f0_hz[:, None] * np.arange(1, HARMONICS + 1) < spec.sample_rate / 2
    )
    return {
        "f0_hz": f0_hz[:, None],
        "amplitude": (0.4 + 0.3 * np.sin(3.0 * time))[:, None].astype(np.float32),
        "distribution": (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32),
        "bands": (0.2 * rng.random((count, BANDS))).astype(np.float32),
        "level": rng.random((count, 1)).astype(np.float32),
        "noise_noise": rng.uniform(-1.0, 1.0, (count, spec.hop)).astype(np.float32),
    }


def expected(spec, given, response, mix=False):
    """The float64 oracle's sound."""
    rate, hop = spec.sample_rate, spec.hop
    amplitudes = given["amplitude"].astype(float) * given["distribution"]
    harmonic = oracle.harmonic(given["f0_hz"][:, 0].astype(float), amplitudes, rate, hop)
    noise = oracle.filtered_noise(given["bands"], given["noise_noise"].ravel(), hop)
    dry = harmonic + noise
    if mix:
        level = given["level"][:, 0].astype(float)
        before = np.concatenate([level[:1], level[:-1]])
        weight = (before[:, None] + oracle.fade(hop) * (level - before)[:, None]).ravel()
        dry = weight * harmonic + (1.0 - weight) * noise
    return oracle.reverb(dry, response)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 60, 150])  # grids with a rest and without, square and not
def test_sums_of_sines_are_those_of_all_sines(count):
    rng = np.random.default_rng(count)
    cycles, amplitudes = rng.uniform(-0.5, 0.5, (1, 64)), rng.uniform(0.0, 1.0, (3, count)) / count
    found = _sums_of_sines(tf.constant(cycles, tf.float32), tf.constant(amplitudes, tf.float32))
    phases = 2.0 * np.pi * np.float64(np.float32(cycles)) * np.arange(1, count + 1)[:, None]
    np.testing.assert_allclose(found, amplitudes @ np.sin(phases), atol=1e-6, rtol=0)


def run_graph(spec, given, response, folder, mix=False):
    """The graph's sound, hop by hop, through TFLite."""
    graph = SynthesizerGraph(spec, {"nodes": nodes(mix), "output": "room"}, {"ir": response})
    inputs = {name: value for name, value in given.items() if mix or name != "level"}
    sizes = {name: value.shape[1] for name, value in inputs.items()} | graph.states
    specification = [tf.TensorSpec([1, size], tf.float32, name=name) for name, size in sizes.items()]

    @tf.function(input_signature=specification)
    def synthesize(*tensors):
        named = dict(zip(sizes, tensors, strict=True))
        audio, states = graph.run(named, named)
        return {"audio": audio, **states}

    tf.saved_model.save(tf.Module(), str(folder), signatures={"synthesize": synthesize})
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=["synthesize"])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    model = converter.convert()
    check_operators(model)
    run = Interpreter(model_content=model, num_threads=1).get_signature_runner("synthesize")
    states = {name: np.zeros([1, size], np.float32) for name, size in graph.states.items()}
    audio = []
    for i in range(len(given["f0_hz"])):
        out = run(**{name: value[i : i + 1] for name, value in inputs.items()}, **states)
        states = {name: out[name] for name in states}
        audio.append(out["audio"][0])
    return np.concatenate(audio)


def response_of(taps, seed=1):
    rng = np.random.default_rng(seed)
    response = 0.1 * rng.normal(size=taps) * np.exp(-5.0 * np.arange(taps) / taps)
    response[0] = 1.0
    return response.astype(np.float32)


@pytest.mark.parametrize(
    ("rate", "hop", "taps", "seconds", "mix"),
    [
        (16000, 64, 700, 2.0, False),
        pytest.param(16000, 64, 700, 60.0, False, marks=pytest.mark.slow),
        (44100, 441, 2000, 2.0, True),
        (48000, 192, 192, 2.0, False),
        (16000, 1, 3, 0.05, True),
    ],
)
def test_the_graph_plays_the_samples_of_the_oracle(rate, hop, taps, seconds, mix, tmp_path):
    """A minute, at which a phase in float32 would be a tenth of a cycle off, and odd hops."""
    spec = FrameSpec(rate, hop)
    given, response = frames_of(spec, seconds), response_of(taps)
    audio = run_graph(spec, given, response, tmp_path, mix)
    want = expected(spec, given, response, mix)
    assert np.abs(want).max() > 0.1
    np.testing.assert_allclose(audio, want, atol=1e-5)  # the law asks for 1e-4


def test_hops_that_the_integers_have_no_room_for_are_refused():
    with pytest.raises(DdspError, match="a hop of 8193 samples is too long for the graph: 8192 at most"):
        SynthesizerGraph(FrameSpec(16000, 8193), {"nodes": nodes()[:1], "output": "harmonic"}, {})


@pytest.mark.parametrize("quantize", ["float32", "int8"])
def test_a_file_holds_the_whole_instrument(exported, quantize):
    path, card = exported(quantize)
    file = read_model_file(path)
    assert file.card == card
    interpreter = Interpreter(model_content=file.model, num_threads=1)
    signatures = interpreter.get_signature_list()
    assert sorted(signatures) == ["block", "play", "step", "synthesize", "voice"]
    noise = {"noise_noise"}
    assert set(signatures["play"]["inputs"]) == {
        "f0_hz",
        "loudness_db",
        *noise,
        *card.state_shapes,
        *card.synthesis_state_shapes,
    }
    assert set(signatures["play"]["outputs"]) == {"audio", *card.state_shapes, *card.synthesis_state_shapes}
    assert set(signatures["synthesize"]["outputs"]) == {"audio", *card.synthesis_state_shapes}
    assert set(signatures["voice"]["inputs"]) == {"player", "state", "white_noise"}
    assert set(signatures["voice"]["outputs"]) == {"signals", "state"}
    assert card.quality["synthesis_error_peak"] < 1e-5
    assert card.quality["play_error_peak"] < 1e-4  # none of so few weights is quantized
    assert card.quality["play_real_time_factor"] > 0.0


@pytest.mark.slow
def test_the_synthesizer_may_be_left_out(trained_run, exported, tmp_path):
    alone, (whole, _) = tmp_path / "alone.tflite", exported("float32")
    card = export(trained_run, alone, "float32", play=False)
    assert card.synthesis_state_shapes == {} == card.voice
    assert not [name for name in card.quality if name.startswith("play_")]
    files = [read_model_file(path).model for path in (alone, whole)]
    signatures = [sorted(Interpreter(model_content=model).get_signature_list()) for model in files]
    assert signatures == [["block", "step"], ["block", "play", "step", "synthesize", "voice"]]


def test_the_weights_are_in_the_file_once_and_the_synthesizer_is_not_quantized(wide_float32):
    """The same matrices in `step`, `block` and `play`; transforms and rooms stay as they are."""
    plain, whole = wide_float32
    weights = sum(weight_layers(whole).values())
    assert weights == sum(weight_layers(plain).values()) > 40_000
    assert len(plain) < 1.5 * 4 * weights
    added = len(whole) - len(plain)
    assert added < 100_000
    int8 = [quantize_weights(model, "int8") for model in (plain, whole)]
    # Scales of outputs stand in every graph that uses a matrix: kilobytes more. Transforms in fewer bits
    # would be tens of kilobytes less.
    assert -1_000 < len(int8[1]) - len(int8[0]) - added < 10_000
    assert len(whole) - len(int8[1]) > 2.5 * weights
