"""The pitch tracker where one note leaps to another: rendered ones of all intervals, up and down."""

import numpy as np
import pytest

from ddsp_edge import FrameSpec, PitchTracker
from ddsp_edge.features.pitch import VOICED
from ddsp_edge.features.ringing import hear_over
from tests.leaps import MANNERS, judge, make_leaps

SPEC = FrameSpec(16_000, 128)

# Share of leaps that are right within 25 ms, ms in a pitch beyond both notes (mean over leaps), and ms within
# which nine of ten are right. A note that rings on is 8 dB below the new one after 25 ms, and not always told
# from it.
BARS = {
    "legato": (0.98, 0.3, 20.0),
    "ringing": (0.72, 4.0, 40.0),
    "detached": (0.98, 0.3, 20.0),
    "room": (0.8, 5.0, 50.0),
}


@pytest.mark.parametrize("manner", MANNERS)
def test_leaps_of_all_intervals_are_followed_and_nothing_far_below_is_heard(manner):
    audio, leaps = make_leaps(SPEC, manner, of_each=2)
    tracker = PitchTracker(SPEC)
    parts = [tracker.push(audio), tracker.flush()]
    f0_hz, voicing = (np.concatenate(column) for column in zip(*parts, strict=True))
    heard = list(judge(leaps, SPEC, f0_hz, voicing >= VOICED))
    until_ms = np.array([x.until_right_ms for x in heard])
    share, astray_ms, most_ms = BARS[manner]
    assert {abs(leap.semitones) for leap in leaps} == set(range(1, 25))
    assert np.mean(until_ms <= 25.0) >= share
    assert np.mean([x.astray_ms for x in heard]) <= astray_ms
    assert np.percentile(until_ms, 90) <= most_ms


@pytest.mark.parametrize("lookahead", [None, 0])
def test_leaps_in_blocks_of_any_size_are_followed_as_the_whole(lookahead):
    """What is decided steers what is looked for next: it must not depend on how much comes at once."""
    audio, _ = make_leaps(SPEC, "ringing", of_each=1)
    audio = audio[: 3 * SPEC.sample_rate]
    whole = PitchTracker(SPEC, lookahead_frames=lookahead).push(audio)
    for block in (100, 1500):
        tracker = PitchTracker(SPEC, lookahead_frames=lookahead)
        parts = [tracker.push(audio[i : i + block]) for i in range(0, len(audio), block)]
        for found, want in zip(zip(*parts, strict=True), whole, strict=True):
            np.testing.assert_array_equal(np.concatenate(found), want)


def test_a_note_over_one_that_rings_on_costs_what_it_costs_alone():
    """Two sums of sines, 300 Hz and 440 Hz, of which the old one has a quarter of the energy."""
    rate = 32_000.0
    shares = 1.0 / np.arange(1, 6) ** 2
    shares /= shares.sum()

    def likeness(lag):
        k = np.arange(1, 6)
        alone = [np.sum(shares * np.cos(2 * np.pi * k * f0_hz * lag / rate)) for f0_hz in (300.0, 440.0)]
        return 0.2 * alone[0] + 0.8 * alone[1]

    def candidate(f0_hz):
        depth = 1.0 - likeness(rate / f0_hz)
        return depth, f0_hz, depth

    new, low, old = candidate(440.0), candidate(20.0), candidate(300.0)
    assert new[2] > 0.15
    assert low[2] < 0.01  # the period of both
    found = hear_over(300.0, [low, new, old], likeness, rate, 4000)
    costs = {f0_hz: cost for cost, f0_hz, _ in found}
    assert costs[440.0] < 0.06  # nothing but the sum itself is in the way of the second note
    assert costs[20.0] > 0.2
    assert costs[300.0] == old[0]
