"""Windowed-sinc filters against scipy and float64 finite differences."""

import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.ops import highpass_impulse_response, lowpass_impulse_response
from ddsp_tf.ops.filters import impulse_responses_from_magnitudes

RATE = 16000


def lowpass(cutoff_hz, taps):
    """The design of scipy, under the Blackman window without its two zeros at the ends."""
    n = np.arange(taps) - taps // 2
    sinc = np.sinc(2 * cutoff_hz / RATE * n)
    taps_of = sinc * scipy.signal.get_window("blackman", taps + 2, fftbins=False)[1:-1]
    return taps_of / taps_of.sum()


@pytest.mark.parametrize("taps", [3, 65, 513])
@pytest.mark.parametrize("cutoff_hz", [0.16, 1.0, 440.0, 4000.0, 7999.0, 8000.0])
def test_low_pass_equals_float64_design(cutoff_hz, taps):
    got = lowpass_impulse_response(tf.constant([[cutoff_hz]]), RATE, taps)
    np.testing.assert_allclose(got[0], lowpass(cutoff_hz, taps), atol=3e-7)


def test_low_pass_response_is_flat_half_and_silent_where_it_should_be():
    taps = 257
    responses = lowpass_impulse_response(tf.constant([[[1000.0]], [[3000.0]]]), RATE, taps).numpy()
    assert responses.shape == (2, 1, taps)
    for response, cutoff in zip(responses[:, 0].astype(float), (1000.0, 3000.0), strict=True):
        hz, gain = scipy.signal.freqz(response, worN=4096, fs=RATE)
        gain_db = 20 * np.log10(np.abs(gain) + 1e-12)
        edge = 2.8 * RATE / taps
        assert gain_db[0] == pytest.approx(0.0, abs=1e-5)
        assert np.abs(gain_db[hz < cutoff - edge]).max() < 0.01
        assert np.interp(cutoff, hz, gain_db) == pytest.approx(-6.02, abs=0.1)
        assert gain_db[hz > cutoff + edge].max() < -70


def test_low_pass_and_high_pass_sum_to_a_delay():
    cutoff = tf.constant([[700.0]])
    both = lowpass_impulse_response(cutoff, RATE, 33) + highpass_impulse_response(cutoff, RATE, 33)
    np.testing.assert_allclose(both[0], np.eye(33)[16], atol=1e-7)
    assert float(tf.reduce_sum(highpass_impulse_response(cutoff, RATE, 33))) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("cutoff_hz", [5.0, 700.0, 7000.0])
def test_gradient_by_the_cutoff_equals_finite_differences(cutoff_hz):
    weights = np.random.default_rng(0).normal(size=65)
    cutoff = tf.constant([[cutoff_hz]])
    with tf.GradientTape() as tape:
        tape.watch(cutoff)
        value = tf.reduce_sum(highpass_impulse_response(cutoff, RATE, 65) * weights.astype("float32"))
    step = 1e-3 * cutoff_hz
    want = -weights @ (lowpass(cutoff_hz + step, 65) - lowpass(cutoff_hz - step, 65)) / (2 * step)
    assert float(tape.gradient(value, cutoff)[0, 0]) == pytest.approx(want, rel=2e-3, abs=2e-7)


def test_cutoffs_beyond_the_band_are_held():
    beyond = lowpass_impulse_response(tf.constant([[-10.0], [9000.0]]), RATE, 33)
    within = lowpass_impulse_response(tf.constant([[RATE * 1e-5], [8000.0]]), RATE, 33)
    np.testing.assert_array_equal(beyond, within)


@pytest.mark.parametrize("taps", [1, 64])
def test_even_and_single_taps_are_refused(taps):
    with pytest.raises(DdspError, match=f"taps={taps}"):
        lowpass_impulse_response(tf.constant([[100.0]]), RATE, taps)


@pytest.mark.parametrize("bands", [0, 1])
def test_a_filter_of_fewer_than_two_bands_is_refused(bands):
    with pytest.raises(DdspError, match=rf"2 bands or more. Received: \(1, 3, {bands}\)"):
        impulse_responses_from_magnitudes(tf.ones([1, 3, bands]))
