"""Reverberation time, heard from the ends of notes.

A free decay is a stretch in which loudness falls all the time; its slope, on a scale of dB, gives the time
that 60 dB would take. Notes of a dry recording end faster than those in any room, so the time that is found
tells a room from none; a sound that decays by itself, a piano's or a guitar's, is taken for one.
"""

from collections.abc import Sequence

import numpy as np

from ddsp_edge.units import Array

_SMOOTH_S = 0.1  # what beats and tremolo do to loudness is no decay
_DROP_DB = 15.0  # a decay that is measured falls at least this far
_SKIP_DB = 5.0  # the end of the note itself
_FLOOR_DB = 6.0  # above the quietest of the passage: below, noise takes the slope's place
_RISE_DB = 1.5  # a decay ends where it rises by this much
_STRAIGHT = 0.95  # least coefficient of correlation of a decay with a straight line
_LONGEST_S = 4.0  # a longer one is a diminuendo
_DECAY_EDGES = np.geomspace(0.05, 10.0, 54)  # s, 10 % a bin
MIN_DECAYS = 4  # fewer say nothing of a room


def decay_times(loudness_db: Array, frame_rate: float, quietest_db: float) -> list[float]:
    """Seconds that 60 dB would take, for each free decay in a passage.

    Args:
        loudness_db: `[n_frames]`.
        frame_rate: Frames a second.
        quietest_db: Level of the background noise, dB.
    """
    times: list[float] = []
    width = max(1, round(_SMOOTH_S * frame_rate))
    if len(loudness_db) < width:
        return times
    padded = np.pad(loudness_db, (width // 2, width - 1 - width // 2), mode="edge")
    loudness_db = np.convolve(padded, np.full(width, 1.0 / width), mode="valid")
    floor = max(quietest_db + _FLOOR_DB, -72.0)
    for start, end in _falls(loudness_db, floor):
        part = loudness_db[start:end]
        part = part[part < part[0] - _SKIP_DB]
        if len(part) < 5 or part[0] - part[-1] < _DROP_DB - _SKIP_DB:
            continue
        seconds = np.arange(len(part)) / frame_rate
        slope = np.polyfit(seconds, part, 1)[0]
        if slope < 0 and -np.corrcoef(seconds, part)[0, 1] > _STRAIGHT:
            times.append(float(-60.0 / slope))
    return [time for time in times if time <= _LONGEST_S]


def _falls(loudness_db: Array, floor: float) -> list[tuple[int, int]]:
    """First and last frame of the stretches in which loudness falls, above `floor`."""
    falls, start, lowest = [], 0, 0
    for i in range(1, len(loudness_db)):
        ended = loudness_db[i] > loudness_db[lowest] + _RISE_DB or loudness_db[i] < floor
        if loudness_db[i] < loudness_db[lowest]:
            lowest = i
        if ended or i == len(loudness_db) - 1:
            if loudness_db[start] - loudness_db[lowest] >= _DROP_DB:
                falls.append((start, lowest + 1))
            start = lowest = i
        elif loudness_db[i] > loudness_db[start]:
            start = lowest = i
    return falls


def no_decays() -> Array:
    """Counts of reverberation times where there are none, `[bins]`."""
    return np.zeros(len(_DECAY_EDGES) - 1, np.int64)


def counted_decays(seconds: Sequence[float]) -> Array:
    """Reverberation times counted, `[bins]`: memory does not grow with a recording."""
    return np.histogram(seconds, _DECAY_EDGES)[0]


def room_of(counts: Array) -> float | None:
    """Median reverberation time, seconds, of what `counted_decays` gave, added up; None of too few."""
    if counts.sum() < MIN_DECAYS:
        return None
    below = np.concatenate([[0], np.cumsum(counts)])
    return float(np.exp(np.interp(below[-1] / 2.0, below, np.log(_DECAY_EDGES))))


def room_seconds(decay_seconds: Sequence[float]) -> float | None:
    """Median reverberation time of free decays, seconds; None of too few."""
    return room_of(counted_decays(decay_seconds))
