"""Unit conversions against librosa and the formulas of the papers in float64."""

import librosa
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf import ops, units
from ddsp_tf.errors import DdspError

HZ = np.concatenate([[1e-3, 1.0, 999.9, 1000.0, 1000.1], np.geomspace(5.0, 24000.0, 200)])


def bark(hz):
    """Traunmüller 1990, with the corrections at both ends."""
    z = 26.81 / (1.0 + 1960.0 / hz) - 0.53
    return np.where(z < 2.0, z + 0.15 * (2.0 - z), np.where(z > 20.1, z + 0.22 * (z - 20.1), z))


CASES = {
    "midi": (ops.hz_to_midi, ops.midi_to_hz, librosa.hz_to_midi),
    "octaves": (ops.hz_to_octaves, ops.octaves_to_hz, librosa.hz_to_octs),
    "slaney": (ops.hz_to_mel, ops.mel_to_hz, librosa.hz_to_mel),
    "htk": (
        lambda x: ops.hz_to_mel(x, "htk"),
        lambda x: ops.mel_to_hz(x, "htk"),
        lambda x: librosa.hz_to_mel(x, htk=True),
    ),
    "bark": (ops.hz_to_bark, ops.bark_to_hz, bark),
    "erb": (ops.hz_to_erb_rate, ops.erb_rate_to_hz, lambda x: 21.4 * np.log10(1.0 + 0.00437 * x)),
}


@pytest.mark.parametrize("name", CASES)
def test_conversion_equals_its_oracle_and_comes_back(name):
    convert, invert, oracle = CASES[name]
    want = oracle(HZ)
    exact = convert(tf.constant(HZ))  # float64
    np.testing.assert_allclose(exact, want, rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(invert(exact), HZ, rtol=1e-9, atol=1e-9)
    # float32: a few roundings of the largest term
    np.testing.assert_allclose(convert(tf.constant(HZ, tf.float32)), want, rtol=2e-6, atol=3e-5)
    assert convert(tf.constant(HZ, tf.float32)).dtype == tf.float32
    assert np.all(np.diff(np.asarray(exact)[5:]) > 0)


@pytest.mark.parametrize("name", CASES)
def test_conversion_has_a_finite_gradient_in_both_directions(name):
    convert, invert, oracle = CASES[name]
    hz = tf.constant([0.5, 999.0, 1000.0, 15000.0, 20000.0], tf.float64)
    value = tf.constant(oracle(hz.numpy()))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([hz, value])
        there, back = convert(hz), invert(value)
    slope, inverse = tape.gradient(there, hz), tape.gradient(back, value)
    assert np.isfinite(slope).all()
    # Where a scale has a corner, at 1 kHz, each side may answer for it.
    np.testing.assert_allclose((slope * inverse).numpy()[[0, 1, 3, 4]], 1.0, rtol=1e-9)


def test_no_pitch_is_note_0_without_a_gradient_as_on_the_device():
    hz = tf.constant([-5.0, 0.0, 440.0])
    with tf.GradientTape() as tape:
        tape.watch(hz)
        midi = ops.hz_to_midi(hz)
    np.testing.assert_allclose(midi, units.hz_to_midi(hz.numpy()), atol=1e-5)
    np.testing.assert_allclose(tape.gradient(midi, hz), [0, 0, 12 / np.log(2) / 440], rtol=1e-5)


def test_scales_at_zero_and_at_known_points():
    zero = tf.zeros([])
    assert float(ops.hz_to_mel(zero)) == 0.0
    assert float(ops.hz_to_mel(zero, "htk")) == 0.0
    assert float(ops.hz_to_erb_rate(zero)) == 0.0
    assert float(ops.hz_to_mel(tf.constant(1000.0))) == pytest.approx(15.0, rel=1e-6)
    assert float(ops.hz_to_mel(tf.constant(1000.0), "htk")) == pytest.approx(1000.0, rel=1e-4)
    # Glasberg and Moore: 132 Hz at 1 kHz
    assert float(ops.erb_bandwidth_hz(tf.constant(1000.0))) == pytest.approx(132.6, abs=0.1)
    # ERB-rate counts bandwidths: its slope is one over the bandwidth, within the paper's rounding
    hz = tf.constant([100.0, 1000.0, 8000.0])
    with tf.GradientTape() as tape:
        tape.watch(hz)
        rate = ops.hz_to_erb_rate(hz)
    np.testing.assert_allclose(tape.gradient(rate, hz) * ops.erb_bandwidth_hz(hz), 1.0, rtol=5e-3)


@pytest.mark.parametrize("convert", [ops.hz_to_mel, ops.mel_to_hz])
def test_an_unknown_mel_scale_is_refused(convert):
    with pytest.raises(DdspError, match="Did you mean 'slaney'"):
        convert(tf.ones([]), "slany")


def test_levels_equal_librosa_and_come_back():
    amplitude = np.geomspace(1e-3, 100.0, 60)
    level = ops.amplitude_to_db(tf.constant(-amplitude))
    np.testing.assert_allclose(level, librosa.amplitude_to_db(amplitude, top_db=None), atol=1e-9)
    np.testing.assert_allclose(ops.db_to_amplitude(level), amplitude, rtol=1e-12)
    level = ops.power_to_db(tf.constant(amplitude))
    np.testing.assert_allclose(level, librosa.power_to_db(amplitude, top_db=None), atol=1e-9)
    np.testing.assert_allclose(ops.db_to_power(level), amplitude, rtol=1e-12)


def test_levels_of_silence_are_the_floor_and_have_no_gradient():
    silence = tf.constant([0.0, 1e-9])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(silence)
        levels = ops.amplitude_to_db(silence), ops.power_to_db(silence, -60.0)
    for level, floor in zip(levels, (-80.0, -60.0), strict=True):
        np.testing.assert_allclose(level, [floor, floor], rtol=1e-6)
        np.testing.assert_array_equal(tape.gradient(level, silence), [0.0, 0.0])
    np.testing.assert_allclose(levels[0], units.amplitude_to_db(silence.numpy()), rtol=1e-6)
