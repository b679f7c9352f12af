"""The candidates of one window after another, against those of many together, and what they rest on."""

import os
from pathlib import Path

import numpy as np
import pytest

from ddsp_edge import FrameSpec
from ddsp_edge.features.autocorrelation import Autocorrelation
from ddsp_edge.features.periods import NONE, PeriodFinder
from ddsp_edge.features.window_periods import WindowPeriods
from ddsp_edge.features.windows import CenteredWindows
from ddsp_edge.files.audio_file import read_audio

EXACT = Path(os.environ.get("DDSP_TEST_DATA", "absent")) / "f0-exact"


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("share", [0.2, 0.5])
@pytest.mark.parametrize("size", [9, 64, 295, 350, 900])  # short ones are summed, long ones transformed
def test_the_correlation_is_that_of_the_band_limited_sound(size, share, steps):
    lags = max(2, int(share * size))
    fft_size = 2 * (size + lags)
    x = np.random.default_rng(size).normal(size=size)  # white: as much at Nyquist as anywhere
    correlation = Autocorrelation(size, lags, steps, fft_size)
    correlation.window[:] = x
    found = correlation.measure() / (x @ x)
    summed = [x[: size - lag] @ x[lag:] / (x @ x) for lag in range(lags)]
    np.testing.assert_allclose(found[::steps], summed, atol=2e-6, rtol=0)  # float32, of the energy
    # Halfway, by definition: a sum of waves, each as strong as the sound is at its frequency.
    bins = np.arange(fft_size // 2 + 1)
    strength = np.abs(np.exp(-2j * np.pi / fft_size * np.outer(bins, np.arange(size))) @ x) ** 2
    strength[1:-1] *= 2.0
    waves = np.cos(2 * np.pi / fft_size * np.outer(np.arange(len(found)) / steps, bins))
    np.testing.assert_allclose(found, waves @ strength / fft_size / (x @ x), atol=2e-6, rtol=0)


def recorded(sample_rate, size):
    for path in sorted(EXACT.glob("*.flac")):
        audio, _ = read_audio(path, sample_rate)
        yield CenteredWindows(FrameSpec(sample_rate, 4001), size).push(audio[: 20 * sample_rate])


def made(sample_rate, size):
    """Noise, sounds of partials that leap, and what is too faint to hear."""
    rng = np.random.default_rng(0)
    for f0_hz in (117.0, 300.0, 301.0, 1234.0):
        phase = 2 * np.pi * f0_hz * np.arange(size) / sample_rate
        tone = sum(np.sin(k * phase + k) / k for k in range(1, 12) if k * f0_hz < 0.45 * sample_rate)
        for level in (1.0, 1e-3):
            yield (level * (tone + rng.normal(size=(4, size)) * [[0.0], [1e-3], [0.3], [10.0]])).astype("f4")


@pytest.mark.parametrize("sound", [made, recorded])
@pytest.mark.parametrize(("sample_rate", "f0_min_hz"), [(16_000, 110.0), (16_000, 55.0), (48_000, 110.0)])
def test_a_window_has_the_candidates_that_it_has_among_others(sound, sample_rate, f0_min_hz):
    if sound is recorded and not EXACT.is_dir():
        pytest.skip("the recordings of exactly known pitch are not here")
    every, single = (kind(sample_rate, f0_min_hz, 2000.0, 6) for kind in (PeriodFinder, WindowPeriods))
    for windows in sound(sample_rate, every.size):
        found = every.find(windows)
        for i, window in enumerate(windows):
            if found.mean_square[i] < 1e-10:  # the two call nothing and next to nothing by other names
                continue
            candidates, mean_square, _ = single.search(window)
            np.testing.assert_allclose(mean_square, found.mean_square[i], rtol=1e-5)
            there = [j for j in np.argsort(found.cost[i]) if found.cost[i, j] < NONE]
            cost, f0_hz, aperiodicity = np.array(candidates).reshape(-1, 3).T
            # What float32 rounds may exchange two candidates of equal cost, and moves a flat minimum.
            np.testing.assert_allclose(cost, found.cost[i, there], atol=1e-4, rtol=0)
            same = np.abs(f0_hz / found.f0_hz[i, there] - 1.0) < 1e-3
            assert same.mean() > 0.6 if len(same) else not there
            np.testing.assert_allclose(
                aperiodicity[same], found.aperiodicity[i, there][same], atol=1e-4, rtol=0
            )


@pytest.mark.parametrize(("sample_rate", "f0_min_hz"), [(16_000, 110.0), (16_000, 55.0), (48_000, 55.0)])
def test_a_window_is_the_same_to_the_last_bit_alone_and_among_others(sample_rate, f0_min_hz):
    """Quantized networks make a difference out of the last bit: files and live sound are to be one."""
    finder = WindowPeriods(sample_rate, f0_min_hz, 2000.0, 6)
    for windows in made(sample_rate, finder.size):
        windows[2] = 0.0
        assert list(finder.search_all(windows)) == [finder.search(window) for window in windows]


def test_silence_has_no_candidates():
    assert WindowPeriods(16_000, 110.0, 2000.0, 6).search(np.zeros(294, np.float32)) == ([], 0.0, 0.0)
