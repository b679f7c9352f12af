"""Who speaks: the range of somebody's pitch and loudness, and which pitches are theirs."""

import numpy as np

from ddsp_edge.units import Array

_LOWEST_HZ = 20.0
_PER_OCTAVE, _OCTAVES = 48, 8
_SOFTEST_DB, _AUDIBLE_DB = -80, -60.0
_LOUD = 95.0  # percentile, as the ranges of datasets have it
# Re the loud, dB: a pitch softer than the first is the room's, one above the second, louder than anybody was,
# is believed wherever it lies; the median is that of what is above the third, which hum in pauses is not.
_SOFT_DB, _LOUDER_DB, _SPOKEN_DB = -35.0, 6.0, -20.0
_FAR_OCTAVES = 1.25  # from the median, where a pitch is a mistake: few go further in speech or in a song
_REMEMBERED_FRAMES = 15_000  # two minutes, after which what was counted before counts half
_ENOUGH_FRAMES = 60
"""Frames with a pitch, half a second, before anything is said of somebody."""


class VoiceRange:
    """Histograms of somebody's pitch and loudness: memory does not grow, and what is long ago counts less.

    Attributes:
        median_hz: Median pitch of what is not soft, Hz; None before enough was heard.
        loud_db: Loudness that few frames exceed, dB; None before enough was heard.
    """

    def __init__(self) -> None:
        self._levels = np.zeros(-_SOFTEST_DB + 40, np.int64)
        self._pitches = np.zeros((len(self._levels), _PER_OCTAVE * _OCTAVES), np.int64)  # by level
        self.median_hz: float | None = None
        self.loud_db: float | None = None

    def add(self, f0_hz: Array, loudness_db: Array) -> None:
        """Count frames; those whose f0 is 0 have no pitch.

        Args:
            f0_hz: `[frames]`.
            loudness_db: `[frames]`.
        """
        levels = np.clip(np.floor(loudness_db - _SOFTEST_DB).astype(int), 0, len(self._levels) - 1)
        np.add.at(self._levels, levels[loudness_db > _AUDIBLE_DB], 1)
        voiced = f0_hz > _LOWEST_HZ
        steps = (np.log2(f0_hz[voiced] / _LOWEST_HZ) * _PER_OCTAVE).astype(int)
        np.add.at(self._pitches, (levels[voiced], np.minimum(steps, self._pitches.shape[1] - 1)), 1)
        if self._levels.sum() > _REMEMBERED_FRAMES:
            self._levels //= 2
            self._pitches //= 2
        first = 0
        if self._levels.sum() >= _ENOUGH_FRAMES:
            self.loud_db = _percentile(self._levels, _LOUD) + _SOFTEST_DB
            first = max(0, int(np.floor(self.loud_db + _SPOKEN_DB - _SOFTEST_DB)))
        pitches = self._pitches[first:].sum(axis=0)
        if pitches.sum() >= _ENOUGH_FRAMES:
            self.median_hz = float(_LOWEST_HZ * 2.0 ** (_percentile(pitches, 50.0) / _PER_OCTAVE))

    def belongs(self, f0_hz: Array, loudness_db: Array) -> Array:
        """Which pitches are those of whoever speaks, boolean `[frames]`.

        One that is much softer than speech, or far from the median, is mains hum, a hiss that repeats
        itself, or somebody else. Before enough was heard all that there are do, and so does what is louder
        than anything before.

        Args:
            f0_hz: `[frames]`, 0 where there is no pitch.
            loudness_db: `[frames]`.
        """
        there = f0_hz > _LOWEST_HZ
        if self.median_hz is None or self.loud_db is None:
            return there
        near = np.abs(np.log2(np.maximum(f0_hz, _LOWEST_HZ) / self.median_hz)) <= _FAR_OCTAVES
        louder = loudness_db > self.loud_db + _LOUDER_DB
        return there & (loudness_db > self.loud_db + _SOFT_DB) & (near | louder)


def _percentile(counts: Array, percent: float) -> float:
    """Where a share of what was counted lies below, in bins, within a bin in proportion."""
    sums = np.cumsum(counts)
    wanted = percent / 100.0 * sums[-1]
    index = int(np.searchsorted(sums, wanted))
    before = sums[index] - counts[index]
    return float(index + (wanted - before) / counts[index])
