"""Interpolation of tracks: never across a gap or a step."""

import numpy as np
import soxr

from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.units import Array
from ddsp_tf.features.f0_grid import Instants, interpolate_f0, track_in_pieces, voicing_from
from ddsp_tf.frames import FrameSpec


def test_glides_are_interpolated_in_log_frequency() -> None:
    f0_hz, voicing = interpolate_f0(
        np.array([0.0, 100.0]), np.array([400.0, 420.0]), np.array([0.2, 0.8]), np.array([50.0, 25.0])
    )
    # float32 results
    np.testing.assert_allclose(f0_hz, [np.sqrt(400.0 * 420.0), 400.0 * (420.0 / 400.0) ** 0.25], rtol=1e-6)
    np.testing.assert_allclose(voicing, [0.5, 0.35], rtol=1e-6)


def test_gaps_and_steps_take_the_nearer_instant() -> None:
    at = np.array([0.0, 10.0, 20.0, 30.0])
    f0_hz = np.array([200.0, 0.0, 200.0, 400.0])
    wanted = np.array([4.0, 6.0, 14.0, 16.0, 24.0, 26.0])
    result, _ = interpolate_f0(at, f0_hz, np.ones(4), wanted)
    np.testing.assert_array_equal(result, np.float32([200.0, 0.0, 0.0, 200.0, 200.0, 400.0]))


def test_the_ends_hold_and_one_instant_is_enough() -> None:
    result, _ = interpolate_f0(np.array([5.0]), np.array([300.0]), np.ones(1), np.array([-4.0, 5.0, 99.0]))
    np.testing.assert_array_equal(result, np.float32([300.0, 300.0, 300.0]))


def test_pitch_and_loudness_stay_together_for_an_hour() -> None:
    """Neither drifts, though pitch is found at another rate, in pieces, and at instants of its own."""
    spec = FrameSpec(4_000, 49)  # a hop that divides neither a second nor a piece
    seconds, every = 3600, 100
    rate = 5_513  # of the estimator: positions are fractions of samples

    def crossings(audio: Array) -> Instants:
        """The rate of upward zero crossings of a sound at another rate, every 20 ms."""
        sound = soxr.resample(audio, spec.sample_rate, rate, quality="LQ")
        up = np.flatnonzero((sound[:-1] <= 0) & (sound[1:] > 0))
        at = np.arange(0, len(sound), rate / 50)
        f0_hz = rate * np.diff(np.searchsorted(up, np.stack([at - 150, at + 150])), axis=0)[0] / 300
        sure = np.ones(len(at))
        return Instants(at * (spec.sample_rate / rate), f0_hz, sure > 0, sure, sure)

    # A soft low tone, and every 100 s a loud one a fifth above, for a second.
    time = np.arange(seconds * spec.sample_rate, dtype=np.float64) / spec.sample_rate
    high = (time % every) > every - 1
    phase = 2.0 * np.pi * 200.0 * time * np.where(high, 1.5, 1.0)
    audio = (np.where(high, 0.5, 0.05) * np.sin(phase)).astype(np.float32)
    del time, phase
    track = track_in_pieces(audio, spec, crossings, context_seconds=0.5)
    loudness = loudness_db(audio, spec)
    assert len(track.f0_hz) == len(loudness) == spec.n_frames(len(audio))
    for end in range(every, seconds + 1, every):
        first = (end - 1) * spec.sample_rate // spec.hop  # the frame at which the loud tone begins
        near = slice(first - 20, first + 20)
        higher = int(np.argmax(track.f0_hz[near] > 245.0)) - 20
        louder = int(np.argmax(loudness[near] > np.mean(loudness[near][[0, -1]]))) - 20
        # The windows of both are some 4 frames long, and the estimator looks at every other one.
        assert abs(higher) <= 2
        assert abs(louder) <= 2


def test_voicing_is_one_half_where_it_is_decided() -> None:
    found = voicing_from(np.array([0.0, 0.1, 0.3, 0.8, 1.0]), 0.3)
    np.testing.assert_allclose(found[[0, 2, 4]], [0.0, 0.5, 1.0])
    assert np.all(np.diff(found) > 0)
