from itertools import pairwise

import numpy as np
import pytest

from ddsp_edge import FrameSpec
from ddsp_edge.features.loudness import a_weighting_power, window_size
from ddsp_edge.features.partials import partial_levels
from ddsp_edge.features.spectral import spectral_features, weighted_spectra
from ddsp_edge.further import FURTHER, PARTIALS, expanded

RATE, HOP = 16_000, 128
SPEC = FrameSpec(RATE, HOP)
RNG = np.random.default_rng(0)


def levels(sound, f0_hz, spec=SPEC):
    powers = weighted_spectra(sound, spec)
    return partial_levels(powers, np.full(len(powers), f0_hz), spec.sample_rate)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize(
    ("partial", "group"), [(1, 0), (2, 1), (4, 3), (5, 4), (6, 4), (8, 5), (12, 6), (16, 7)]
)
def test_a_single_partial_is_all_there_is_in_its_group(rate, partial, group):
    time = np.arange(rate // 2) / rate
    found = levels(0.3 * np.sin(2 * np.pi * 440.0 * partial * time), 440.0, FrameSpec(rate, rate // 125))[
        5:-5
    ]
    np.testing.assert_allclose(found[:, group], 40.0, atol=0.1)
    assert np.delete(found, group, axis=1).max() < 25.0  # the skirts of the window


def test_two_partials_have_the_levels_that_they_have():
    time = np.arange(RATE) / RATE
    sound = 0.3 * np.sin(2 * np.pi * 500.0 * time) + 0.1 * np.sin(2 * np.pi * 1500.0 * time)
    weights = a_weighting_power([500.0, 1500.0]) * np.array([0.3, 0.1]) ** 2
    want = 40.0 + 10.0 * np.log10(weights / weights.sum())
    found = levels(sound, 500.0)[10:-10, [0, 2]]
    np.testing.assert_allclose(found, np.broadcast_to(want, found.shape), atol=0.05)


def test_it_is_the_share_of_the_power_between_the_borders():
    """Against sums over bins, of which those on a border count in proportion, in float64."""
    bins = window_size(RATE) // 2 + 1
    powers, f0_hz = RNG.uniform(0.0, 1.0, [40, bins]) ** 4, RNG.uniform(70.0, 900.0, 40)
    borders = [0.0, *(first - 0.5 for first in list(PARTIALS.values())[1:]), np.inf]
    middle = np.arange(bins) * RATE / 2.0 / (bins - 1)
    half = RATE / 4.0 / (bins - 1)
    for frame, found in enumerate(partial_levels(powers, f0_hz, RATE)):
        for group, (low, high) in enumerate(pairwise(borders)):
            low_hz = -np.inf if low == 0.0 else low * f0_hz[frame]
            upper, lower = np.minimum(middle + half, high * f0_hz[frame]), np.maximum(middle - half, low_hz)
            part = powers[frame] @ np.clip((upper - lower) / (2.0 * half), 0.0, 1.0)
            want = max(0.0, 40.0 + 10.0 * np.log10((part + 1e-8) / (powers[frame].sum() + 1e-8)))
            assert found[group] == pytest.approx(want, abs=1e-3)


def test_a_pitch_that_glides_moves_no_level_by_a_leap():
    sound = RNG.normal(size=4000)
    powers = np.repeat(weighted_spectra(0.1 * sound, SPEC)[10:11], 2000, axis=0)
    found = partial_levels(powers, np.linspace(100.0, 500.0, 2000), RATE)
    heard = (found[:-1] > 15.0) & (found[1:] > 15.0)
    assert heard.mean() > 0.5
    assert np.abs(np.diff(found, axis=0))[heard].max() < 0.5


def test_gain_changes_nothing_and_silence_has_them_all():
    sound = 0.3 * RNG.normal(size=3000)
    np.testing.assert_allclose(levels(sound, 220.0), levels(0.1 * sound, 220.0), atol=0.1)  # the floor
    assert (levels(np.zeros(2000), 220.0) == 40.0).all()


def test_partials_beyond_the_spectrum_are_not_there():
    time = np.arange(RATE) / RATE
    found = levels(0.3 * np.sin(2 * np.pi * 3000.0 * time), 3000.0)[10:-10]
    np.testing.assert_allclose(found[:, 0], 40.0, atol=0.01)
    assert not found[:, 3:].any()


def test_one_name_stands_for_all_groups():
    assert expanded(["partials", "voicing"]) == ("voicing", *PARTIALS)
    assert expanded(["brightness"]) == ("brightness",)
    powers = weighted_spectra(0.1 * RNG.normal(size=1000), SPEC)
    f0_hz = np.full(len(powers), 300.0)
    found = spectral_features(["voicing", "partials_5", "brightness"], powers, f0_hz, RATE)
    assert list(found) == ["partials_5", "brightness"]
    np.testing.assert_array_equal(found["partials_5"], partial_levels(powers, f0_hz, RATE)[:, 4])
    assert FURTHER["partials_5"].definition.startswith("of partials 5 to 6,")
    assert FURTHER["partials_15"].definition.startswith("of partials from 15 on,")
