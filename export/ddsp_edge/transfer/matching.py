"""From the player's pitch, loudness and further features to the instrument's: ranges learned, and a gate."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ddsp_edge.card import Range
from ddsp_edge.frames import FrameSpec
from ddsp_edge.transfer.transposition import MAX_OCTAVES, PlayedPitches
from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array

_PRIOR_S = 4.0  # of playing, as which the range of the training data counts at the start
_MEMORY_S = 60.0  # of playing, after which what was before counts half
_HOLD_S = 0.05  # that a gate stays open for: longer than a tracker loses a note for
_RELEASE_S = 0.08  # from 0 dB to the floor


class Scale(NamedTuple):
    """What values of a feature there are, and how finely they are counted.

    Args:
        floor: The least, which stays what it is.
        top: The most.
        steps: Integer, counted in one unit.
        least: How far the 5th percentile lies above the floor at least.
        least_span: How far the 5th and the 95th percentile of a whole recording lie apart at least.
        apart: How far percentiles lie apart at least: where they fall together, a small step must not be made
            a large one.
    """

    floor: float
    top: float
    steps: int
    least: float
    least_span: float
    apart: float = 1e-3


LOUDNESS_SCALE = Scale(LOUDNESS_FLOOR_DB, 20.0, 2, 1.0, 6.0)
"""dB; beyond full scale, nothing is louder."""
BRIGHTNESS_SCALE = Scale(-4.0, 8.0, 20, 0.1, 0.5)
"""Octaves."""
PARTIALS_SCALE = Scale(0.0, 40.5, 2, 1.0, 6.0, apart=1.0)
"""dB above a hundredth of the amplitude of the whole sound; many frames may have 0."""


class QuantileMatch:
    """Map a feature of a player, such as loudness, quantile by quantile to that of the training data.

    The 5th, 50th and 95th percentile of what was played go to those of the card, straight lines between them;
    below, the floor stays the floor; above, a dB is a dB, an octave an octave. At the start nothing changes:
    the training data counts as if it had been played for a while.

    Args:
        spec: The frame grid.
        trained: The feature in the training data.
        scale: What values it has.
    """

    def __init__(self, spec: FrameSpec, trained: Range, scale: Scale = LOUDNESS_SCALE) -> None:
        self._trained, self._scale = trained, scale
        self._edges = np.arange(scale.floor, scale.top, 1.0 / scale.steps)
        self._prior_frames = spec.frames_for(_PRIOR_S)
        self._most = 2 * spec.frames_for(_MEMORY_S)
        self._every = spec.frames_for(0.1)
        self.reset()

    def reset(self) -> None:
        """Forget what was played."""
        low, median, high = self._trained.low, self._trained.median, self._trained.high
        places = np.linspace(0.0, 1.0, self._prior_frames)
        levels = np.interp(places, [0.05, 0.5, 0.95], [low, median, high])
        self._counts = np.zeros(len(self._edges))
        for level in levels.tolist():
            self._count(level)
        self._prior = self._counts.copy()  # what is left of it
        self._new = 0
        self._learn()

    def add(self, value: float) -> None:
        """Count a frame that was played."""
        self._count(value)
        self._new += 1
        if self._new >= self._every:
            self.settle()

    def settle(self) -> None:
        """Reckon with all that was counted, the last tenth of a second too."""
        self._new = 0
        self._learn()

    def map(self, value: float) -> float:
        """The value for the instrument."""
        return _along(self._from, self._to, value)

    def map_from(self, least: float, most: float, value: float) -> float:
        """The same for a range that was set: its ends go to the 5th and 95th percentile of the card."""
        floor = self._scale.floor
        least = max(least, floor + self._scale.least)
        played = floor, least, max(most, least + self._scale.least)
        return _along(played, (self._to[0], self._to[1], self._to[-1]), value)

    def played_range(self) -> tuple[float, float] | None:
        """5th and 95th percentile of what was played; None before that counts as much as the start."""
        played = self._counts - self._prior
        if played.sum() < self._prior_frames:
            return None
        low, _, high = self._percentiles(played)
        return float(low), float(high)

    def _count(self, value: float) -> None:
        place = (value - self._scale.floor) * self._scale.steps
        self._counts[int(min(max(place, 0.0), len(self._edges) - 1.0))] += 1.0

    def _percentiles(self, counts: Array) -> Array:
        """5th, 50th and 95th percentile of values that were counted."""
        places = np.searchsorted(np.cumsum(counts), np.array([0.05, 0.5, 0.95]) * counts.sum())
        return np.asarray(self._edges[np.minimum(places, len(self._edges) - 1)] + 0.5 / self._scale.steps)

    def _learn(self) -> None:
        if self._counts.sum() > self._most:
            self._counts *= 0.5
            self._prior *= 0.5
        self._map_percentiles(self._percentiles(self._counts))

    def _map_percentiles(self, played: Array) -> None:
        """Map these to those of the training data from now on."""
        floor = self._scale.floor
        trained = np.array([self._trained.low, self._trained.median, self._trained.high])
        # Percentiles may fall together: a step of loudness must not follow from it.
        self._from: list[float] = [floor]
        for value in played.tolist():
            lowest = max(floor + self._scale.least, self._from[-1] + self._scale.apart)
            self._from.append(max(value, lowest))
        self._to: list[float] = [floor, *np.maximum(trained, floor).tolist()]


class WholeQuantileMatch(QuantileMatch):
    """The same for a recording that is known as a whole before it is played.

    Nothing but the recording counts, and all of it alike. Where it is nearly the same throughout, its ends
    are taken to be 6 dB apart at least, or half an octave of brightness, so that a step that nobody hears
    does not become a leap.
    """

    def reset(self) -> None:
        """Forget what was played."""
        self._counts = np.zeros(len(self._edges))
        self._prior = self._counts.copy()
        self._new = 0
        self._map_percentiles(np.array([self._trained.low, self._trained.median, self._trained.high]))

    def add(self, value: float) -> None:
        """Count a frame that was played."""
        self._count(value)

    def _learn(self) -> None:
        if not self._counts.any():
            return  # nothing was played: nothing is mapped elsewhere
        low, median, high = self._percentiles(self._counts).tolist()
        missing = max(0.0, self._scale.least_span - (high - low)) / 2.0
        self._map_percentiles(np.array([low - missing, median, high + missing]))


def _along(played: Sequence[float], trained: Sequence[float], loudness_db: float) -> float:
    """Straight lines from rising levels of a player to those of the training data; above, a dB is a dB."""
    if loudness_db >= played[-1]:
        return loudness_db - played[-1] + trained[-1]
    i = max(bisect_right(played, loudness_db), 1)
    low, high = played[i - 1], played[i]
    share = max(loudness_db - low, 0.0) / (high - low)
    return trained[i - 1] + share * (trained[i] - trained[i - 1])


class OctaveMatch:
    """Choose the octave that brings what was played nearest to what was trained.

    Args:
        spec: The frame grid.
        trained: Pitches of the training data, Hz.
    """

    def __init__(self, spec: FrameSpec, trained: Range) -> None:
        self._middle_hz = trained.median
        self._enough = spec.frames_for(0.25)
        self.reset()

    def reset(self) -> None:
        """Forget what was played."""
        self._pitches = PlayedPitches()
        self._new = self._seen = 0
        self.octaves = 0

    def add(self, f0_hz: float) -> None:
        """Take a frame; 0 Hz is a pause, in which alone the octave may change."""
        if f0_hz > 0.0:
            self._pitches.count(f0_hz)
            self._seen += 1
            self._new += 1
        else:
            self.settle()

    def settle(self) -> None:
        """Choose, if there is enough to choose by."""
        if not self._new or self._seen < self._enough:
            return
        self._new = 0
        played = self._pitches.percentiles_hz()
        if played is not None:
            nearest = round(float(np.log2(self._middle_hz / played[1])))
            self.octaves = max(-MAX_OCTAVES, min(nearest, MAX_OCTAVES))


class Gate:
    """Let through what has a pitch and is loud enough; fade what is not to the floor.

    A pitch is found some frames after the onset of its note. So that the note begins on time, what becomes
    loud enough is let through for as long as that takes, and goes on if it turns out to have one.

    Args:
        spec: The frame grid.
        doubt_frames: Integer >= 0, frames after an onset in which a pitch may not be found yet.
    """

    def __init__(self, spec: FrameSpec, doubt_frames: int = 0) -> None:
        self._doubt_frames = doubt_frames
        self._hold_frames = spec.frames_for(_HOLD_S)
        self._fall_db = -LOUDNESS_FLOOR_DB * spec.hop / spec.sample_rate / _RELEASE_S
        self.reset()

    def reset(self) -> None:
        """Close."""
        self._left = 0
        self._lowered_db = -LOUDNESS_FLOOR_DB
        self._was_soft = True

    def process(self, f0_hz: float, loudness_db: float, threshold_db: float) -> float:
        """Return the loudness of a frame behind the gate, dB; `f0_hz` is 0 where nothing has a pitch."""
        loud = loudness_db >= threshold_db
        begins, self._was_soft = loud and self._was_soft, not loud
        if f0_hz > 0.0 and loud:
            self._left, self._lowered_db = self._hold_frames, 0.0
        elif begins and self._doubt_frames > self._left:
            self._left, self._lowered_db = self._doubt_frames - 1, 0.0
        elif self._left:
            self._left -= 1
        else:
            self._lowered_db = min(self._lowered_db + self._fall_db, -LOUDNESS_FLOOR_DB)
        return max(loudness_db - self._lowered_db, LOUDNESS_FLOOR_DB)
