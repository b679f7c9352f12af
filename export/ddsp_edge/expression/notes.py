"""What is known of a note while it sounds: the note itself, what came before it, and in files what comes."""

import math
from dataclasses import dataclass

import numpy as np

from ddsp_edge.card import Range
from ddsp_edge.units import Array

PHRASE_GAP_S = 0.25
"""A rest at least this long, seconds, ends a phrase."""
CHORD_S = 0.03
"""Notes that begin within this time, seconds, are struck together: none comes before another."""


def velocity_level_db(velocity: float, loudness_db_range: Range, curve: float = 1.0) -> float:
    """The level of a note, dB, by its velocity.

    Args:
        velocity: 1 to 127, which go from the low to the high end of the range.
        loudness_db_range: Loudness of the training data.
        curve: Exponent on velocity; above 1 soft playing is softer.
    """
    share = float(((velocity - 1) / 126.0) ** curve)
    return loudness_db_range.low + (loudness_db_range.high - loudness_db_range.low) * share


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a file tells of a note before the note has ended.

    Args:
        duration_s: From its onset to where it is let go, seconds.
        gap_s: From there to the next note, seconds; 0 where they overlap, infinite after the last.
        interval: Semitones up to the next note; 0 after the last.
        velocity_change: To the next note; 0 after the last.
        phrase_s: From its end to that of its phrase, seconds.
    """

    duration_s: float
    gap_s: float
    interval: float
    velocity_change: float
    phrase_s: float


@dataclass(frozen=True, slots=True)
class NoteContext:
    """A note among others.

    Args:
        pitch: MIDI note.
        velocity: 1 to 127.
        interval: Semitones up from the note before; 0 for the first.
        velocity_change: From the note before; 0 for the first.
        gap_s: From the end of the note before, seconds; 0 where they overlap, infinite for the first.
        phrase_s: From the onset of its phrase to its own, seconds.
        ahead: What comes; None while somebody plays.
    """

    pitch: float
    velocity: float
    interval: float = 0.0
    velocity_change: float = 0.0
    gap_s: float = math.inf
    phrase_s: float = 0.0
    ahead: Ahead | None = None


class Phrasing:
    """Follows one player note by note, knowing nothing of what comes."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """The next note is the first."""
        self._last: tuple[float, float] | None = None  # pitch and velocity
        self._before: tuple[float, float] | None = None  # of the note before the last
        self._onset_s = self._phrase_s = -math.inf  # of the last note and of its phrase
        self._end_s: float | None = None  # of the last note; None while it is held
        self._gap_s = math.inf  # before the last note

    def press(self, pitch: float, velocity: float, now_s: float, ahead: Ahead | None = None) -> NoteContext:
        """A note begins.

        Args:
            pitch: MIDI note.
            velocity: 1 to 127.
            now_s: When, seconds; never before what was told before.
            ahead: What comes, where it is known.
        """
        if now_s - self._onset_s >= CHORD_S:
            if self._last is None:
                self._gap_s = math.inf
            else:
                self._gap_s = 0.0 if self._end_s is None else max(0.0, now_s - self._end_s)
            if self._gap_s >= PHRASE_GAP_S:
                self._phrase_s = now_s
            self._onset_s, self._before = now_s, self._last
        interval = change = 0.0
        if self._before is not None:
            interval, change = pitch - self._before[0], velocity - self._before[1]
        self._last, self._end_s = (pitch, velocity), None
        return NoteContext(pitch, velocity, interval, change, self._gap_s, now_s - self._phrase_s, ahead)

    def release(self, now_s: float) -> None:
        """No note is held any more."""
        self._end_s = now_s


def look_ahead(onset_s: Array, offset_s: Array, pitch: Array, velocity: Array) -> Array:
    """What comes after each note of one player.

    Args:
        onset_s: `[notes]`, seconds, rising.
        offset_s: `[notes]`, seconds.
        pitch: `[notes]`, MIDI notes.
        velocity: `[notes]`, 1 to 127.

    Returns:
        float32 `[notes, 5]`: the fields of `Ahead`.
    """
    count = len(onset_s)
    if not count:
        return np.zeros((0, 5), np.float32)
    following = np.searchsorted(onset_s, onset_s + CHORD_S)
    last = following == count
    following = np.minimum(following, count - 1)
    gap = np.where(last, np.inf, np.maximum(0.0, onset_s[following] - offset_s))
    interval = np.where(last, 0.0, pitch[following] - pitch)
    change = np.where(last, 0.0, velocity[following] - velocity)
    reach = np.maximum.accumulate(offset_s)
    ends = np.append(onset_s[1:] - reach[:-1] >= PHRASE_GAP_S, True)
    phrase_ends = reach[ends][np.searchsorted(np.flatnonzero(ends), np.arange(count))]
    columns = [offset_s - onset_s, gap, interval, change, np.maximum(0.0, phrase_ends - offset_s)]
    return np.stack(columns, axis=1).astype(np.float32)
