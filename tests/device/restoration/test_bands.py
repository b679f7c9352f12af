"""Bands: bins alone below, wider ones above, and gains that stay gains."""

import numpy as np
import pytest

from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.restoration.bands import POWER_FLOOR, Bands, hop_at

SPEC = FrameSpec(16_000, 128)
BANDS = Bands(SPEC, 64, 32)


def test_shares_of_a_bin_add_up_to_one_and_every_band_has_some():
    np.testing.assert_allclose(BANDS.shares.sum(axis=1), 1.0, atol=1e-6)
    assert (BANDS.shares >= 0.0).all()
    assert (BANDS.shares.sum(axis=0) > 0.0).all()
    assert np.array_equal(BANDS.shares[:64, :64], np.eye(64))


def test_bands_grow_with_frequency_as_bandwidths_of_hearing_do():
    hz = np.arange(BANDS.n_bins) * 16_000 / 512
    centres = (hz @ BANDS.means)[64:]
    spacing = np.diff(centres[1:-1])
    wanted = 24.7 * (0.00437 * centres[2:-1] + 1.0)  # equivalent rectangular bandwidth, Hz
    np.testing.assert_allclose(spacing / wanted, spacing[5] / wanted[5], rtol=0.15)  # bins are coarse


def test_log_powers_are_those_of_the_definition():
    power = np.random.default_rng(1).random((5, BANDS.n_bins), np.float32) * 1e-3
    wanted = np.log(power.astype(np.float64) @ BANDS.means.astype(np.float64) + POWER_FLOOR)
    np.testing.assert_allclose(BANDS.log_powers(power), wanted, atol=1e-4)


def test_gains_of_bins_lie_between_those_of_their_bands():
    gains = np.random.default_rng(2).random((7, BANDS.count), np.float32)
    np.testing.assert_allclose(BANDS.bin_gains(gains), gains @ BANDS.shares.T, atol=1e-6)
    assert BANDS.bin_gains(gains).min() >= 0.0
    assert BANDS.bin_gains(np.ones_like(gains)).max() <= 1.0 + 1e-6


@pytest.mark.parametrize(("low", "high"), [(0, 32), (64, 0), (200, 100)])
def test_bands_that_cannot_be_are_refused(low, high):
    with pytest.raises(DdspError, match=r"at most 257 together.*Received"):
        Bands(SPEC, low, high)


@pytest.mark.parametrize(
    ("rate", "hop"), [(16_000, 128), (48_000, 384), (44_100, 352), (8_000, 64), (96_000, 768), (22_050, 176)]
)
def test_hops_at_other_rates_last_as_long_and_transform_fast(rate, hop):
    assert hop_at(SPEC, rate) == hop


def test_hops_at_every_rate_are_near_enough():
    for rate in range(4_000, 200_000, 997):
        assert abs(hop_at(SPEC, rate) / rate * 125 - 1.0) < 0.016  # of 32 samples, one is 3 %


def test_at_48_khz_bands_are_those_of_16_khz_and_more():
    narrow, wide = Bands(FrameSpec(16_000, 128), 64, 32), Bands(FrameSpec(48_000, 384), 64, 58)
    assert wide.count == narrow.count + 26
    middles = [(x.means * np.arange(x.n_bins)[:, None]).sum(axis=0) for x in (narrow, wide)]
    np.testing.assert_allclose(middles[1][:95], middles[0][:95], rtol=5e-3)
    np.testing.assert_allclose(wide.shares.sum(axis=1), 1.0, atol=1e-6)
