"""Rooms at another rate, against scipy's resampling."""

import numpy as np
import pytest
from scipy import signal

from ddsp_edge import DdspError, resample_impulse_response

RATE = 16_000


def room(seconds=0.5):
    """Echoes after 2 ms, below 5 kHz, so that nothing is lost at any of the rates."""
    taps = round(seconds * RATE)
    noise = np.random.default_rng(0).normal(size=taps) * 10.0 ** (-2.0 * np.arange(taps) / taps)
    echoes = 0.1 * signal.sosfiltfilt(signal.butter(8, 5000, fs=RATE, output="sos"), noise)
    echoes *= np.clip((np.arange(taps) - 32) / 32.0, 0.0, 1.0)
    response = echoes.astype(np.float32)
    response[0] = 1.0
    return response


@pytest.mark.parametrize(("new_rate", "up", "down"), [(48_000, 3, 1), (44_100, 441, 160), (12_000, 3, 4)])
def test_playing_in_a_resampled_room_is_resampling_what_was_played_in_the_room(new_rate, up, down):
    """Sound below 4.5 kHz through the room, then resampled by scipy; against resampled, then through ours."""
    low = signal.butter(10, 4500, fs=RATE, output="sos")
    sound = signal.sosfiltfilt(low, np.random.default_rng(1).uniform(-0.3, 0.3, RATE))
    response = room()
    window = ("kaiser", 12.0)  # steep enough that scipy's own error is below -80 dB
    want = signal.resample_poly(signal.fftconvolve(sound, response)[:RATE], up, down, window=window)
    ours = resample_impulse_response(response, RATE, new_rate)
    again = signal.fftconvolve(signal.resample_poly(sound, up, down, window=window), ours)[: len(want)]
    middle = slice(new_rate // 10, -new_rate // 10)
    echo = want - signal.resample_poly(sound, up, down, window=window)[: len(want)]
    error = np.sqrt(np.mean((again - want)[middle] ** 2) / np.mean(echo[middle] ** 2))
    assert error < 1e-3  # -60 dB below the echoes: what the ramps of both filters differ by


def test_the_taps_are_those_of_scipy():
    response = room()
    ours = resample_impulse_response(response, RATE, 48_000)
    echoes = response.astype(float)
    echoes[0] = 0.0
    want = signal.resample_poly(echoes, 3, 1, window=("kaiser", 12.0)) / 3.0
    assert len(ours) == len(want) == 3 * len(response)
    np.testing.assert_allclose(ours[200:-200], want[200:-200], atol=1e-3 * np.abs(want).max())
    assert ours[0] == pytest.approx(1.0, abs=1e-3)


def test_the_direct_path_alone_stays_a_single_sample():
    dry = np.zeros(100, np.float32)
    dry[0] = 1.0
    for rate in (8_000, 48_000):
        got = resample_impulse_response(dry, RATE, rate)
        assert len(got) == 100 * rate // RATE
        np.testing.assert_array_equal(got, np.eye(len(got), dtype=np.float32)[0])
    np.testing.assert_array_equal(resample_impulse_response(room(), RATE, RATE), room())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([[1.0]], RATE, 48_000), r"one dimension. Received shape: \(1, 1\)"),
        (([], RATE, 48_000), r"one dimension. Received shape: \(0,\)"),
        (([1.0, float("nan")], RATE, 48_000), "impulse_response holds values that are not finite"),
        (([1.0], 0, 48_000), "sample_rate must be a positive integer. Received: sample_rate=0"),
        (([1.0], RATE, 44_100.5), "new_rate must be a positive integer. Received: new_rate=44100.5"),
    ],
)
def test_what_cannot_be_is_refused(arguments, words):
    with pytest.raises(DdspError, match=words):
        resample_impulse_response(*arguments)
