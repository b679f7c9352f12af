"""How near notes as they are played come to a performance."""

from dataclasses import dataclass

import numpy as np

from ddsp_edge.card import Range
from ddsp_edge.units import Array
from ddsp_tf.tasks.instrument.expression.performance import Performance
from ddsp_tf.tasks.instrument.expression.speaking import onsets
from ddsp_tf.tasks.instrument.expression.vibrato import find_vibrato

HEARD_DB = 40.0
"""Below the loud end of the instrument's range what is softer counts as silence."""


@dataclass(frozen=True)
class Distance:
    """How far what is played is from performances.

    Args:
        loudness_db: Mean error of the loudness, dB; the mean level of a recording counts nothing.
        cents: Mean error of the pitch without vibrato, cents.
        onset_ms: Mean error of the time at which notes after rests are there, ms.
        depth_cents: Mean depth of the vibrato of long notes that is played, cents.
        recorded_depth_cents: The same of the recordings.
        vibrato_hz: Mean rate that is played, each note by the depth of its vibrato.
        recorded_vibrato_hz: The same of the recordings.
    """

    loudness_db: float
    cents: float
    onset_ms: float
    depth_cents: float
    recorded_depth_cents: float
    vibrato_hz: float
    recorded_vibrato_hz: float


class Judge:
    """Gathers what is played of several performances.

    Args:
        loudness_db_range: Of the instrument.
    """

    def __init__(self, loudness_db_range: Range) -> None:
        self._floor_db = loudness_db_range.high - HEARD_DB
        self._loudness, self._cents = list[Array](), list[Array]()
        self._onsets: list[float] = []
        self._vibratos: list[tuple[float, float, float, float]] = []

    def hear(self, performance: Performance, midi: Array, loudness_db: Array) -> None:
        """Compare what is played, `[frames]` each, with a performance."""
        held = np.zeros(len(midi), bool)
        counted = np.zeros(len(midi), bool)
        times, rate = performance.times_s, float(performance.spec.frame_rate)
        for note in performance.notes:
            counted[note.frames] = True
            held[note.frames] = times[note.frames] < note.offset_s
        recorded = performance.loudness_db
        played = loudness_db + np.median((recorded - loudness_db)[held])
        error = np.abs(np.maximum(played, self._floor_db) - np.maximum(recorded, self._floor_db))
        self._loudness.append(error[counted])
        begun = (onsets(performance, level) for level in (recorded, played))
        self._onsets += [abs(theirs - ours) for (_, theirs), (_, ours) in zip(*begun, strict=True)]
        for note in performance.notes:
            part = note.frames
            inside = held[part]
            cents, ours = performance.cents(note)[inside], (100.0 * (midi[part] - note.pitch))[inside]
            theirs, mine = find_vibrato(cents, rate), find_vibrato(ours, rate)
            good = np.isfinite(cents)
            if theirs is None or mine is None:
                self._cents.append(np.abs(ours - cents)[good])
            else:
                self._cents.append(np.abs(mine.middle_cents - theirs.middle_cents)[good])
                depths = theirs.depth_cents.mean(), mine.depth_cents.mean()
                self._vibratos.append((*depths, theirs.hz, mine.hz))

    def distance(self) -> Distance:
        """What all of it comes to; NaN where no note tells."""
        vibratos = np.array(self._vibratos).reshape(-1, 4)
        theirs, mine, their_hz, my_hz = vibratos.T
        return Distance(
            _mean(np.concatenate(self._loudness)),
            _mean(np.concatenate(self._cents)),
            1e3 * _mean(np.array(self._onsets)),
            _mean(mine),
            _mean(theirs),
            _weighted(my_hz, mine),
            _weighted(their_hz, theirs),
        )


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _weighted(values: Array, weights: Array) -> float:
    return float((values * weights).sum() / weights.sum()) if weights.sum() > 0.0 else float("nan")
