"""Every processor against the harness and a float64 oracle."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers import (
    Add,
    FilteredNoise,
    FIRFilter,
    Harmonic,
    Mix,
    Processor,
    Reverb,
    SpectralMask,
    find_processor_type,
    processor_type,
)
from ddsp_tf.ops import filter_frames
from tests import oracle
from tests.layers.cases import CASES
from tests.layers.harness import assert_layer_behaves, make_inputs
from tests.selection import slow_but

SPECS = [(16000, 64), (44100, 441), (48000, 1)]


def trained_reverb(sample_rate, hop, length=50):
    layer = Reverb(length, sample_rate, hop)
    layer.build(None)
    layer.taps.assign(np.random.default_rng(5).normal(size=length - 1).astype("float32"))
    return layer


LAYERS = {
    "harmonic": lambda sr, hop: Harmonic(12, sr, hop),
    "noise": lambda sr, hop: FilteredNoise(9, sr, hop, seed=1),
    "reverb": trained_reverb,
    "add": lambda sr, hop: Add(sr, hop, n_inputs=3),
    "mix": lambda sr, hop: Mix(sr, hop),
}


@pytest.mark.parametrize("name", slow_but(("noise", "add"), LAYERS))
def test_layer_behaves_as_a_keras_layer_and_streams_at_a_hop_of_one_sample(name, tmp_path):
    assert_layer_behaves(LAYERS[name](48000, 1), tmp_path)


@pytest.mark.parametrize(("sample_rate", "hop"), SPECS)
def test_harmonic_equals_float64_oracle(sample_rate, hop):
    frames = max(4, 4000 // hop)
    layer = Harmonic(20, sample_rate, hop)
    inputs = make_inputs(layer, frames=frames, batch=1)
    controls = layer.get_controls(**inputs)
    amplitudes = (controls["amplitude"] * controls["distribution"])[0]
    want = oracle.harmonic(inputs["f0_hz"][0, :, 0], amplitudes, sample_rate, hop)
    # float32 sines and sums of 20 harmonics, full scale 2
    np.testing.assert_allclose(layer(inputs)[0], want, atol=5e-6)


def test_harmonics_above_nyquist_are_silent():
    sample_rate, hop = 16000, 64
    layer = Harmonic(10, sample_rate, hop)
    frames = 100
    inputs = {
        "amplitude": tf.zeros([1, frames, 1]),
        "distribution": tf.zeros([1, frames, 10]),
        "f0_hz": tf.fill([1, frames, 1], 3000.0),
    }
    controls = layer.get_controls(**inputs)
    np.testing.assert_allclose(controls["distribution"][0, 0], [0.5, 0.5] + [0.0] * 8, atol=1e-6)
    spectrum = np.abs(np.fft.rfft(layer(inputs)[0].numpy() * np.hanning(frames * hop)))
    sounding = np.flatnonzero(spectrum > spectrum.max() * 1e-3) * sample_rate / (frames * hop)
    assert np.all((np.abs(sounding - 3000) < 10) | (np.abs(sounding - 6000) < 10))


def test_distribution_fades_continuously_below_nyquist():
    layer = Harmonic(2, 16000, 64)
    f0_hz = np.linspace(3900.0, 4010.0, 200, dtype="float32")[None, :, None]
    share = layer.get_controls(tf.zeros([1, 200, 1]), tf.zeros([1, 200, 2]), tf.constant(f0_hz))
    second = share["distribution"][0, :, 1].numpy()
    assert second[0] == pytest.approx(0.5)
    assert second[-1] == 0.0
    assert np.all(np.diff(second) <= 1e-7)
    assert np.abs(np.diff(second)).max() < 0.02


def test_a_fundamental_above_nyquist_is_silence_not_nan():
    layer = Harmonic(3, 16000, 64)
    audio = layer(
        {
            "amplitude": tf.ones([1, 5, 1]),
            "distribution": tf.ones([1, 5, 3]),
            "f0_hz": tf.fill([1, 5, 1], 9000.0),
        }
    )
    np.testing.assert_array_equal(audio, np.zeros([1, 320]))


@pytest.mark.parametrize(("sample_rate", "hop"), SPECS)
def test_filtered_noise_equals_float64_oracle(sample_rate, hop):
    layer = FilteredNoise(17, sample_rate, hop)
    inputs = make_inputs(layer, frames=max(5, 400 // hop), batch=1)
    magnitudes = layer.get_controls(**inputs)["magnitudes"][0]
    want = oracle.filtered_noise(magnitudes, inputs["noise"][0], hop)
    np.testing.assert_allclose(layer(inputs)[0], want, atol=1e-6)


@pytest.mark.parametrize("hop", [1, 64, 80, 192, 320, 441])
def test_filtered_noise_has_the_energy_of_its_filter(hop):
    layer = FilteredNoise(33, 48000, hop, seed=3)
    magnitudes = np.abs(np.random.default_rng(2).normal(size=33)) + 0.1
    analytic = np.sum(oracle.impulse_response(magnitudes) ** 2) / 3.0  # uniform in [-1, 1)
    frames, blocks = 100_000 // hop, 5
    controls = {"magnitudes": tf.constant(np.tile(magnitudes, [1, frames, 1]), tf.float32)}
    state, parts = None, []
    for _ in range(blocks):
        audio, state = layer.stream_signal(controls, state)
        parts.append(audio[0])
    audio = np.concatenate(parts)[64:]
    assert 10 * np.log10(np.mean(audio**2) / analytic) == pytest.approx(0.0, abs=0.1)


def test_filtered_noise_rings_on_exactly_as_long_as_it_declares():
    layer = FilteredNoise(9, 16000, 64)
    magnitudes = np.abs(np.random.default_rng(0).normal(size=9)) + 0.1
    controls = {"magnitudes": tf.constant(np.tile(magnitudes, [1, 2, 1])), "noise": np.zeros([1, 128])}
    controls["noise"][0, 63] = 1.0  # the last sample before silence
    audio = layer.get_signal(**controls)[0].numpy()
    last = 63 + layer.tail_samples
    np.testing.assert_allclose(audio[last + 1 :], 0.0, atol=1e-7)  # rounding of the transforms
    assert np.abs(audio[last]) > 1e-4


def test_noise_repeats_with_a_seed_and_differs_between_calls():
    raw = {"magnitudes": tf.fill([1, 10, 9], 8.0)}
    one, two = (FilteredNoise(9, 16000, 64, seed=7) for _ in range(2))
    first = one(raw)
    np.testing.assert_array_equal(first, two(raw))
    assert np.abs(first - one(raw)).max() > 0.01


@pytest.mark.parametrize(("sample_rate", "hop"), SPECS)
def test_reverb_equals_float64_oracle(sample_rate, hop):
    layer = trained_reverb(sample_rate, hop, length=300)
    inputs = make_inputs(layer, frames=max(4, 1000 // hop), batch=2)
    for audio, want in zip(layer(inputs), inputs["audio"], strict=True):
        expected = oracle.reverb(want, layer.impulse_response)
        np.testing.assert_allclose(audio, expected, atol=1e-5)


def test_untrained_reverb_is_the_direct_sound():
    audio = tf.random.stateless_uniform([1, 500], [0, 1], -1.0, 1.0)
    np.testing.assert_allclose(Reverb(100, 16000, 100)({"audio": audio}), audio, atol=1e-6)


def test_mix_equals_float64_oracle():
    layer = Mix(16000, 64)
    inputs = make_inputs(layer, batch=1)
    level = oracle.to_audio_rate(1 / (1 + np.exp(-inputs["level"][0, :, 0].numpy())), 64)
    want = level * inputs["audio_0"][0] + (1 - level) * inputs["audio_1"][0]
    np.testing.assert_allclose(layer(inputs)[0], want, atol=1e-6)


def test_gradients_equal_float64_finite_differences():
    sample_rate, hop, frames, harmonics = 16000, 16, 4, 3
    rng = np.random.default_rng(1)
    f0_hz = rng.uniform(200, 900, frames)
    amplitudes = rng.uniform(0.1, 0.5, [frames, harmonics])
    weights = rng.normal(size=frames * hop)
    layer = Harmonic(harmonics, sample_rate, hop)

    def objective(f, a):
        return oracle.harmonic(f, a, sample_rate, hop) @ weights

    controls = {
        "f0_hz": tf.constant(f0_hz[None, :, None], tf.float32),
        "amplitude": tf.ones([1, frames, 1]),
        "distribution": tf.constant(amplitudes[None], tf.float32),
    }
    with tf.GradientTape() as tape:
        tape.watch(list(controls.values()))
        value = tf.reduce_sum(layer.get_signal(**controls) * tf.constant(weights[None], tf.float32))
    gradient = tape.gradient(value, controls)
    for i in range(frames):
        step = np.zeros(frames)
        step[i] = 1e-4
        want = (objective(f0_hz + step, amplitudes) - objective(f0_hz - step, amplitudes)) / 2e-4
        assert float(gradient["f0_hz"][0, i, 0]) == pytest.approx(want, rel=2e-3, abs=1e-4)
        for k in range(harmonics):
            step2 = np.zeros_like(amplitudes)
            step2[i, k] = 1e-4
            want = (objective(f0_hz, amplitudes + step2) - objective(f0_hz, amplitudes - step2)) / 2e-4
            assert float(gradient["distribution"][0, i, k]) == pytest.approx(want, rel=2e-3, abs=1e-4)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Harmonic(0, 16000, 64), "n_harmonics=0"),
        (lambda: Harmonic(2.5, 16000, 64), "n_harmonics=2.5"),
        (lambda: Harmonic(10, 16000, 0), "hop=0"),
        (lambda: FilteredNoise(1, 16000, 64), "n_bands=1"),
        (lambda: Reverb(1, 16000, 64), "length_samples=1"),
        (lambda: Add(16000, 64, n_inputs=0), "n_inputs=0"),
        (lambda: FilteredNoise(9, 16000, 64, initial_bias=float("nan")), "initial_bias=nan"),
        (lambda: FilteredNoise(9, 16000, 64, initial_bias="quiet"), "initial_bias='quiet'"),
        (lambda: FilteredNoise(9, 16000, 64, seed=1.5), "seed=1.5"),
        (lambda: FilteredNoise(9, 16000, 64, seed=-1), "seed=-1"),
        (lambda: Add(16000, 64, dtype="mixed_bfloat16"), "dtype='mixed_bfloat16'"),
        (lambda: Add(16000, 64, dtype="float64"), "dtype must be 'float32'.*dtype='float64'"),
        (lambda: Add(16000, 64, dtype="single"), "dtype='single'"),
    ],
)
def test_impossible_arguments_are_refused_with_their_value(make, word):
    with pytest.raises(DdspError, match=word):
        make()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amplitude": None}, "lacks the input 'amplitude'"),
        ({"distribution": tf.zeros([1, 5, 4])}, r"\[batch, frames, 3\]"),
        ({"f0_hz": tf.zeros([1, 5])}, r"Received: \(1, 5\)"),
        ({"amplitudes": tf.zeros([1, 5, 1])}, "Did you mean 'amplitude'"),
    ],
)
def test_wrong_inputs_are_refused_in_words(change, words):
    inputs = {
        "amplitude": tf.zeros([1, 5, 1]),
        "distribution": tf.zeros([1, 5, 3]),
        "f0_hz": tf.zeros([1, 5, 1]),
        **change,
    }
    with pytest.raises(DdspError, match=words):
        Harmonic(3, 16000, 64)({k: v for k, v in inputs.items() if v is not None})


def test_a_processor_of_ones_own_works_in_a_group_and_round_trips(tmp_path):
    from ddsp_tf.layers import ProcessorGroup

    @processor_type
    class Invert(Processor):
        """Turns the sign."""

        @property
        def input_sizes(self):
            return {"audio": None}

        def render_block(self, controls, state=None):
            return -controls["audio"], ()

    group = ProcessorGroup(
        16000, 64, inputs=["sound"], nodes=[{"name": "flip", "type": "Invert", "inputs": {"audio": "sound"}}]
    )
    sound = keras.Input([None], name="sound")
    model = keras.Model(sound, group({"sound": sound}))
    model.save(tmp_path / "m.keras")
    audio = tf.ones([1, 64])
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "m.keras")(audio), -audio)


def test_a_name_of_ours_is_taken_and_one_of_yours_may_be_defined_again():
    with pytest.raises(DdspError, match="there is a processor Reverb in ddsp_tf already"):
        processor_type(type("Reverb", (Processor,), {"__module__": "mine"}))
    assert find_processor_type("Reverb") is Reverb
    for _ in range(2):
        again = processor_type(type("Mine", (Processor,), {"__module__": "mine"}))
    assert find_processor_type("Mine") is again


@pytest.mark.parametrize("bands", [1, 1026])
def test_a_filter_of_too_few_or_too_many_bands_is_refused(bands):
    with pytest.raises(DdspError, match=r"needs 2 to 1025 bands\. Received: magnitudes of shape"):
        filter_frames(tf.zeros([1, 128]), tf.zeros([1, 2, bands]), 64)


def test_processors_say_how_late_they_are():
    """An impulse under flat filters comes out when it should."""
    for layer in (FIRFilter(9, 16000, 64), SpectralMask(16000, 64), Reverb(100, 16000, 64)):
        impulse = np.zeros([1, 640], np.float32)
        impulse[0, 10] = 1.0
        inputs = {
            "audio": impulse,
            **{n: tf.fill([1, 10, c], 20.0) for n, c in layer.input_sizes.items() if isinstance(c, int)},
        }
        heard = layer({name: tf.constant(value) for name, value in inputs.items()})[0].numpy()
        assert np.argmax(np.abs(heard)) == 10 + layer.latency_samples


SYNTHS = [
    name
    for name, make in CASES.items()
    if None not in make(16000, 64).input_sizes.values() or "noise" in name
]


@pytest.mark.parametrize("name", [name for name in SYNTHS if "reverb" not in name])
def test_what_makes_sound_of_its_own_falls_silent_by_its_level(name):
    layer = CASES[name](16000, 64)
    controls = layer.get_controls(**make_inputs(layer, frames=4))
    assert np.abs(layer.get_signal(**controls)).max() > 1e-3
    assert layer.level_controls
    silent = {**controls, **{key: tf.zeros_like(controls[key]) for key in layer.level_controls}}
    assert np.abs(layer.get_signal(**silent)).max() < 1e-6
