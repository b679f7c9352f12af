"""Synths beyond `Harmonic` and `FilteredNoise` against the harness and float64 oracles."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers import Harmonic, ProcessorGroup, Sinusoidal, TensorToAudio, Wavetable
from ddsp_tf.ops import harmonic_to_sinusoidal
from tests import oracle
from tests.layers import oracles
from tests.layers.harness import assert_layer_behaves, make_inputs
from tests.layers.oracles import sinusoids
from tests.selection import slow_but

SPECS = [(16000, 64), (44100, 441), (48000, 1)]
ODD_SPECS = [*SPECS, (16000, 80), (48000, 192), (48000, 320), (22050, 37)]

SAW = [1.0 - 2.0 * i / 64 for i in range(64)]

LAYERS = {
    "sinusoidal": lambda sr, hop: Sinusoidal(5, sr, hop),
    "sinusoidal sigmoid": lambda sr, hop: Sinusoidal(5, sr, hop, frequency_head="sigmoid"),
    "sinusoidal softmax": lambda sr, hop: Sinusoidal(
        3, sr, hop, frequency_head="softmax", n_bins=7, low_hz=50.0, high_hz=4000.0
    ),
    "one learned table": lambda sr, hop: Wavetable(sr, hop, table_size=32, seed=1),
    "three learned tables": lambda sr, hop: Wavetable(sr, hop, 3, 30, interpolation="linear", oversampling=3),
    "one fixed table": lambda sr, hop: Wavetable(sr, hop, tables=SAW, learned=False),
    "odd table": lambda sr, hop: Wavetable(sr, hop, tables=SAW[:31], oversampling=1),
    "tensor to audio": lambda sr, hop: TensorToAudio(sr, hop),
}


@pytest.mark.parametrize("name", slow_but(("one fixed table", "tensor to audio"), LAYERS))
def test_layer_behaves_as_a_keras_layer_and_streams_at_a_hop_of_one_sample(name, tmp_path):
    assert_layer_behaves(LAYERS[name](48000, 1), tmp_path)


# Sinusoidal


@pytest.mark.parametrize("head", slow_but((None,), (None, "sigmoid", "softmax")))
@pytest.mark.parametrize(("sample_rate", "hop"), ODD_SPECS)
def test_sinusoidal_equals_float64_oracle(sample_rate, hop, head):
    layer = Sinusoidal(6, sample_rate, hop, frequency_head=head, n_bins=9)
    inputs = make_inputs(layer, frames=max(4, 4000 // hop), batch=2)
    controls = layer.get_controls(**inputs)
    for i, audio in enumerate(layer(inputs)):
        want = sinusoids(controls["frequencies_hz"][i], controls["amplitudes"][i], sample_rate, hop)
        # float32 sines of a float64 phase, six of amplitude up to 2
        np.testing.assert_allclose(audio, want, atol=5e-6)


@pytest.mark.parametrize(("sample_rate", "hop"), [(16000, 8000), (48000, 48000)])
def test_sinusoids_keep_their_phase_over_the_longest_hops(sample_rate, hop):
    layer = Sinusoidal(1, sample_rate, hop)
    frequencies_hz = np.array([[[440.0], [3000.5], [77.7], [5000.0]]], "float32")
    audio = layer.get_signal(frequencies_hz=frequencies_hz, amplitudes=np.ones([1, 4, 1], "float32"))
    want = sinusoids(frequencies_hz[0], np.ones([4, 1]), sample_rate, hop)
    np.testing.assert_allclose(audio[0], want, atol=2e-6)  # a float32 sine


def test_sinusoidal_controls_equal_their_definitions():
    layer = Sinusoidal(3, 16000, 64, frequency_head="softmax", n_bins=5, low_hz=100.0, high_hz=1600.0)
    inputs = make_inputs(layer)
    controls = layer.get_controls(**inputs)
    raw = inputs["frequencies"].numpy().astype(float).reshape(2, 7, 3, 5)
    share = np.exp(raw) / np.exp(raw).sum(axis=-1, keepdims=True)
    octaves = share @ np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(controls["frequencies_hz"], 100.0 * 2.0**octaves, rtol=1e-5)
    raw = inputs["amplitudes"].numpy().astype(float)
    want = 2.0 * (1.0 / (1.0 + np.exp(-raw))) ** np.log(10.0) + 1e-7
    np.testing.assert_allclose(controls["amplitudes"], want, rtol=1e-5)


def test_sinusoidal_with_the_controls_of_a_harmonic_sounds_like_it():
    harmonic = Harmonic(20, 16000, 64)
    controls = harmonic.get_controls(**make_inputs(harmonic, frames=60))
    amplitudes, frequencies_hz = harmonic_to_sinusoidal(**controls)
    layer = Sinusoidal(20, 16000, 64)
    audio = layer.get_signal(amplitudes=amplitudes, frequencies_hz=frequencies_hz)
    # Multiples are rounded to float32, 2.4e-4 Hz below 8 kHz, for a quarter of a second: 4e-4 radians
    np.testing.assert_allclose(audio, harmonic.get_signal(**controls), atol=1e-3)


def test_sinusoids_above_nyquist_are_silent_and_fade_below_it():
    layer = Sinusoidal(5, 16000, 64)
    frequencies_hz = tf.tile(tf.constant([[[7800.0, 7920.0, 8000.0, 9000.0, -9000.0]]]), [1, 50, 1])
    controls = layer.get_controls(amplitudes=tf.zeros([1, 50, 5]), frequencies_hz=frequencies_hz)
    full = 2.0 * 0.5 ** np.log(10.0)
    np.testing.assert_allclose(controls["amplitudes"][0, 0], [full, full / 2, 0, 0, 0], atol=1e-5)


@pytest.mark.slow
def test_sinusoidal_keeps_every_phase_over_ten_minutes():
    sample_rate, hop, frames, block = 16000, 160, 60_000, 10_000
    layer = Sinusoidal(2, sample_rate, hop)
    rng = np.random.default_rng(0)
    wobble = 5.0 * np.sin(np.arange(frames) / 7.0) + rng.normal(size=frames)
    frequencies_hz = (np.array([440.0, 5000.0]) + wobble[:, None]).astype("float32")
    state = None
    for start in range(0, frames, block):
        controls = {
            "frequencies_hz": tf.constant(frequencies_hz[None, start : start + block]),
            "amplitudes": tf.ones([1, block, 2]),
        }
        audio, state = layer.stream_signal(controls, state)
    want = sinusoids(frequencies_hz, np.ones([frames, 2]), sample_rate, hop)[-block * hop :]
    np.testing.assert_allclose(audio[0], want, atol=4e-6)  # two float32 sines


def test_sinusoidal_gradients_equal_float64_finite_differences():
    sample_rate, hop, frames = 16000, 16, 4
    rng = np.random.default_rng(1)
    values = {
        "frequencies_hz": rng.uniform(200, 900, [frames, 3]),
        "amplitudes": rng.uniform(0.1, 0.5, [frames, 3]),
    }
    weights = rng.normal(size=frames * hop)
    controls = {k: tf.constant(v[None], tf.float32) for k, v in values.items()}
    with tf.GradientTape() as tape:
        tape.watch(list(controls.values()))
        audio = Sinusoidal(3, sample_rate, hop).get_signal(**controls)
        value = tf.reduce_sum(audio * tf.constant(weights[None], tf.float32))
    gradient = tape.gradient(value, controls)
    for name in values:
        for place in np.ndindex(frames, 3):
            sides = []
            for step in (1e-4, -1e-4):
                moved = {k: v.copy() for k, v in values.items()}
                moved[name][place] += step
                sides.append(sinusoids(**moved, sample_rate=sample_rate, hop=hop) @ weights)
            want = (sides[0] - sides[1]) / 2e-4
            assert float(gradient[name][0][place]) == pytest.approx(want, rel=2e-3, abs=1e-4)


# Wavetable


@pytest.mark.parametrize("kind", [(1, 64, "cubic", 2), (3, 50, "linear", 3), (2, 33, "cubic", 1)])
@pytest.mark.parametrize(("sample_rate", "hop"), ODD_SPECS)
def test_wavetable_equals_float64_oracle(sample_rate, hop, kind):
    n_tables, size, interpolation, oversampling = kind
    layer = Wavetable(
        sample_rate, hop, n_tables, size, interpolation=interpolation, oversampling=oversampling, seed=3
    )
    inputs = make_inputs(layer, frames=max(3, 200 // hop), batch=2)
    controls = layer.get_controls(**inputs)
    # float32 transforms and tables, peak about 3
    np.testing.assert_allclose(layer(inputs), oracles.signal(layer, controls), atol=5e-6)


def sine_sum(amplitudes, size):
    n = np.arange(size)
    return sum(a * np.sin(2 * np.pi * k * n / size) for k, a in enumerate(amplitudes, start=1))


def test_wavetable_of_a_sum_of_sines_is_the_harmonic_oscillator():
    """Up to and beyond Nyquist: both fade harmonics by one definition."""
    amplitudes = 1.0 / np.arange(1, 16)
    sample_rate, hop, frames = 16000, 64, 60
    layer = Wavetable(sample_rate, hop, tables=sine_sum(amplitudes, 512))
    f0_hz = tf.constant(np.linspace(100.0, 2000.0, frames), tf.float32)[None, :, None]
    controls = {"amplitude": tf.ones([1, frames, 1]), "f0_hz": f0_hz}
    audio = layer.get_signal(**controls, tables=layer.get_controls(**controls)["tables"])
    number = np.arange(1, 16) * f0_hz[0].numpy().astype(float)
    fade = np.clip((8000.0 - number) / 160.0, 0.0, 1.0)
    want = oracle.harmonic(f0_hz[0, :, 0].numpy(), amplitudes * fade, sample_rate, hop)
    # The spline at 68 points for each period of the highest harmonic, and more for the strong ones
    np.testing.assert_allclose(audio[0], want, atol=2e-4)


@pytest.mark.parametrize(
    ("interpolation", "points", "stated_db"),
    [("cubic", 32, -83.0), ("cubic", 8, -44.0), ("linear", 32, -60.0), ("linear", 8, -34.0)],
)
def test_images_of_the_interpolation_are_as_low_as_stated(interpolation, points, stated_db):
    sample_rate, hop, frames = 48000, 480, 100
    layer = Wavetable(
        sample_rate, hop, tables=sine_sum([1.0], points), interpolation=interpolation, oversampling=1
    )
    f0_hz = 211.0
    controls = {"amplitude": tf.ones([1, frames, 1]), "f0_hz": tf.fill([1, frames, 1], f0_hz)}
    audio = layer.get_signal(**controls, tables=layer.get_controls(**controls)["tables"])[0].numpy()
    spectrum = np.abs(np.fft.rfft(audio * np.blackman(len(audio))))
    hz = np.arange(len(spectrum))  # one second: a bin is a hertz
    images = spectrum[np.abs(hz - f0_hz) > 10].max() / spectrum.max()
    assert 20 * np.log10(images) == pytest.approx(stated_db, abs=0.5)


def test_a_sawtooth_above_its_band_does_not_alias():
    sample_rate, hop, frames = 16000, 160, 100
    layer = Wavetable(sample_rate, hop, tables=np.linspace(1.0, -1.0, 256, endpoint=False), oversampling=4)
    controls = {"amplitude": tf.ones([1, frames, 1]), "f0_hz": tf.fill([1, frames, 1], 1234.0)}
    audio = layer.get_signal(**controls, tables=layer.get_controls(**controls)["tables"])[0].numpy()
    spectrum = np.abs(np.fft.rfft(audio * np.blackman(len(audio))))
    hz = np.arange(len(spectrum))
    partials = 1234.0 * np.arange(1, 7)
    elsewhere = np.abs(hz[:, None] - partials).min(axis=1) > 10
    assert 20 * np.log10(spectrum[elsewhere].max() / spectrum.max()) < -80.0
    for partial in partials:
        assert spectrum[int(partial)] > 0.1 * spectrum.max()


def test_tables_are_crossfaded_by_their_mix():
    one, other = sine_sum([1.0], 64), sine_sum([0.0, 1.0], 64)
    layer = Wavetable(16000, 64, tables=[one, other], learned=False)
    raw = {"amplitude": tf.zeros([1, 20, 1]), "f0_hz": tf.fill([1, 20, 1], 300.0)}
    slope = np.linspace(-20.0, 20.0, 20)
    controls = layer.get_controls(**raw, mix=tf.constant(np.stack([-slope, slope], -1)[None], tf.float32))
    np.testing.assert_allclose(tf.reduce_sum(controls["mix"], axis=-1), 1.0, atol=1e-6)
    audio = layer.get_signal(**controls)[0].numpy()
    amplitude = 2.0 * 0.5 ** np.log(10.0)
    phase = oracle.phase_cycles(np.full(20, 300.0), 16000, 64)
    start, end = slice(0, 64), slice(-64, None)
    # the spline's damping of a harmonic with 128 or 64 points a period
    np.testing.assert_allclose(audio[start], amplitude * np.sin(2 * np.pi * phase[start]), atol=1e-4)
    np.testing.assert_allclose(audio[end], amplitude * np.sin(4 * np.pi * phase[end]), atol=1e-4)


def test_fixed_tables_are_not_trained_and_learned_ones_find_a_waveform():
    fixed = Wavetable(16000, 64, tables=SAW, learned=False)
    fixed.build(None)
    assert fixed.trainable_variables == []
    learned = Wavetable(16000, 64, table_size=64, oversampling=2, seed=0)
    controls = {"amplitude": tf.ones([1, 25, 1]), "f0_hz": tf.fill([1, 25, 1], 173.0)}
    target = fixed.get_signal(**fixed.get_controls(**controls))
    optimizer = keras.optimizers.Adam(0.05)
    losses = []
    for _ in range(60):
        with tf.GradientTape() as tape:
            audio = learned.get_signal(**learned.get_controls(**controls))
            loss = tf.reduce_mean(tf.square(audio - target))
        optimizer.apply_gradients([(tape.gradient(loss, learned.tables.value), learned.tables)])
        losses.append(float(loss))
    assert losses[-1] < 1e-3 * losses[0]


def test_wavetable_gradients_equal_finite_differences():
    layer = Wavetable(16000, 16, 2, 24, seed=2)
    inputs = make_inputs(layer, frames=3, batch=1)
    controls = layer.get_controls(**inputs)
    weights = np.random.default_rng(4).normal(size=48)
    with tf.GradientTape() as tape:
        tape.watch(list(controls.values()))
        value = tf.reduce_sum(layer.get_signal(**controls) * tf.constant(weights[None], tf.float32))
    gradients = tape.gradient(value, controls)

    def objective(name, place, step):
        moved = {k: v.numpy().astype(float) for k, v in controls.items()}
        moved[name][place] += step
        return oracles.signal(layer, moved)[0] @ weights

    for name, place in [
        ("f0_hz", (0, 1, 0)),
        ("amplitude", (0, 0, 0)),
        ("mix", (0, 2, 1)),
        ("tables", (1, 5)),
    ]:
        want = (objective(name, place, 1e-5) - objective(name, place, -1e-5)) / 2e-5
        assert float(gradients[name][place]) == pytest.approx(want, rel=2e-3, abs=1e-4), name


def test_random_tables_repeat_with_a_seed():
    one, two, other = (Wavetable(16000, 64, 2, seed=seed) for seed in (7, 7, 8))
    for layer in (one, two, other):
        layer.build(None)
    np.testing.assert_array_equal(one.tables, two.tables)
    assert np.abs(one.tables - other.tables).max() > 0.1
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(one.tables), axis=1)), 0.5, atol=1e-5)


# TensorToAudio


def test_frames_pass_as_samples_in_their_order():
    samples = np.arange(24, dtype="float32").reshape(2, 3, 4)
    np.testing.assert_array_equal(TensorToAudio(16000, 4)({"samples": samples}), samples.reshape(2, 12))


def test_synths_work_in_a_group_stream_and_round_trip(tmp_path):
    nodes = [
        {
            "name": "bells",
            "type": "Sinusoidal",
            "config": {"n_sinusoids": 3, "frequency_head": "softmax", "n_bins": 8},
            "inputs": {"amplitudes": "amplitudes", "frequencies": "frequencies"},
        },
        {
            "name": "voice",
            "type": "Wavetable",
            "config": {"n_tables": 2, "table_size": 64, "seed": 1},
            "inputs": {"amplitude": "amplitude", "f0_hz": "f0_hz", "mix": "mix"},
        },
        {"name": "rest", "type": "TensorToAudio", "inputs": {"samples": "samples"}},
        {
            "name": "sum",
            "type": "Add",
            "config": {"n_inputs": 3},
            "inputs": {"audio_0": "bells", "audio_1": "voice", "audio_2": "rest"},
        },
    ]
    sizes = {"amplitudes": 3, "frequencies": 24, "amplitude": 1, "f0_hz": 1, "mix": 2, "samples": 32}
    group = ProcessorGroup(16000, 32, inputs=list(sizes), nodes=nodes)
    rng = np.random.default_rng(0)
    raw = {k: tf.constant(rng.normal(size=[2, 6, n]), tf.float32) for k, n in sizes.items()}
    raw["f0_hz"] = tf.fill([2, 6, 1], 250.0)
    symbolic = {k: keras.Input([None, n], name=k) for k, n in sizes.items()}
    model = keras.Model(symbolic, group(symbolic))
    model.save(tmp_path / "group.keras")
    audio = keras.models.load_model(tmp_path / "group.keras")(raw)
    np.testing.assert_allclose(audio, group(raw), atol=1e-6)
    first, state = group.stream({k: v[:, :2] for k, v in raw.items()})
    second, _ = group.stream({k: v[:, 2:] for k, v in raw.items()}, state)
    np.testing.assert_allclose(np.concatenate([first.audio, second.audio], axis=1), audio, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Sinusoidal(0, 16000, 64), "n_sinusoids=0"),
        (lambda: Sinusoidal(3, 16000, 64, frequency_head="tanh"), "frequency_head='tanh'"),
        (lambda: Sinusoidal(3, 16000, 64, n_bins=1), "n_bins=1"),
        (lambda: Sinusoidal(3, 16000, 64, frequency_head="sigmoids"), "Did you mean 'sigmoid'"),
        (lambda: Sinusoidal(3, 16000, 64, low_hz=0.0), "low_hz=0.0"),
        (lambda: Sinusoidal(3, 16000, 64, low_hz="20"), "low_hz='20'"),
        (lambda: Sinusoidal(3, 16000, 64, low_hz=500.0, high_hz=400.0), "low_hz=500.0, high_hz=400.0"),
        (lambda: Sinusoidal(3, 16000, 64, high_hz=8001.0), "high_hz=8001.0"),
        (lambda: Sinusoidal(3, 16000, 64, high_hz=float("nan")), "high_hz=nan"),
        (lambda: Wavetable(16000, 64, n_tables=0), "n_tables=0"),
        (lambda: Wavetable(16000, 64, table_size=3), "table_size=3"),
        (lambda: Wavetable(16000, 64, table_size=32, tables=SAW), "table_size=32"),
        (lambda: Wavetable(16000, 64, tables=[[1.0, 2.0], [1.0]]), "rows of numbers of one length"),
        (lambda: Wavetable(16000, 64, tables=[0.0, 1.0, float("nan"), 0.0]), "finite"),
        (lambda: Wavetable(16000, 64, learned=False), "tables=None"),
        (lambda: Wavetable(16000, 64, interpolation="sinc"), "interpolation='sinc'"),
        (lambda: Wavetable(16000, 64, interpolation="cubical"), "Did you mean 'cubic'"),
        (lambda: Wavetable(16000, 64, oversampling=0), "oversampling=0"),
        (lambda: Wavetable(16000, 64, learned="no"), "learned='no'"),
        (lambda: Wavetable(16000, 64, seed="a"), "seed='a'"),
    ],
)
def test_impossible_arguments_are_refused_with_their_value(make, words):
    with pytest.raises(DdspError, match=words):
        make()
