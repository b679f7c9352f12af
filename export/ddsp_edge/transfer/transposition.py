"""Does what was played lie where the instrument was trained, and what would bring it there?"""

from math import log2

import numpy as np

from ddsp_edge.card import Range
from ddsp_edge.errors import DdspError
from ddsp_edge.ranges import check_range
from ddsp_edge.units import Array, hz_to_midi, midi_to_hz

MAX_OCTAVES = 8  # either way: what a shift beyond them gives nobody can hear
_LEAST_HZ = 1.0
_NOTE_STEPS = 10  # bins of the histogram a semitone
_MARGIN = 1.0  # semitones that a pitch may lie outside the range
_MANY = 0.15  # of the frames outside: those of the training data itself are a tenth, without the margin
_NEARLY_ALL = 0.95


def check_shifts(octaves: int, loudness_shift_db: float) -> None:
    """Refuse a transposition or a change of loudness that cannot be meant.

    Raises:
        DdspError: With what would be valid.
    """
    if not abs(octaves) <= MAX_OCTAVES:
        raise DdspError(f"octaves must be from {-MAX_OCTAVES} to {MAX_OCTAVES}. Received: {octaves}")
    check_range("loudness_shift_db", loudness_shift_db)


class PlayedPitches:
    """The pitches of an input, counted in memory that does not grow with it."""

    def __init__(self) -> None:
        self._counts = np.zeros(128 * _NOTE_STEPS, np.int64)

    def add(self, f0_hz: Array) -> None:
        """Count frames `[frames]`, Hz; those without a pitch (0) are left out."""
        steps = hz_to_midi(f0_hz[f0_hz >= _LEAST_HZ]) * _NOTE_STEPS
        np.add.at(self._counts, np.clip(steps, 0, len(self._counts) - 1).astype(np.int64), 1)

    def count(self, f0_hz: float) -> None:
        """Count one frame; see `add`."""
        if f0_hz >= _LEAST_HZ:
            step = (69.0 + 12.0 * log2(f0_hz / 440.0)) * _NOTE_STEPS
            self._counts[int(min(max(step, 0.0), len(self._counts) - 1.0))] += 1

    def percentiles_hz(self) -> tuple[float, float, float] | None:
        """5th, 50th and 95th percentile in Hz; None if nothing had a pitch."""
        total = int(self._counts.sum())
        if not total:
            return None
        places = np.searchsorted(np.cumsum(self._counts), np.array([0.05, 0.5, 0.95]) * total)
        low, median, high = (float(f) for f in midi_to_hz((places + 0.5) / _NOTE_STEPS))
        return low, median, high

    def advice(self, trained: Range, octaves: int) -> list[str]:
        """One line when much of what was played lies outside the pitches of the training data.

        The octave advised is the one from which the frames lie least far outside, on average.

        Args:
            trained: Pitches of the training data, Hz.
            octaves: Integer, octaves that the input was transposed by.
        """
        played = self.percentiles_hz()
        if played is None:
            return ["no pitch was found in the input: the instrument held its middle pitch"]
        notes = (np.arange(len(self._counts)) + 0.5) / _NOTE_STEPS
        shares = self._counts / self._counts.sum()
        lowest, highest = hz_to_midi(np.array([trained.low, trained.high])) + np.array([-_MARGIN, _MARGIN])

        def beyond(shift: int) -> Array:
            """Semitones by which each note lies outside, `shift` octaves further up."""
            moved = notes + 12.0 * (octaves + shift)
            return np.asarray(np.maximum(np.maximum(lowest - moved, moved - highest), 0.0))

        outside = float(shares @ (beyond(0) > 0.0))
        if outside < _MANY:
            return []
        shifts = sorted(range(-MAX_OCTAVES - octaves, MAX_OCTAVES + 1 - octaves), key=abs)
        nearest = min(shifts, key=lambda shift: round(float(shares @ beyond(shift)), 3))
        hint = "" if not nearest else f"; try --octaves {octaves + nearest}"
        if nearest and float(shares @ (beyond(nearest) > 0.0)) >= _MANY:
            hint += ", which comes nearest"
        low, _, high = (f * 2.0**octaves for f in played)
        part = "" if outside >= _NEARLY_ALL else f"{100 * outside:.0f} % of "
        return [
            f"{part}the pitch played ({low:.0f} to {high:.0f} Hz) lies outside what the instrument was "
            f"trained on ({trained.low:.0f} to {trained.high:.0f} Hz){hint}"
        ]
