"""The effects against the harness and float64 oracles."""

import itertools

import keras
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers import (
    Crop,
    ExpDecayReverb,
    FilteredNoiseReverb,
    FIRFilter,
    ModDelay,
    ProcessorGroup,
    SpectralMask,
)
from tests import oracle
from tests.layers.harness import assert_layer_behaves, make_inputs
from tests.layers.oracles import delayed
from tests.selection import slow_but

SPECS = [(16000, 64), (44100, 441), (48000, 1)]


def short_delay(sample_rate, hop, **config):
    """A delay of 3.5 +- 2 samples: the seven samples that the harness makes at a hop of 1 reach it."""
    sample_ms = 1000.0 / sample_rate
    return ModDelay(sample_rate, hop, center_ms=3.5 * sample_ms, depth_ms=2 * sample_ms, **config)


LAYERS = {
    "fir": lambda sr, hop: FIRFilter(4, sr, hop),  # at a hop of 1 the harness makes seven samples
    "exp_decay_reverb": lambda sr, hop: ExpDecayReverb(50, sr, hop, initial_gain=0.1),
    "filtered_noise_reverb": lambda sr, hop: FilteredNoiseReverb(50, 10, 5, sr, hop, initial_bias=0.0),
    "linear_delay": short_delay,
    "cubic_delay": lambda sr, hop: short_delay(sr, hop, interpolation="cubic", add_dry=False),
    "mask_of_2": lambda sr, hop: SpectralMask(sr, hop),
    "mask_of_4": lambda sr, hop: SpectralMask(sr, hop, hops_per_window=4),
}


@pytest.mark.parametrize("name", slow_but(("fir", "mask_of_2"), LAYERS))
def test_effect_behaves_as_a_keras_layer_and_streams_at_a_hop_of_one_sample(name, tmp_path):
    assert_layer_behaves(LAYERS[name](48000, 1), tmp_path)


def test_a_delay_longer_than_a_block_streams(tmp_path):
    assert_layer_behaves(ModDelay(16000, 64, center_ms=12.0, depth_ms=2.0), tmp_path)  # three blocks


@pytest.mark.parametrize(("hop", "dropped"), [(64, 0), (64, 100), (441, 441), (1, 3)])
def test_crop_behaves_as_a_keras_layer_and_streams(hop, dropped, tmp_path):
    layer = Crop(dropped, 16000, hop)
    assert_layer_behaves(layer, tmp_path, dropped_samples=dropped)
    audio = make_inputs(layer)["audio"]
    np.testing.assert_array_equal(layer({"audio": audio}), audio[:, dropped:])


def test_crop_of_more_than_there_is_leaves_nothing():
    assert Crop(100, 16000, 64)({"audio": tf.ones([2, 64])}).shape == (2, 0)


@pytest.mark.parametrize("name", ["fir", "linear_delay", "cubic_delay", "mask_of_2", "mask_of_4"])
def test_effects_ring_on_as_long_as_they_declare(name):
    layer = LAYERS[name](16000, 64)
    inputs = make_inputs(layer, frames=12)
    audio = inputs["audio"].numpy()
    audio[:, 64:] = 0.0
    output = layer({**inputs, "audio": tf.constant(audio)}).numpy()
    end = 64 + layer.tail_samples
    np.testing.assert_allclose(output[:, end:], 0.0, atol=1e-6)
    assert np.abs(output[:, end - 64 : end]).max() > 1e-4


# FIRFilter


@pytest.mark.parametrize(("sample_rate", "hop"), SPECS)
def test_fir_filter_equals_float64_oracle(sample_rate, hop):
    layer = FIRFilter(17, sample_rate, hop)
    inputs = make_inputs(layer, frames=max(5, 400 // hop), batch=1)
    magnitudes = layer.get_controls(**inputs)["magnitudes"][0]
    want = oracle.filtered_noise(magnitudes, inputs["audio"][0], hop)  # the same convolution, of any signal
    np.testing.assert_allclose(layer(inputs)[0], want, atol=2e-6)


def test_a_flat_filter_is_a_delay_by_the_declared_samples():
    layer = FIRFilter(9, 16000, 64)
    audio = make_inputs(layer)["audio"]
    output = layer.get_signal(audio=audio, magnitudes=tf.ones([2, 7, 9]))
    delay = layer.latency_samples
    np.testing.assert_allclose(output[:, delay:], audio[:, :-delay], atol=1e-6)
    np.testing.assert_allclose(output[:, :delay], 0.0, atol=1e-6)


def test_an_untrained_filter_has_a_gain_of_about_one():
    layer = FIRFilter(9, 16000, 64)
    magnitudes = layer.get_controls(tf.zeros([1, 64]), tf.zeros([1, 1, 9]))["magnitudes"]
    np.testing.assert_allclose(magnitudes, 1.0, atol=1e-3)


@pytest.mark.parametrize(
    ("hop", "depth", "stated_db"), [(480, 0.1, -60), (480, 0.5, -46), (480, 1.0, -40), (120, 0.1, -73)]
)
def test_sidebands_of_a_tremolo_are_as_loud_as_stated(hop, depth, stated_db):
    rate = 48000
    frames, n = 4 * rate // hop, np.arange(4 * rate)
    gains = 1 + depth * np.sin(2 * np.pi * 2 * np.arange(1, frames + 1) * hop / rate)
    audio = FIRFilter(65, rate, hop).get_signal(
        audio=np.sin(2 * np.pi * 1000 * n / rate)[None], magnitudes=np.tile(gains[None, :, None], [1, 1, 65])
    )
    middle = audio[0, rate : 3 * rate].numpy() * np.blackman(2 * rate)
    level_db = 20 * np.log10(np.abs(np.fft.rfft(middle)) + 1e-9)
    sideband = slice(2 * (1000 + rate // hop) - 20, 2 * (1000 + rate // hop) + 20)  # two bins a Hz
    assert level_db[sideband].max() - level_db.max() == pytest.approx(stated_db, abs=1.0)


# Reverbs


def test_exponential_response_is_what_its_docstring_says():
    layer = ExpDecayReverb(4000, 16000, 64, initial_gain=0.2, initial_decay_ms=150.0, seed=3)
    seconds = np.arange(1, 4000) / 16000
    noise = np.random.default_rng(3).standard_normal(3999)
    want = np.concatenate([[1.0], 0.2 * 10.0 ** (-3.0 * seconds / 0.150) * noise])
    np.testing.assert_allclose(layer.impulse_response, want, atol=1e-6)
    layer.log_gain.assign(np.log(0.1))
    layer.log_decay.assign(np.log(30.0))
    want = np.concatenate([[1.0], 0.1 * np.exp(-30.0 * seconds) * noise])
    np.testing.assert_allclose(layer.impulse_response, want, atol=1e-6)


def test_filtered_noise_response_equals_float64_oracle():
    layer = FilteredNoiseReverb(105, 10, 9, 16000, 64, seed=3)
    layer.build(None)
    raw = np.random.default_rng(1).normal(size=[10, 9])
    layer.raw_magnitudes.assign(raw)
    gains = 2.0 * (1 / (1 + np.exp(2.0 - raw))) ** np.log(10.0) + 1e-7
    noise = np.random.default_rng(3).standard_normal(10 * 11)  # parts of ceil(105 / 10) samples
    filtered = np.zeros(10 * 11 + 16)
    for i, frame in enumerate(gains):
        filtered[11 * i : 11 * i + 26] += np.convolve(
            noise[11 * i : 11 * i + 11], oracle.impulse_response(frame)
        )
    want = np.concatenate([[1.0], filtered[8:112]])  # a group delay of 8 samples
    np.testing.assert_allclose(layer.impulse_response, want, atol=1e-6)


@pytest.mark.parametrize("name", ["exp_decay_reverb", "filtered_noise_reverb"])
def test_rooms_convolve_with_their_response(name):
    layer = LAYERS[name](16000, 64)
    audio = make_inputs(layer)["audio"]
    for got, dry in zip(layer({"audio": audio}), audio, strict=True):
        np.testing.assert_allclose(got, oracle.reverb(dry, layer.impulse_response), atol=1e-5)


def test_an_untrained_filtered_noise_room_falls_by_60_db():
    response = FilteredNoiseReverb(20_000, 100, 17, 16000, 64).impulse_response.numpy()
    start, end = response[1:1001], response[-1000:]
    # exp_sigmoid is not quite exponential at its upper end, and 2000 samples of noise are not their mean.
    fall_db = 10 * np.log10(np.mean(start**2) / np.mean(end**2))
    assert fall_db == pytest.approx(57.0, abs=3.0)


@pytest.mark.parametrize("name", ["exp_decay_reverb", "filtered_noise_reverb"])
def test_a_room_keeps_its_noise_when_it_is_loaded(name, tmp_path):
    layer = LAYERS[name](16000, 64)
    layer.build(None)
    layer.noise.assign(-layer.noise)  # what no seed gives
    audio = keras.Input([None], name="audio")
    keras.Model(audio, layer({"audio": audio})).save(tmp_path / "room.keras")
    loaded = keras.models.load_model(tmp_path / "room.keras").get_layer(layer.name)
    np.testing.assert_array_equal(loaded.impulse_response, layer.impulse_response)


def test_gain_and_decay_are_found_by_gradient_descent():
    wanted = ExpDecayReverb(400, 16000, 64, initial_gain=0.2, initial_decay_ms=10.0)
    layer = ExpDecayReverb(400, 16000, 64, initial_gain=0.05, initial_decay_ms=25.0)
    target = wanted.impulse_response
    layer.build(None)
    optimizer = keras.optimizers.Adam(0.05)
    optimizer.build(layer.trainable_variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(layer.impulse_response - target))
        optimizer.apply(tape.gradient(loss, layer.trainable_variables))

    for _ in range(150):
        step()
    assert float(layer.log_gain) == pytest.approx(np.log(0.2), abs=0.02)
    assert float(layer.log_decay) == pytest.approx(np.log(np.log(1000.0) / 0.010), abs=0.02)


# ModDelay


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
@pytest.mark.parametrize(("sample_rate", "hop"), SPECS)
def test_mod_delay_equals_float64_oracle(sample_rate, hop, interpolation):
    layer = ModDelay(sample_rate, hop, 5.0, 3.0, interpolation=interpolation)
    inputs = make_inputs(layer, frames=max(6, 700 // hop), batch=1)
    controls = {k: v[0].numpy().astype(float) for k, v in layer.get_controls(**inputs).items()}
    delay_ms = controls["delay_ms"][:, 0]
    assert np.all((delay_ms >= 2.0) & (delay_ms <= 8.0))
    steps = np.arange(hop) / hop
    pairs = zip(oracle.previous(delay_ms), delay_ms, strict=True)
    delay = np.concatenate([a + (b - a) * steps for a, b in pairs]) * sample_rate / 1000
    wet = oracle.to_audio_rate(controls["gain"][:, 0], hop) * delayed(controls["audio"], delay, interpolation)
    np.testing.assert_allclose(layer(inputs)[0], controls["audio"] + wet, atol=2e-6)


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_whole_delays_are_exact_and_the_dry_signal_can_be_left_out(interpolation):
    layer = ModDelay(16000, 64, 1.0, 0.5, interpolation=interpolation, add_dry=False)
    audio = make_inputs(layer)["audio"]
    output = layer.get_signal(audio=audio, gain=tf.ones([2, 7, 1]), delay_ms=tf.ones([2, 7, 1]))
    np.testing.assert_array_equal(output[:, 16:], audio[:, :-16])
    np.testing.assert_array_equal(output[:, :16], np.zeros([2, 16]))


def test_a_delay_beyond_the_line_is_held_at_its_ends():
    layer = ModDelay(16000, 64, 1.0, 1.0, add_dry=False)
    audio = make_inputs(layer)["audio"]
    ones = tf.ones([2, 7, 1])
    longest = layer.get_signal(audio=audio, gain=ones, delay_ms=2.0 * ones)
    np.testing.assert_array_equal(layer.get_signal(audio=audio, gain=ones, delay_ms=1e4 * ones), longest)
    np.testing.assert_array_equal(layer.get_signal(audio=audio, gain=ones, delay_ms=-ones), audio)


def test_a_falling_delay_raises_the_pitch():
    """The delay falls by 1 % of the time: 1 % higher, by Doppler's formula."""
    sample_rate, hop, frames = 16000, 160, 50
    layer = ModDelay(sample_rate, hop, 10.0, 9.0, interpolation="cubic", add_dry=False)
    sine = np.sin(2 * np.pi * 1000.0 * np.arange(frames * hop) / sample_rate).astype("float32")
    delay_ms = (10.0 - 0.01 * 10.0 * np.arange(1, frames + 1)).astype("float32")
    output = layer.get_signal(
        audio=tf.constant(sine[None]),
        gain=tf.ones([1, frames, 1]),
        delay_ms=tf.constant(delay_ms[None, :, None]),
    )[0, 1600:].numpy()
    phase = np.unwrap(np.angle(scipy.signal.hilbert(output)))[800:-800]
    assert np.polyfit(np.arange(len(phase)), phase, 1)[0] * sample_rate / (2 * np.pi) == pytest.approx(
        1010.0, abs=0.1
    )


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_the_gradient_by_the_delay_equals_finite_differences(interpolation):
    layer = ModDelay(16000, 16, 1.0, 0.5, interpolation=interpolation)
    rng = np.random.default_rng(4)
    audio, weights = rng.normal(size=80).astype("float32"), rng.normal(size=80)
    delay_ms = rng.uniform(0.6, 1.4, 5).astype("float32")

    def objective(delay):
        steps = np.arange(16) / 16
        pairs = zip(oracle.previous(delay), delay, strict=True)
        return weights @ delayed(
            audio, 16 * np.concatenate([a + (b - a) * steps for a, b in pairs]), interpolation
        )

    control = tf.constant(delay_ms[None, :, None])
    with tf.GradientTape() as tape:
        tape.watch(control)
        output = layer.get_signal(audio=tf.constant(audio[None]), gain=tf.ones([1, 5, 1]), delay_ms=control)
        value = tf.reduce_sum(output * tf.constant(weights[None], tf.float32))
    gradient = tape.gradient(value, control)[0, :, 0]
    for i in range(5):
        step = np.zeros(5)
        step[i] = 1e-6
        want = (objective(delay_ms + step) - objective(delay_ms - step)) / 2e-6
        assert float(gradient[i]) == pytest.approx(want, rel=1e-4, abs=1e-3)


# SpectralMask


@pytest.mark.parametrize("overlap", [2, 4])
@pytest.mark.parametrize("hop", [1, 64, 441])
def test_a_mask_of_ones_is_a_delay_by_the_declared_latency(hop, overlap):
    layer = SpectralMask(16000, hop, hops_per_window=overlap)
    inputs = make_inputs(layer)
    output = layer.get_signal(audio=inputs["audio"], mask=tf.ones_like(inputs["mask"]))
    latency = layer.latency_samples
    assert latency == (overlap - 1) * hop
    np.testing.assert_allclose(output[:, latency:], inputs["audio"][:, :-latency], atol=1e-6)
    np.testing.assert_allclose(output[:, :latency], 0.0, atol=1e-6)


@pytest.mark.parametrize("overlap", [2, 4])
@pytest.mark.parametrize(("sample_rate", "hop"), SPECS)
def test_spectral_mask_equals_float64_oracle(sample_rate, hop, overlap):
    layer = SpectralMask(sample_rate, hop, hops_per_window=overlap)
    inputs = make_inputs(layer, batch=1)
    size = overlap * hop
    window = np.sqrt(scipy.signal.get_window("hann", size))
    audio = np.concatenate([np.zeros(size - hop), inputs["audio"][0]])
    want = np.zeros(len(audio) + size)
    for i, mask in enumerate(inputs["mask"][0].numpy().astype(float)):
        piece = slice(i * hop, i * hop + size)
        spectrum = np.fft.rfft(audio[piece] * window) / (1 + np.exp(-mask))
        want[piece] += np.fft.irfft(spectrum, size) * window * 2 / overlap
    np.testing.assert_allclose(layer(inputs)[0], want[: 7 * hop], atol=1e-6)


def test_masks_fade_on_the_frame_grid():
    """A mask that opens at frame 3: hop 3 rises along the crossfade window, as any control does."""
    layer = SpectralMask(16000, 64)
    mask = np.zeros([1, 7, layer.n_bins], "float32")
    mask[:, 3:] = 1.0
    output = layer.get_signal(audio=tf.ones([1, 7 * 64]), mask=tf.constant(mask))[0]
    np.testing.assert_allclose(output, oracle.to_audio_rate(mask[0, :, 0], 64), atol=1e-6)


# All


def test_effects_work_in_a_group_and_stream():
    group = ProcessorGroup(
        16000,
        64,
        inputs=["sound", "magnitudes", "gain", "delay", "mask"],
        nodes=[
            {
                "name": "tone",
                "type": "FIRFilter",
                "config": {"n_bands": 9},
                "inputs": {"audio": "sound", "magnitudes": "magnitudes"},
            },
            {
                "name": "chorus",
                "type": "ModDelay",
                "inputs": {"audio": "tone", "gain": "gain", "delay": "delay"},
            },
            {"name": "gate", "type": "SpectralMask", "inputs": {"audio": "chorus", "mask": "mask"}},
            {
                "name": "room",
                "type": "ExpDecayReverb",
                "config": {"length_samples": 300},
                "inputs": {"audio": "gate"},
            },
            {
                "name": "aligned",
                "type": "Crop",
                "config": {"drop_samples": 72},
                "inputs": {"audio": "room"},
            },
        ],
    )
    rng = np.random.default_rng(0)
    sizes = {"magnitudes": 9, "gain": 1, "delay": 1, "mask": 65}
    raw = {k: tf.constant(rng.normal(size=[1, 20, n]), tf.float32) for k, n in sizes.items()}
    raw["sound"] = tf.constant(rng.uniform(-1, 1, [1, 20 * 64]), tf.float32)
    whole = group(raw)
    assert whole.shape == (1, 20 * 64 - 72)
    state, parts = None, []
    for start, stop in itertools.pairwise([0, 1, 2, 9, 20]):
        block = {k: v[:, start:stop] for k, v in raw.items()}
        block["sound"] = raw["sound"][:, start * 64 : stop * 64]
        output, state = group.stream(block, state)
        parts.append(output.audio)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FIRFilter(1, 16000, 64), "n_bands=1"),
        (lambda: FIRFilter(9, 16000, 64, initial_bias="high"), "initial_bias='high'"),
        (lambda: ExpDecayReverb(100, 16000, 64, initial_gain=0), "initial_gain=0"),
        (lambda: ExpDecayReverb(100, 16000, 64, initial_decay_ms=float("nan")), "initial_decay_ms=nan"),
        (lambda: ExpDecayReverb(100, 16000, 64, seed=None), "seed=None"),
        (lambda: FilteredNoiseReverb(100, 0, 9, 16000, 64), "n_frames=0"),
        (lambda: ModDelay(16000, 64, center_ms=5.0, depth_ms=6.0), "depth_ms=6.0"),
        (lambda: ModDelay(16000, 64, interpolation="cubical"), "Did you mean 'cubic'"),
        (lambda: ModDelay(16000, 64, 5.0, 5.0, "cubic"), "at least one sample"),
        (lambda: ModDelay(16000, 64, add_dry="no"), "add_dry='no'"),
        (lambda: SpectralMask(16000, 64, hops_per_window=3), "hops_per_window=3"),
        (lambda: Crop(-1, 16000, 64), "drop_samples=-1"),
    ],
)
def test_impossible_arguments_are_refused_with_their_value(make, words):
    with pytest.raises(DdspError, match=words):
        make()
