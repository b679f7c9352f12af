"""Statistics of a dataset's features in memory that does not grow with the dataset."""

from dataclasses import asdict
from typing import Any

import numpy as np

from ddsp_edge.card import Range
from ddsp_edge.units import Array

HEARD_DB = -70.0
"""Frames quieter than this (dB) say nothing about how loud an instrument plays."""


class Histogram:
    """Counts of values in equal bins; what lies outside falls into the outermost.

    Args:
        low: Lower end of the first bin.
        high: Upper end of the last bin.
        bins: Integer > 0; a percentile is exact to within one bin.
    """

    def __init__(self, low: float, high: float, bins: int) -> None:
        self._edges = np.linspace(low, high, bins + 1)
        self._counts = np.zeros(bins, np.int64)

    def add(self, values: Array) -> None:
        """Count values of any shape."""
        inside = np.clip(values, self._edges[0], self._edges[-1])
        self._counts += np.histogram(inside, self._edges)[0]

    @property
    def total(self) -> int:
        """How many values were counted."""
        return int(self._counts.sum())

    def percentile(self, percent: float) -> float:
        """The value below which `percent` of the values lie, interpolated inside its bin."""
        below = np.concatenate([[0], np.cumsum(self._counts)])
        return float(np.interp(percent / 100.0 * below[-1], below, self._edges))


class FeatureStatistics:
    """Ranges of pitch and loudness, and the share of frames that have a pitch."""

    def __init__(self) -> None:
        self._log_f0 = Histogram(np.log2(16.0), np.log2(16384.0), 24_000)  # 0.5 cent a bin
        self._loudness_db = Histogram(-80.0, 20.0, 10_000)
        self._frames = 0

    def add(self, f0_hz: Array, loudness_db: Array) -> None:
        """Count the frames `[frames]` of a passage; f0 is 0 where there is no pitch."""
        self._log_f0.add(np.log2(f0_hz[f0_hz > 0]))
        self._loudness_db.add(loudness_db[loudness_db > HEARD_DB])
        self._frames += len(f0_hz)

    def summary(self) -> dict[str, Any]:
        """What `dataset.json` holds of them, plain data."""
        return {
            "f0_hz_range": asdict(self.f0_hz_range()),
            "loudness_db_range": asdict(self.loudness_db_range()),
            "voiced_share": self.voiced_share,
        }

    @property
    def voiced_share(self) -> float:
        """Share of the frames that have a pitch, 0 to 1."""
        return self._log_f0.total / max(1, self._frames)

    def f0_hz_range(self) -> Range:
        """5th, 50th and 95th percentile of f0 over voiced frames, Hz."""
        low, median, high = (2.0 ** self._log_f0.percentile(p) for p in (5, 50, 95))
        return Range(low, median, high)

    def loudness_db_range(self) -> Range:
        """5th, 50th and 95th percentile of loudness over the frames that can be heard, dB."""
        low, median, high = (self._loudness_db.percentile(p) for p in (5, 50, 95))
        return Range(low, median, high)
