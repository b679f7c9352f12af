import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_edge import FrameSpec
from ddsp_edge.features.brightness import brightness_of
from ddsp_edge.features.loudness import a_weighting_power, loudness_db, window_size
from ddsp_edge.features.spectral import SpectrumMeter, weighted_spectra

RATE, HOP = 16_000, 128
SPEC = FrameSpec(RATE, HOP)
RNG = np.random.default_rng(0)
SOUND = (RNG.normal(size=6000) * np.exp(-np.arange(6000) / 2000.0)).astype(np.float32)


def octaves(sound, f0_hz, spec=SPEC):
    powers = weighted_spectra(sound, spec)
    return brightness_of(powers, np.full(len(powers), f0_hz), spec.sample_rate)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("partial", [1, 3, 8])
def test_a_single_partial_is_as_bright_as_its_number_says(rate, partial):
    time = np.arange(rate // 2) / rate
    sound = 0.3 * np.sin(2 * np.pi * 440.0 * partial * time)
    found = octaves(sound, 440.0, FrameSpec(rate, rate // 125))[5:-5]
    # The window's main lobe, 125 Hz wide, is weighted unevenly: 0.03 octaves at 440 Hz.
    np.testing.assert_allclose(found, np.log2(partial), atol=0.03)


def test_it_is_the_centroid_of_the_weighted_spectrum():
    """Against a discrete Fourier transform in float64, window by window."""
    size, f0_hz = window_size(RATE), 220.0
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    frequencies = np.arange(size // 2 + 1) * RATE / size
    transform = np.exp(-2j * np.pi * np.outer(np.arange(size // 2 + 1), np.arange(size)) / size)
    padded = np.pad(SOUND.astype(np.float64), size)
    sides = np.where(np.isin(np.arange(size // 2 + 1), [0, size // 2]), 1.0, 2.0)
    want = []
    for frame in range(len(SOUND) // HOP):
        middle = (frame + 1) * HOP + size
        spectrum = transform @ (padded[middle - size // 2 : middle + size // 2] * window)
        power = sides * np.abs(spectrum) ** 2 * a_weighting_power(frequencies) / (size * (window**2).sum())
        want.append(np.log2(((power @ frequencies) / f0_hz + 1e-8) / (power.sum() + 1e-8)))
    np.testing.assert_allclose(octaves(SOUND, f0_hz), want, atol=1e-4)


def test_powers_add_up_to_that_of_the_loudness():
    level = 10.0 * np.log10(weighted_spectra(SOUND, SPEC).sum(axis=1) + 1e-8)
    np.testing.assert_allclose(level, loudness_db(SOUND, SPEC), atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 900), max_size=12))
def test_any_blocks_give_what_the_whole_gives(sizes):
    meter, parts, start = SpectrumMeter(SPEC), [], 0
    for size in [*sizes, len(SOUND)]:
        parts.append(meter.push(SOUND[start : start + size]))
        start = min(start + size, len(SOUND))
    parts.append(meter.flush())
    np.testing.assert_allclose(np.concatenate(parts), weighted_spectra(SOUND, SPEC), rtol=1e-6, atol=1e-12)


def test_a_single_window_is_measured_alike():
    meter, size = SpectrumMeter(SPEC), window_size(RATE)
    window = SOUND[4 * HOP - size // 2 : 4 * HOP - size // 2 + size]
    powers = meter.follow(window)[np.newaxis]
    assert brightness_of(powers, np.array([220.0]), RATE)[0] == pytest.approx(
        octaves(SOUND, 220.0)[3], abs=1e-5
    )


def test_gain_changes_nothing_and_silence_is_as_bright_as_its_pitch():
    np.testing.assert_allclose(octaves(SOUND, 220.0)[:20], octaves(0.1 * SOUND, 220.0)[:20], atol=1e-3)
    assert not octaves(np.zeros(2000), 220.0).any()
