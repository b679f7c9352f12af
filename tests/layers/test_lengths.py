"""Inputs that do not fit each other are refused in words; broadcasting would hide it."""

import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers import Add, Crop, FIRFilter, Harmonic, Mix, Node, ProcessorGroup, SpectralMask
from tests.layers.cases import CASES
from tests.layers.harness import make_inputs, take


@pytest.mark.parametrize(
    ("layer", "shapes", "words"),
    [
        (
            SpectralMask(16000, 64),
            {"audio": [1, 320], "mask": [1, 1, 65]},
            r"input 'audio' must be \[1, 64\] beside 'mask' of shape \(1, 1, 65\) at a hop of 64 samples. "
            r"Received: \(1, 320\)",
        ),
        (
            Mix(16000, 64),
            {"audio_0": [1, 1], "audio_1": [1, 320], "level": [1, 5, 1]},
            r"input 'audio_0' must be \[1, 320\] beside 'level' of shape \(1, 5, 1\)",
        ),
        (
            Harmonic(3, 16000, 64),
            {"amplitude": [1, 5, 1], "distribution": [1, 5, 3], "f0_hz": [1, 1, 1]},
            r"input 'f0_hz' must be \[1, 5, 1\] beside 'amplitude' of shape \(1, 5, 1\). "
            r"Received: \(1, 1, 1\)",
        ),
        (
            FIRFilter(9, 16000, 64),
            {"audio": [1, 100], "magnitudes": [1, 2, 9]},
            r"input 'audio' must be \[1, 128\] beside 'magnitudes'",
        ),
        (
            Harmonic(3, 16000, 64),
            {"amplitude": [2, 5, 1], "distribution": [2, 5, 3], "f0_hz": [1, 5, 1]},
            r"input 'f0_hz' must be \[2, 5, 1\] beside 'amplitude'",
        ),
        (
            Add(16000, 64),
            {"audio_0": [1, 100], "audio_1": [1, 1]},
            r"input 'audio_1' must be \[1, 100\] beside",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_refused_with_what_would_fit(layer, shapes, words):
    with pytest.raises(DdspError, match=words):
        layer({name: tf.ones(shape) for name, shape in shapes.items()})


@pytest.mark.parametrize("name", CASES)
def test_every_input_of_every_processor_is_compared_in_batch_and_time(name):
    layer = CASES[name](16000, 64)
    inputs = make_inputs(layer)
    if len(inputs) == 1:
        pytest.skip("one input has none beside it")
    one_frame, one_example = take(inputs, layer, 0, 1), {k: v[:1] for k, v in inputs.items()}
    for key in inputs:
        beside = [size for k, size in layer.input_sizes.items() if k in inputs and k != key]
        in_time = not any(isinstance(size, tuple) for size in (layer.input_sizes[key], *beside[:1]))
        for other in (one_frame, one_example) if in_time else (one_example,):
            with pytest.raises(DdspError, match="beside"):
                layer({**inputs, key: other[key]})


def test_a_signal_without_controls_may_have_any_length():
    assert Add(16000, 64)({"audio_0": tf.ones([1, 100]), "audio_1": tf.ones([1, 100])}).shape == (1, 100)
    assert Crop(3, 16000, 64)({"audio": tf.ones([1, 67])}).shape == (1, 64)


def test_lengths_that_are_not_known_are_let_pass_and_parts_of_a_hop_are_not():
    layer = FIRFilter(9, 16000, 64)

    def check(samples):
        tf.function(layer.check_inputs, autograph=False).get_concrete_function(
            {"audio": tf.TensorSpec([None, samples]), "magnitudes": tf.TensorSpec([None, None, 9])}
        )

    check(None)
    check(128)
    with pytest.raises(DdspError, match=r"must be whole hops of 64 samples. Received: \(None, 100\)"):
        check(100)


def test_a_group_compares_the_inputs_of_all_its_nodes():
    nodes = [
        Node("noise", "FilteredNoise", {"magnitudes": "magnitudes"}, {"n_bands": 9}),
        Node("tones", "Sinusoidal", {"amplitudes": "amplitudes", "frequencies_hz": "hz"}, {"n_sinusoids": 2}),
        Node("sum", "Add", {"audio_0": "noise", "audio_1": "tones"}),
    ]
    group = ProcessorGroup(16000, 64, inputs=["magnitudes", "amplitudes", "hz"], nodes=nodes)
    inputs = {"magnitudes": tf.ones([1, 5, 9]), "amplitudes": tf.ones([1, 4, 2]), "hz": tf.ones([1, 4, 2])}
    with pytest.raises(
        DdspError, match=r"the group: input 'amplitudes' must be \[1, 5, 2\] beside 'magnitudes'"
    ):
        group(inputs)


def test_a_group_may_cut_a_signal_to_the_length_of_its_frames():
    nodes = [
        Node("cut", "Crop", {"audio": "sound"}, {"drop_samples": 3}),
        Node("filter", "FIRFilter", {"audio": "cut", "magnitudes": "magnitudes"}, {"n_bands": 9}),
    ]
    group = ProcessorGroup(16000, 64, inputs=["sound", "magnitudes"], nodes=nodes)
    audio = group({"sound": tf.ones([1, 323]), "magnitudes": tf.zeros([1, 5, 9])})
    assert audio.shape == (1, 320)
    assert np.isfinite(audio).all()


@pytest.mark.parametrize("name", CASES)
def test_controls_are_those_that_get_controls_gives_and_others_are_refused(name):
    layer = CASES[name](16000, 64)
    controls = layer.get_controls(**make_inputs(layer))
    optional = set(layer.optional_controls) - {"noise", *getattr(layer, "tested_with", ())}
    assert sorted(controls) == sorted(set(layer.control_sizes) - optional)
    for key in controls:
        fewer = {k: v for k, v in controls.items() if k != key}
        with pytest.raises(DdspError, match=f"{layer.name} has no control '{key}s'. Did you mean '{key}'"):
            layer.get_signal(**fewer, **{key + "s": controls[key]})
        if key not in layer.optional_controls:
            with pytest.raises(DdspError, match=f"{layer.name} lacks the control '{key}'; it has"):
                layer.get_signal(**fewer)


@pytest.mark.parametrize("name", CASES)
def test_controls_may_be_arrays_of_any_numbers(name):
    layer = CASES[name](16000, 64)
    controls = {k: np.asarray(v) for k, v in layer.get_controls(**make_inputs(layer)).items()}
    rounded = {k: np.round(2 * v) for k, v in controls.items()}
    want = layer.get_signal(**{k: tf.constant(v) for k, v in rounded.items()})
    for dtype in (np.float64, np.int64):
        audio = layer.get_signal(**{k: v.astype(dtype) for k, v in rounded.items()})
        assert audio.dtype == tf.float32
        np.testing.assert_array_equal(audio, want)


def test_a_control_that_holds_no_numbers_is_refused():
    with pytest.raises(DdspError, match=r"control 'audio_0' must hold real numbers. Received: string"):
        Add(16000, 64).get_signal(audio_0="loud", audio_1=tf.ones([1, 64]))


@pytest.mark.parametrize(
    "name",
    [n for n, make in CASES.items() if any(isinstance(s, int) for s in make(16000, 64).input_sizes.values())],
)
def test_controls_of_no_frame_are_refused_in_words(name):
    layer = CASES[name](16000, 64)
    with pytest.raises(DdspError, match=r"must have at least one frame\. Received: \(2, 0, "):
        layer(make_inputs(layer, frames=0))


@pytest.mark.parametrize("name", CASES)
def test_edited_controls_of_another_shape_are_refused_in_words(name):
    """As they come to `get_signal`: other channels, another rank, other frames, another batch."""
    layer = CASES[name](16000, 64)
    made = layer.get_controls(**make_inputs(layer, frames=5))
    controls = {key: tf.convert_to_tensor(value) for key, value in made.items()}
    layer.get_signal(**controls)
    for key, value in controls.items():
        wrong = {"rank": value[..., None]}
        if value.shape.rank == 3:
            wrong["channels"] = tf.concat([value, value], axis=2)
        if isinstance(layer.control_sizes[key], tuple):
            wrong["size"] = value[..., :-1]
        elif any(not isinstance(layer.control_sizes[other], tuple) for other in controls if other != key):
            wrong |= {"frames": value[:, : value.shape[1] * 4 // 5], "batch": value[:1]}
        for bad in wrong.values():
            with pytest.raises(DdspError, match=r"control '\w+' must be \[.*\].*\. Received: \("):
                layer.get_signal(**{**controls, key: bad})
