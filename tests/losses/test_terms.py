"""Terms of losses against float64 numpy, window by window."""

import keras
import librosa
import numpy as np
import pytest
import tensorflow as tf

from ddsp_edge.features.loudness import loudness_db
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from ddsp_tf.losses import (
    Branches,
    HarmonicNoiseConsistency,
    LoudnessLoss,
    MultiScaleSpectralLoss,
    WeightedLosses,
)
from tests.losses.sounds import sounds, spectra

RATE, HOP = 16_000, 128


def magnitudes(audio, size):
    return np.abs(spectra(audio, size))


@pytest.mark.parametrize("name", ["delta_time", "delta_frequency", "mel"])
def test_a_further_term_equals_its_formula_and_is_added(name):
    y_true, y_pred = sounds(3000)
    sizes = (512, 128)
    loss = MultiScaleSpectralLoss(sizes, **{f"{name}_weight": 0.5}, n_mels=20, sample_rate=RATE)
    plain = MultiScaleSpectralLoss(sizes)
    expected = 0.0
    for a, b in zip(y_true, y_pred, strict=True):
        if name == "mel":
            bank = librosa.filters.mel(sr=RATE, n_fft=512, n_mels=20, norm=None, dtype=np.float64)
            mels = [np.log(magnitudes(x, 512) @ bank.T + 1e-5) for x in (a, b)]
            expected += np.mean(np.abs(mels[0] - mels[1]))
        else:
            axis = 0 if name == "delta_time" else 1
            for size in sizes:
                one, two = (np.diff(magnitudes(x, size), axis=axis) for x in (a, b))
                expected += np.mean(np.abs(one - two))
    value, terms = loss.value_and_terms(y_true, y_pred)
    assert loss.term_names == ("magnitude", "log_magnitude", name)
    # librosa's filters peak at 1 between bins, ours at the nearest bin: 20 wide bands differ by some percent.
    tolerance = 0.03 if name == "mel" else 1e-4
    assert float(tf.reduce_mean(terms[name])) == pytest.approx(0.5 * expected / 2, rel=tolerance)
    np.testing.assert_allclose(value, plain.value_and_terms(y_true, y_pred)[0] + terms[name], rtol=1e-5)
    assert float(loss(y_true, y_pred)) == pytest.approx(float(tf.reduce_mean(value)), rel=1e-6)
    slow = loss.terms(y_true, y_pred)
    np.testing.assert_allclose(slow[name], terms[name], rtol=1e-5)


def test_terms_of_the_compiled_loss_are_those_of_the_formula():
    y_true, y_pred = sounds(3000)
    loss = MultiScaleSpectralLoss((512, 128), magnitude_weight=0.5, log_magnitude_weight=2.0)
    value, terms = loss.value_and_terms(y_true, y_pred)
    by_size = loss.terms(y_true, y_pred)
    for name in ("magnitude", "log_magnitude"):
        expected = by_size[f"{name}_512"] + by_size[f"{name}_128"]
        np.testing.assert_allclose(terms[name], expected, rtol=1e-5)  # float32, summed differently
    np.testing.assert_allclose(value, terms["magnitude"] + terms["log_magnitude"], rtol=1e-6)


def test_the_loss_and_not_its_terms_has_a_gradient():
    y_true, y_pred = map(tf.constant, sounds(1000))
    loss = MultiScaleSpectralLoss((128,), delta_time_weight=1.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(y_pred)
        value, terms = loss.value_and_terms(y_true, y_pred)
    assert np.abs(tape.gradient(value, y_pred)).max() > 0
    assert tape.gradient(terms["magnitude"], y_pred) is None
    assert tape.gradient(terms["delta_time"], y_pred) is None


@pytest.mark.parametrize("name", ["delta_time", "delta_frequency", "mel"])
def test_gradients_of_further_terms_are_those_of_differences(name):
    """Central differences along the gradient; the L1 distance is linear but for sign changes."""
    y_true, y_pred = sounds(1000, batch=1)
    weights = {"log_magnitude_weight": 0.0, f"{name}_weight": 3.0}
    loss = MultiScaleSpectralLoss((256,), **weights, sample_rate=RATE)
    x = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(y_true, x)
    gradient = tape.gradient(value, x).numpy()
    direction = gradient / np.sqrt(np.mean(gradient**2))  # the steepest: it is least rounded
    step = 1e-5
    up, down = (float(loss(y_true, y_pred + sign * step * direction)) for sign in (1, -1))
    assert (up - down) / (2 * step) == pytest.approx(np.sum(gradient * direction), rel=0.02)


def test_the_loudness_loss_is_the_difference_of_the_devices_loudness():
    y_true, y_pred = sounds(4000)
    spec = FrameSpec(RATE, HOP)
    expected = [
        np.mean(np.abs(loudness_db(a, spec) - loudness_db(b, spec)))
        for a, b in zip(y_true, y_pred, strict=True)
    ]
    value, terms = LoudnessLoss(RATE, HOP).value_and_terms(y_true, y_pred)
    np.testing.assert_allclose(value, expected, atol=2e-3)  # the bound between both loudnesses
    np.testing.assert_array_equal(terms["loudness"], value)


def consistency_by_hand(target, harmonic, noise, f0_hz, size, epsilon):
    """Bin by bin in float64."""
    recorded, tonal, hiss = (magnitudes(x, size) for x in (target, harmonic, noise))
    at_harmonics, between = [], []
    for i in range(len(recorded)):
        centre = (i + 1) * size // 4 - size // 2
        frame = min(max((centre + HOP // 2) // HOP - 1, 0), len(f0_hz) - 1)
        f0_bins = f0_hz[frame] * size / RATE
        for k in range(size // 2 + 1):
            multiples = f0_bins * np.arange(1, size)
            if np.min(np.abs(multiples - k)) <= 2.0:
                midway = min(round((np.floor(k / f0_bins) + 0.5) * f0_bins), size // 2)
                floor = recorded[i, midway]
                wanted = max(recorded[i, k], floor)
                at_harmonics.append(abs(np.log((tonal[i, k] + floor + epsilon) / (wanted + epsilon))))
            else:
                between.append(abs(np.log((hiss[i, k] + epsilon) / (recorded[i, k] + epsilon))))
    return np.mean(at_harmonics) + np.mean(between)


def test_consistency_asks_harmonics_and_noise_for_their_own_bins():
    frames = 40
    f0_hz = np.linspace(230.0, 410.0, frames).astype(np.float32)
    target, harmonic = sounds(frames * HOP, batch=1)
    noise = np.random.default_rng(2).normal(0.0, 0.02, target.shape).astype(np.float32)
    loss = HarmonicNoiseConsistency(RATE, HOP, fft_size=512)
    branches = Branches(tf.constant(f0_hz[None, :, None]), tf.constant(harmonic), tf.constant(noise))
    value, _ = loss.value_and_terms(target, target, branches)
    expected = consistency_by_hand(target[0], harmonic[0], noise[0], f0_hz.astype(float), 512, 1e-3)
    assert float(value[0]) == pytest.approx(expected, rel=1e-3)  # float32 logarithms near the floor


def test_consistency_prefers_the_right_branch():
    """A tone and hiss: the right split is closer than the swapped one, and than all in one branch."""
    frames = 60
    t = np.arange(frames * HOP) / RATE
    tone = sum(0.2 / k * np.sin(2 * np.pi * 300.0 * k * t) for k in range(1, 20))[None].astype(np.float32)
    hiss = np.random.default_rng(0).normal(0.0, 0.01, tone.shape).astype(np.float32)
    f0_hz = np.full([1, frames, 1], 300.0, np.float32)
    loss = HarmonicNoiseConsistency(RATE, HOP)
    assert loss.fft_size == 1024

    def value(harmonic, noise):
        return float(loss.value_and_terms(tone + hiss, tone + hiss, Branches(f0_hz, harmonic, noise))[0][0])

    right = value(tone, hiss)
    assert right < 0.3 * value(hiss, tone)
    assert right < 0.5 * value(0 * tone, tone + hiss)
    assert right < 0.5 * value(tone + hiss, 0 * tone)
    assert float(loss(tone, hiss)) == 0.0  # without branches there is nothing to say


def test_weighted_losses_are_the_sum_with_all_terms_and_come_back():
    y_true, y_pred = sounds(2000)
    parts = [MultiScaleSpectralLoss((256,)), LoudnessLoss(RATE, HOP)]
    loss = WeightedLosses(parts, [1.0, 0.25])
    assert loss.term_names == ("magnitude", "log_magnitude", "loudness")
    expected = float(parts[0](y_true, y_pred)) + 0.25 * float(parts[1](y_true, y_pred))
    assert float(loss(y_true, y_pred)) == pytest.approx(expected, rel=1e-6)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert float(again(y_true, y_pred)) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(DdspError, match="one weight for each loss, and terms of different names"):
        WeightedLosses([parts[0], parts[0]], [1.0, 1.0])
    with pytest.raises(DdspError, match="one weight for each"):
        WeightedLosses(parts, [1.0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mel_weight": 1.0}, "mel_weight needs the sample_rate"),
        ({"mel_weight": 1.0, "sample_rate": 16_000, "n_mels": 0}, "n_mels must be a positive integer"),
        ({"delta_time_weight": -1.0}, "delta_time_weight must be a finite number"),
        ({"delta_frequency_weight": float("inf")}, "delta_frequency_weight must be a finite number"),
    ],
)
def test_wrong_arguments_are_refused(arguments, words):
    with pytest.raises(DdspError, match=words):
        MultiScaleSpectralLoss(**arguments)
