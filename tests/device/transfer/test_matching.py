"""Matching frame by frame, in plain numbers, against the same for whole arrays."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_edge import FrameSpec
from ddsp_edge.card import Range
from ddsp_edge.transfer.matching import QuantileMatch
from ddsp_edge.transfer.transposition import PlayedPitches

LEVELS = st.floats(-100.0, 30.0)


@settings(max_examples=30, deadline=None)
@given(played=st.lists(LEVELS, max_size=300), asked=st.lists(LEVELS, min_size=1, max_size=20))
def test_loudness_is_mapped_along_straight_lines_between_percentiles(played, asked):
    trained, every = Range(-50.0, -30.0, -12.0), 20
    match = QuantileMatch(FrameSpec(16_000, 80), trained)  # learns after 0.1 s, of 20 frames
    for level in played:
        match.add(level)
    # The training data counts as 4 s of playing; bins of half a dB from the floor to 20 dB.
    start = np.interp(np.linspace(0.0, 1.0, 800), [0.05, 0.5, 0.95], [-50.0, -30.0, -12.0])
    counted = np.concatenate([start, played[: len(played) // every * every]])
    bins = np.sort(np.clip(2.0 * (counted + 80.0), 0, 199).astype(int))
    places = [np.sum(np.arange(1, len(bins) + 1) < share * len(bins)) for share in (0.05, 0.5, 0.95)]
    low, median, high = np.maximum(bins[places] / 2.0 - 79.75, -79.0)  # 0.5 dB apart, or the same
    percentiles = [low, low + max(median - low, 1e-3)]
    percentiles.append(max(high, percentiles[1] + 1e-3))
    for level in asked:
        expected = np.interp(level, [-80.0, *percentiles], [-80.0, -50.0, -30.0, -12.0])
        expected += max(level - percentiles[-1], 0.0)  # above, a dB is a dB
        np.testing.assert_allclose(match.map(level), expected, atol=1e-9)


@given(st.lists(st.floats(-10.0, 30_000.0), max_size=50))
def test_pitches_are_counted_one_by_one_as_together(f0_hz):
    together, single = PlayedPitches(), PlayedPitches()
    together.add(np.array(f0_hz))
    for f0 in f0_hz:
        single.count(f0)
    assert single.percentiles_hz() == together.percentiles_hz()
