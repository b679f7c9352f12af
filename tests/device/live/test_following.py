"""What follows a player, against the tracker and the meter given the whole sound at once."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_edge import FrameSpec, LoudnessMeter, PitchTracker, read_model_file
from ddsp_edge.features.pitch import VOICED
from ddsp_edge.live.following import Follower
from tests.device.conftest import TINY

CARD = read_model_file(TINY).card


def phrase(sample_rate, seconds=1.0):
    """A glide over an octave between two rests, over a little noise."""
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * np.cumsum(150.0 * 2.0 ** (time / seconds)) / sample_rate
    sounds = (time > 0.15 * seconds) & (time < 0.8 * seconds)
    tone = sounds * sum(np.sin(k * phase) / k for k in range(1, 9))
    return (0.1 * tone + 1e-3 * np.random.default_rng(0).normal(size=len(time))).astype(np.float32)


@settings(max_examples=12, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 1024), min_size=1, max_size=4),
    hop=st.sampled_from([64, 100, 128, 900]),
    f0_min_hz=st.sampled_from([None, 110.0]),
    lookahead=st.sampled_from([None, 0, 2]),
    loudness_ms=st.sampled_from([None, 24.0]),
)
def test_blocks_of_any_size_are_followed_as_the_whole(sizes, hop, f0_min_hz, lookahead, loudness_ms):
    spec = FrameSpec(16_000, hop)
    follower = Follower(
        dataclasses.replace(CARD, sample_rate=spec.sample_rate, hop=hop),
        1024,
        f0_min_hz,
        lookahead,
        loudness_ms,
    )
    sound = phrase(16_000)
    found, known, start, turn = list[np.ndarray](), 0, 0, 0
    while start < len(sound):
        block = sound[start : start + sizes[turn % len(sizes)]]
        start, turn = start + len(block), turn + 1
        found.append(np.reshape(follower.push(block), (-1, 2)))
        known += len(found[-1])
        # A frame comes with the sample that it was declared to wait for, none before.
        assert known == max(0, (start - follower.latency_samples) // hop)
    f0_hz, loudness_db = np.concatenate(found).T
    low = PitchTracker.for_card(CARD).f0_min_hz if f0_min_hz is None else f0_min_hz
    tracked, voicing = PitchTracker(spec, low, 2000.0, lookahead).push(sound)
    level = LoudnessMeter(spec, None if loudness_ms is None else 384).push(sound)
    n = len(f0_hz)
    assert n > 0
    # To the last bit, of which quantized networks make a difference.
    np.testing.assert_array_equal(f0_hz.astype(np.float32), np.where(voicing >= VOICED, tracked, 0.0)[:n])
    np.testing.assert_array_equal(loudness_db.astype(np.float32), level[:n])


@pytest.mark.parametrize("lookahead", [None, 0])
def test_after_a_reset_all_is_as_at_the_start(lookahead):
    follower = Follower(CARD, 1024, lookahead_frames=lookahead)
    sound = phrase(CARD.sample_rate)[:5000]
    blocks = [sound[i : i + 1000] for i in range(0, 5000, 1000)]
    first = [follower.push(block) for block in blocks]
    follower.reset()
    assert [follower.push(block) for block in blocks] == first


@pytest.mark.parametrize("lookahead", [0, None])
def test_noise_and_rests_have_no_pitch_and_tones_have_theirs(lookahead):
    """Without look-ahead too, as `--latency low` has it: a second each of rest, noise, tone, a faint tone."""
    spec, rng = FrameSpec(16_000, 128), np.random.default_rng(0)
    time = np.arange(16_000) / 16_000
    tone = sum(np.sin(2 * np.pi * 220.0 * k * time) / k for k in range(1, 9))
    parts = [np.zeros(16_000), 0.1 * rng.normal(size=16_000), 0.1 * tone, 10 ** (-75 / 20) * tone]
    for index, part in enumerate(parts):
        tracker = PitchTracker(spec, 110.0, 2000.0, lookahead)
        f0_hz, voicing = tracker.push(part.astype(np.float32))
        voiced = voicing[10:] >= VOICED
        if index != 2:
            assert voiced.mean() < 0.1, index
            continue
        assert voiced.all()
        assert np.abs(1200.0 * np.log2(f0_hz[10:] / 220.0)).max() < 10.0


def test_a_tracker_that_is_reset_is_as_new():
    tracker, sound = PitchTracker(FrameSpec(16_000, 128), 110.0, 2000.0, 0), phrase(16_000)
    want = tracker.push(sound[:8000])
    tracker.push(sound[8000:])
    tracker.reset()
    for found, first in zip(tracker.push(sound[:8000]), want, strict=True):
        np.testing.assert_array_equal(found, first)
