"""Extreme controls give finite sound; controls that are no numbers are refused by name, and never spread."""

import re

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_tf.errors import DdspError
from ddsp_tf.layers import AUDIO, Mix, ProcessorGroup, TensorToAudio
from ddsp_tf.layers.processor import LARGEST_CONTROL
from tests.layers.cases import CASES, ONE_EACH
from tests.layers.harness import make_inputs

NO_NUMBERS = (np.nan, np.inf, -np.inf)


def is_physical(layer, name):
    """Whether an input is a signal, or in Hz, and passes as it is; others are squashed."""
    samples = type(layer).__name__ == "TensorToAudio"
    as_they_are = name in ("harmonic_shifts", "impulse_response", "tables")
    return layer.input_sizes[name] is AUDIO or name.endswith("_hz") or samples or as_they_are


def with_value(tensor, value, place=None):
    """The tensor with a value in one place, in the middle unless given."""
    array = tensor.numpy().copy()
    array.reshape(-1)[array.size // 2 if place is None else place] = value
    return tf.constant(array)


@pytest.mark.parametrize("name", CASES)
def test_controls_that_are_no_numbers_are_refused_by_name_and_place(name):
    layer = CASES[name](16000, 64)
    controls = layer.get_controls(**make_inputs(layer))
    for key, tensor in controls.items():
        for value in (*NO_NUMBERS, 1.001 * LARGEST_CONTROL):
            words = re.escape(f"{layer.name}: control {key!r} must be finite, at most 1e+10 in magnitude")
            with pytest.raises(
                DdspError, match=rf"{words}. Received: (nan|-?inf|10010\d+\.0) at \[[\d, ]+\], 1 of"
            ):
                layer.get_signal(**{**controls, key: with_value(tensor, value)})


@pytest.mark.parametrize("name", CASES)
def test_raw_inputs_that_are_no_numbers_are_refused_or_saturate(name):
    layer = CASES[name](16000, 64)
    inputs = make_inputs(layer)
    for key, tensor in inputs.items():
        for value in NO_NUMBERS:
            broken = {**inputs, key: with_value(tensor, value)}
            if np.isnan(value) or is_physical(layer, key):
                # `delay` is called `delay_ms` as a control, `frequencies` `frequencies_hz`
                with pytest.raises(
                    DdspError, match=rf"{layer.name}: control '{key}(_ms|_hz)?' must be finite"
                ):
                    layer(broken)
                continue
            try:
                audio = layer(broken)
            except DdspError as error:  # a softmax makes no number of it
                assert f"control '{key}" in str(error)  # noqa: PT017 (it need not be raised)
            else:
                assert np.isfinite(audio).all()


@pytest.mark.parametrize("value", [-1e30, 1e30])
@pytest.mark.parametrize("name", CASES)
def test_raw_inputs_of_any_size_give_finite_sound_and_gradients(name, value):
    layer = CASES[name](16000, 64)
    inputs = make_inputs(layer)
    raw = [key for key in inputs if not is_physical(layer, key)]
    extreme = {k: tf.fill(v.shape, value) if k in raw else v for k, v in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(list(extreme.values()))
        audio = layer(extreme)
    assert np.isfinite(audio).all()
    for key, gradient in tape.gradient(audio, extreme).items():
        assert gradient is None or np.isfinite(gradient).all(), key


@pytest.mark.parametrize("value", [LARGEST_CONTROL, -LARGEST_CONTROL])
@pytest.mark.parametrize("name", CASES)
def test_the_largest_controls_that_are_allowed_give_finite_sound_also_afterwards(name, value):
    layer = CASES[name](16000, 64)
    controls = layer.get_controls(**make_inputs(layer))
    extreme = {k: tf.fill(v.shape, value) for k, v in controls.items()}
    audio, state = layer.stream_signal(extreme)
    assert np.isfinite(audio).all()
    after, _ = layer.stream_signal(controls, state)
    assert np.isfinite(after).all()


@pytest.mark.parametrize("f0_hz", [0.0, -0.0, -440.0, 7999.0, -7999.0, 8000.0, -9000.0, 1e5, 1e9, -1e9])
@pytest.mark.parametrize("name", ["harmonic", "sinusoidal", "mixed wavetables"])
def test_any_frequency_is_rendered_and_none_from_nyquist_on_sounds(name, f0_hz):
    layer = CASES[name](16000, 64)
    inputs = make_inputs(layer)
    key = "frequencies_hz" if name == "sinusoidal" else "f0_hz"
    inputs[key] = tf.fill(inputs[key].shape, f0_hz)
    audio = layer(inputs).numpy()
    assert np.isfinite(audio).all()
    if abs(f0_hz) >= 8000.0:
        np.testing.assert_array_equal(audio, np.zeros_like(audio))
    elif abs(f0_hz) > 0.0:
        assert np.abs(audio).max() > 1e-4


@pytest.mark.parametrize("name", ["harmonic", "sinusoidal", "mixed wavetables"])
def test_harmonics_of_a_negative_fundamental_do_not_alias(name):
    """The wave backwards: what is turned over has the controls of what is not."""
    layer = CASES[name](16000, 64)
    inputs = make_inputs(layer)
    key = "frequencies_hz" if name == "sinusoidal" else "f0_hz"
    inputs[key] = tf.fill(inputs[key].shape, 3100.0)
    forwards, backwards = (layer({**inputs, key: sign * inputs[key]}).numpy() for sign in (1.0, -1.0))
    if "wavetable" in name:  # its waves have cosines, which no sign turns over
        rms = [np.sqrt(np.mean(x**2)) for x in (forwards, backwards)]
        assert rms[0] == pytest.approx(rms[1], rel=0.02)
    else:
        np.testing.assert_allclose(backwards, -forwards, atol=1e-5)


def test_in_a_graph_the_words_are_the_same_and_xla_does_not_look():
    layer = Mix(16000, 64, name="balance")
    inputs = make_inputs(layer)
    inputs["level"] = with_value(inputs["level"], np.nan)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="balance: control 'level' must be finite, at most 1e\\+10"
    ):
        tf.function(layer.__call__, autograph=False)(inputs)
    compiled = tf.function(layer.__call__, autograph=False, jit_compile=True)
    assert np.isnan(compiled(inputs)).any()


def test_a_group_names_the_node():
    group = ProcessorGroup(
        16000,
        64,
        inputs=["sound", "other", "level"],
        nodes=[
            {"name": "room", "type": "Reverb", "config": {"length_samples": 9}, "inputs": {"audio": "sound"}},
            {
                "name": "balance",
                "type": "Mix",
                "inputs": {"audio_0": "room", "audio_1": "other", "level": "level"},
            },
        ],
    )
    inputs = make_inputs(group)
    with pytest.raises(DdspError, match="room: control 'audio' must be finite"):
        group({**inputs, "sound": with_value(inputs["sound"], np.inf)})
    with pytest.raises(DdspError, match="balance: control 'level' must be finite"):
        group({**inputs, "level": with_value(inputs["level"], np.nan)})


# Few lengths where each compiles anew
FEW_SIZES = (st.sampled_from([1, 64]), st.integers(1, 2), st.just(2))
COMPILED = ("harmonic", "sinusoidal", "sinusoidal sigmoid", "sinusoidal softmax")
ANY_SIZE = (st.integers(1, 500), st.integers(1, 6), st.integers(1, 3))
RAW = st.floats(-1e30, 1e30) | st.sampled_from([0.0, -100.0, 100.0])
PHYSICAL = st.floats(-LARGEST_CONTROL, LARGEST_CONTROL) | st.sampled_from([0.0, 1.0, -440.0, 7999.0, 24000.0])


@pytest.mark.parametrize("name", ONE_EACH)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(data=st.data())
def test_finite_in_finite_out_else_refused(name, data):
    hops, frames, batches = FEW_SIZES if name in COMPILED else ANY_SIZE
    rate = data.draw(st.sampled_from([8000, 16000, 22050, 44100, 48000, 96000]), "rate")
    layer = CASES[name](rate, data.draw(hops, "hop"))
    frames, batch = data.draw(frames, "frames"), data.draw(batches, "batch")
    inputs = make_inputs(layer, frames=frames, batch=batch)
    for key in data.draw(st.lists(st.sampled_from(sorted(inputs)), max_size=3), "changed"):
        values = PHYSICAL if is_physical(layer, key) else RAW
        everywhere = data.draw(st.booleans(), "everywhere")
        value = data.draw(values, "value")
        inputs[key] = tf.fill(inputs[key].shape, value) if everywhere else with_value(inputs[key], value)
    audio = layer(inputs)
    shapes = {k: tuple(v.shape) for k, v in inputs.items()}
    assert tuple(audio.shape) == layer.compute_output_shape(shapes)
    assert audio.dtype == tf.float32
    assert np.isfinite(audio).all()

    controls = layer.get_controls(**inputs)
    key = data.draw(st.sampled_from(sorted(controls)), "broken")
    place = data.draw(st.integers(0, controls[key].shape.num_elements() - 1), "place")
    broken = with_value(controls[key], data.draw(st.sampled_from(NO_NUMBERS), "no number"), place)
    with pytest.raises(DdspError, match=f"{layer.name}: control '{key}' must be finite"):
        layer.get_signal(**{**controls, key: broken})


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_number_is_refused_in_words_in_any_dtype(value, dtype):
    layer = TensorToAudio(16000, 64)
    samples = tf.cast(with_value(tf.zeros([1, 2, 64]), value, place=70), dtype)
    with pytest.raises(
        DdspError, match=rf"control 'samples' must be finite.*Received: {value} at \[0, 1, 6\], 1 of"
    ):
        layer.get_signal(samples=samples)
