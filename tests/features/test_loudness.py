"""Loudness in TensorFlow against numpy on the device and against librosa's A-weighting."""

import librosa
import numpy as np
import pytest
import tensorflow as tf

from ddsp_edge.features.loudness import a_weighting_power
from ddsp_edge.features.loudness import loudness_db as loudness_db_numpy
from ddsp_edge.units import Array
from ddsp_tf.features.loudness import loudness_db
from ddsp_tf.frames import FrameSpec

GRIDS = [(16_000, 64), (44_100, 147), (48_000, 960), (8_000, 400), (22_050, 22_050)]


def _sound(n: int) -> Array:
    rng = np.random.default_rng(3)
    time = np.arange(n)
    fading = np.exp(-time / (0.2 * n))
    return (0.3 * fading * (np.sin(0.05 * time) + 0.3 * rng.standard_normal(n))).astype(np.float32)


def _oracle(audio: Array, spec: FrameSpec) -> Array:
    """The definition in float64, with the weighting from librosa and one window at a time."""
    size = max(64, 64 * round(0.032 * spec.sample_rate / 64))
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
    frequencies = np.fft.rfftfreq(size, 1.0 / spec.sample_rate)
    gain = np.zeros(len(frequencies))
    gain[1:] = 10.0 ** (librosa.A_weighting(frequencies[1:], min_db=None) / 20.0)
    padded = np.pad(audio.astype(np.float64), size)
    result = []
    for frame in range(len(audio) // spec.hop):
        start = (frame + 1) * spec.hop - size // 2 + size
        weighted = np.fft.irfft(np.fft.rfft(padded[start : start + size] * window) * gain)
        result.append(10.0 * np.log10(np.sum(weighted**2) / np.sum(window**2) + 1e-8))
    return np.array(result)


@pytest.mark.parametrize(("sample_rate", "hop"), GRIDS)
def test_equals_the_device_and_the_oracle(sample_rate: int, hop: int) -> None:
    spec = FrameSpec(sample_rate, hop)
    audio = _sound(max(2 * hop, sample_rate // 2) + 13)
    received = loudness_db(audio[None], spec).numpy()[0]
    assert received.shape == (spec.n_frames(len(audio)),)
    # The bounds that the project promises.
    np.testing.assert_allclose(received, loudness_db_numpy(audio, spec), atol=1e-3)
    np.testing.assert_allclose(received, _oracle(audio, spec), atol=0.01)


def _hostile_sounds(sample_rate: int) -> dict[str, Array]:
    """Sounds of a fifth of a second at the edges of what levels and frequencies there are."""
    n = sample_rate // 5
    noise = np.random.default_rng(4).standard_normal(n)
    phase = 2.0 * np.pi * np.arange(n) / sample_rate
    sounds = {
        "as loud as a float is used": 100.0 * noise,
        "about the floor": 1e-4 * noise,
        "far below the floor": 1e-7 * noise,
        "smaller than floats are normal": 1e-39 * noise,
        "full scale": np.sin(1000.0 * phase),
        "below hearing, beside an offset": 0.4 * np.sin(18.0 * phase) + 0.5,
        "soft and clear over loud and low": 0.9 * np.sin(40.0 * phase) + 1e-3 * np.sin(3000.0 * phase),
        "just below Nyquist": 0.5 * np.sin(0.49 * sample_rate * phase),
        "a click": np.where(np.arange(n) == n // 2, 1.0, 0.0),
        "a fast fade": np.exp(-np.arange(n) / (0.01 * sample_rate)) * np.sin(440.0 * phase),
    }
    return {name: sound.astype(np.float32) for name, sound in sounds.items()}


@pytest.mark.parametrize(
    "sample_rate", [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000]
)
def test_both_sides_and_the_oracle_agree_at_any_rate_on_any_sound(sample_rate: int) -> None:
    spec = FrameSpec(sample_rate, sample_rate // 100)
    for name, audio in _hostile_sounds(sample_rate).items():
        library, device = loudness_db(audio[None], spec).numpy()[0], loudness_db_numpy(audio, spec)
        oracle = _oracle(audio, spec)
        # The bounds that the project promises.
        np.testing.assert_allclose(library, device, atol=1e-3, err_msg=name)
        np.testing.assert_allclose(library, oracle, atol=0.01, err_msg=name)
        np.testing.assert_allclose(device, oracle, atol=0.01, err_msg=name)


@pytest.mark.parametrize("n", [0, 1, 2, 63, 64, 65, 511])
def test_sounds_shorter_than_a_window_are_measured(n: int) -> None:
    spec = FrameSpec(16_000, 1 if n < 63 else 64)
    audio = _sound(600)[:n]
    library, device = loudness_db(audio[None], spec).numpy()[0], loudness_db_numpy(audio, spec)
    assert library.shape == device.shape == (spec.n_frames(n),)
    np.testing.assert_allclose(library, device, atol=1e-3)
    np.testing.assert_allclose(device, _oracle(audio, spec), atol=0.01)


def test_the_weighting_is_librosas() -> None:
    frequencies = np.geomspace(1.0, 96_000.0, 400)
    expected = librosa.A_weighting(frequencies, min_db=None)
    # Both write out the standard's formula, whose constants have 8 digits, or 2 dB as 2.00.
    np.testing.assert_allclose(10.0 * np.log10(a_weighting_power(frequencies)), expected, atol=1e-3)


def test_silence_is_the_floor_and_a_sine_at_1_khz_has_minus_3_db() -> None:
    spec = FrameSpec(16_000, 64)
    np.testing.assert_allclose(loudness_db(tf.zeros([1, 1000]), spec), -80.0, atol=1e-4)
    sine = np.sin(2.0 * np.pi * 1000.0 * np.arange(16_000) / 16_000)[None]
    # A window of 32 cycles: its mean square differs from 1/2 by leakage only.
    np.testing.assert_allclose(loudness_db(sine, spec)[0, 10:-10], -3.0103, atol=0.01)


def test_batch_and_length_may_be_symbolic() -> None:
    spec = FrameSpec(16_000, 64)
    measure = tf.function(
        lambda x: loudness_db(x, spec), input_signature=[tf.TensorSpec([None, None], tf.float32)]
    )
    for n in (0, 63, 64, 1000):
        audio = _sound(1001)[:n]
        expected = loudness_db_numpy(audio, spec)
        np.testing.assert_allclose(measure(np.stack([audio, audio]))[1], expected, atol=1e-3)


@pytest.mark.parametrize(("sample_rate", "level"), [(16_000, 1.0), (16_000, 1e-3), (44_100, 1.0)])
def test_gradient_is_that_of_the_definition(sample_rate: int, level: float) -> None:
    spec = FrameSpec(sample_rate, 160)
    audio = level * _sound(1600)
    with tf.GradientTape() as tape:
        x = tf.constant(audio[None])
        tape.watch(x)
        total = tf.reduce_sum(loudness_db(x, spec))
    gradient = tape.gradient(total, x).numpy()[0]
    for seed in range(3):
        direction = np.random.default_rng(seed).standard_normal(1600)
        step = 1e-5 * level * direction
        change = _oracle(audio + step, spec).sum() - _oracle(audio - step, spec).sum()
        numeric = change / (2e-5 * level)
        # Central differences in float64 err by 1e-7 or so; the rest is float32 and the bin at 0 Hz.
        assert gradient @ direction == pytest.approx(numeric, rel=1e-3)


def test_gradient_in_silence_is_zero() -> None:
    x = tf.zeros([1, 1000])
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(loudness_db(x, FrameSpec(16_000, 64)))
    np.testing.assert_array_equal(tape.gradient(total, x), 0.0)
