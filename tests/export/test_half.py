"""Constants in half precision, where that changes nothing; and the late part of a room among them."""

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from ddsp_export.graph import ReverbHop
from ddsp_export.half import halved
from ddsp_export.operators import count_operators
from ddsp_tf.frames import FrameSpec

RNG = np.random.default_rng(0)
EXACT = RNG.normal(size=[40, 64]).astype(np.float16).astype(np.float32)
ROUGH = RNG.normal(size=[40, 64]).astype(np.float32)


def converted(function, size=64):
    module = tf.Module()
    module.run = tf.function(
        lambda x: {"y": function(x)}, input_signature=[tf.TensorSpec([1, size], tf.float32, name="x")]
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.run.get_concrete_function()], module)
    return bytes(converter.convert())


def played(flatbuffer, x):
    interpreter = Interpreter(model_content=flatbuffer)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def test_what_half_precision_holds_takes_half_the_bytes_and_computes_the_same():
    before = converted(lambda x: x * EXACT + x * ROUGH)
    after = halved(before)
    assert len(before) - len(after) == pytest.approx(EXACT.nbytes / 2, abs=400)
    assert count_operators(after)["DEQUANTIZE"] == 1
    x = RNG.normal(size=[1, 64]).astype(np.float32)
    np.testing.assert_array_equal(played(after, x), played(before, x))


def test_what_it_does_not_hold_stays():
    before = converted(lambda x: x * ROUGH)
    assert halved(before) == before


def room(seconds, echo_db, rate=16_000):
    """Noise that falls by 60 dB over its length, so loud all together, as `Room` rounds it."""
    taps = round(seconds * rate)
    response = RNG.normal(size=taps) * 10.0 ** (-3.0 * np.arange(taps) / taps)
    response *= 10.0 ** (echo_db / 20.0) / np.sqrt(np.sum(response**2))
    response[0] = 1.0
    return response.astype(np.float16).astype(np.float32)


@pytest.mark.parametrize("echo_db", [-30.0, -6.0])
def test_a_room_whose_late_part_is_halved_convolves_with_the_whole(echo_db, tmp_path):
    spec, response = FrameSpec(16_000, 128), room(0.5, echo_db)
    hop = ReverbHop(spec, response)
    sizes = {"audio": spec.hop, **hop.states}

    @tf.function(input_signature=[tf.TensorSpec([1, n], tf.float32, name=name) for name, n in sizes.items()])
    def run(*given):
        named = dict(zip(sizes, given, strict=True))
        audio, states = hop.run({"audio": named["audio"]}, named)
        return {"out": audio, **{f"{name}_after": state for name, state in states.items()}}

    tf.saved_model.save(tf.Module(), str(tmp_path), signatures={"run": run})
    whole = bytes(tf.lite.TFLiteConverter.from_saved_model(str(tmp_path), signature_keys=["run"]).convert())
    half = halved(whole)
    assert len(half) < 0.85 * len(whole)
    sound = RNG.uniform(-0.5, 0.5, 100 * spec.hop)
    want = np.convolve(sound, response.astype(float))[: len(sound)]
    runner = Interpreter(model_content=half).get_signature_runner("run")
    states = {name: np.zeros([1, n], np.float32) for name, n in hop.states.items()}
    ours = []
    for i in range(100):
        given = {"audio": sound[None, i * 128 : i * 128 + 128].astype(np.float32), **states}
        out = runner(**given)
        ours.append(out["out"][0])
        states = {name: out[f"{name}_after"] for name in states}
    # law 1 asks for 1e-4; what rounding adds is 75 dB below an echo that is 13 dB below the sound
    np.testing.assert_allclose(np.concatenate(ours), want, atol=6e-5)
