"""The candidates of `ddsp_edge.features.periods`, found fast in single windows too, as live sound has them.

What is asked of a few minima is asked in plain numbers: for one window a call of numpy takes longer than what
it computes.
"""

from collections.abc import Iterator
from math import inf
from typing import Any

import numpy as np

from ddsp_edge.features.autocorrelation import Autocorrelation
from ddsp_edge.features.periods import MULTIPLE, MULTIPLE_WITHIN, Candidate, PeriodFinder
from ddsp_edge.features.ringing import SAME, hear_over
from ddsp_edge.units import Array

Found = tuple[list[Candidate], float, float]
"""At most `count` candidates, those of the least cost first; the mean square of the samples; and that of the
8 ms in the middle."""

_SILENT = 1e-9  # sum of squares below which nothing repeats
MIDDLE_S = 0.008
"""Length of the middle of a window, seconds."""
# Where a pitch sounded before; tuned as `ddsp_edge.features.ringing`.
# What is left of it may repeat together with a new note after several periods of that, better than after one.
_LEAP_PARTS = 5.0, 7.0  # besides two and three
_LEAP_MULTIPLE_WITHIN = 0.2


class WindowPeriods(PeriodFinder):
    """Find the candidates of windows, of each to the last bit the same alone and among others.

    They are those that `PeriodFinder.find` finds faster in hundreds of windows, to the rounding of float32.

    Who knows what sounded before sets `known_hz`: then other notes are heard over the rest of that one, and
    doubted more where the window repeats after a part of their period as well.

    Args and Raises: those of `PeriodFinder`; the window is two periods of the lowest pitch long.
    """

    known_hz = 0.0
    """The pitch that sounded so far, Hz; 0 where there was none."""

    def __init__(self, sample_rate: int, f0_min_hz: float, f0_max_hz: float, count: int) -> None:
        super().__init__(sample_rate, f0_min_hz, f0_max_hz, count)
        steps, last = self._lag_steps, self._longest // self._lag_steps
        self._correlation = Autocorrelation(self.size, last + 1, steps, self._fft_size)
        self._average = np.full(self.size, 1.0 / self.size, np.float32)
        middle = min(self.size, round(MIDDLE_S * sample_rate))
        first = (self.size - middle) // 2
        self._middle, self._middle_average = (
            slice(first, first + middle),
            np.full(middle, 1.0 / middle, np.float32),
        )
        self._scale = 2.0 * steps  # the difference is 1 + scale * likeness
        self._scaled_preference = (self._preference / self._scale).astype(np.float32)
        # For one window, in memory that is taken once, with views of what lies side by side.
        square = self._square = np.empty(self.size, np.float32)
        self._ends = square[:last], square[: -last - 1 : -1]
        self._middle_square = square[self._middle]
        likeness = self._likeness = np.empty(self._longest + 1, np.float32)
        self._at: Any = memoryview(likeness)  # type: ignore[arg-type]  # gives plain numbers
        self._lost = [likeness[step :: self._lag_steps] for step in range(1, steps + 1)]
        self._searched = likeness[self._shortest : -1]
        self._sides = likeness[self._shortest :], likeness[self._shortest - 1 : -1]
        rising = self._rising = np.empty(self._longest + 1 - self._shortest, bool)
        self._turns = rising[1:], rising[:-1]

    def search(self, window: Array) -> Found:
        """Find the candidates of a window `[size]`, float32."""
        x = np.subtract(window, window.dot(self._average), self._correlation.window)
        correlation = self._correlation.measure()
        energy = float(correlation[0])
        # With each lag the difference loses a sample at either end; between two lags, half of both.
        likeness = self._likeness
        np.multiply(x, x, self._square)
        for lost in self._lost:
            np.add(*self._ends, lost)
        likeness[0] = -self._scale * max(energy, _SILENT)
        np.add.accumulate(likeness, 0, None, likeness)
        np.divide(correlation, likeness, likeness)
        return (
            self._candidates(energy),
            energy / self.size,
            float(self._middle_square.dot(self._middle_average)),
        )

    def search_all(self, windows: Array) -> Iterator[Found]:
        """Find the candidates of each of windows `[windows, size]`, as `search` does, to the last bit.

        `known_hz` may be set between two of them.
        """
        x = windows - np.array([window.dot(self._average) for window in windows], np.float32)[:, None]
        correlation = self._correlation.measure_all(x)
        energy = correlation[:, :1]
        square, last = np.multiply(x, x, x), len(self._ends[0])
        likeness = np.empty((len(x), self._longest + 1), np.float32)
        for step in range(1, self._lag_steps + 1):
            np.add(square[:, :last], square[:, : -last - 1 : -1], likeness[:, step :: self._lag_steps])
        likeness[:, :1] = -self._scale * np.maximum(energy, _SILENT)
        np.add.accumulate(likeness, 1, None, likeness)
        np.divide(correlation, likeness, likeness)
        for row, total, samples in zip(likeness, energy[:, 0].tolist(), square, strict=True):
            self._likeness[:] = row
            middle = float(samples[self._middle].dot(self._middle_average))
            yield self._candidates(total), total / self.size, middle

    def _candidates(self, energy: float) -> list[Candidate]:
        """The candidates of the window in `_likeness`, those of the least cost first."""
        found = self._minima(energy)
        found.sort()
        known = self.known_hz
        if known and found and abs(found[0][1] - known) > SAME * known:  # else nothing new is heard
            found = hear_over(known, found, self._likeness_at, self._lags_per_second, self._longest - 1)
            found.sort()
        return found

    def _likeness_at(self, lag: float) -> float:
        """The normalised correlation, 1 where the window repeats itself, at a lag between two."""
        place = int(lag)
        low, high = self._at[place], self._at[place + 1]
        return float(-self._scale * (low + (lag - place) * (high - low)))

    def _nearest(self, lag: float) -> float:
        """The least of `_likeness` about the parts of a lag at which it is looked at after a leap."""
        at, nearest = self._at, 0.0
        for parts in _LEAP_PARTS:
            part = int(lag / parts)
            if part >= self._shortest:
                nearest = min(nearest, at[part - 1], at[part], at[part + 1], at[part + 2])
        return nearest

    def _minima(self, energy: float) -> list[Candidate]:
        """The deepest minima of `_likeness`: minus the correlation, over twice the energy at no lag."""
        if energy < _SILENT:
            return []
        np.greater_equal(*self._sides, self._rising)
        places = np.greater(*self._turns).nonzero()[0]
        rank = self._searched[places] + self._scaled_preference[places]
        best = sorted(zip(rank.tolist(), places.tolist(), strict=True))[: self.count]
        at, scale, shortest, rate = self._at, self._scale, self._shortest, self._lags_per_second
        sooner, later = 0.0, inf  # lags of the note before, or of a first one
        if self.known_hz:
            sooner, later = rate / self.known_hz * (1.0 - SAME), rate / self.known_hz * (1.0 + SAME)
        found = list[Candidate]()
        for value, place in best:
            place += shortest
            low, middle, high = at[place - 1], at[place], at[place + 1]
            slope = low - high
            shift = 0.5 * slope / max(low - 2.0 * middle + high, 1e-12)
            depth = max(1.0 + scale * (middle - 0.25 * slope * shift), 0.0)
            lag = place + shift
            cost = depth + scale * (value - middle)
            part = int(lag / 2.0)
            if part >= shortest:
                near = min(at[part - 1], at[part], at[part + 1], at[part + 2])
                part = int(lag / 3.0)
                if part >= shortest:
                    near = min(near, at[part - 1], at[part], at[part + 1], at[part + 2])
                more = 1.0 + scale * near - depth
                within = MULTIPLE_WITHIN
                if lag < sooner or lag > later:
                    within = _LEAP_MULTIPLE_WITHIN
                    if more > 0.02:  # else it is several periods for sure
                        more = min(more, 1.0 + scale * self._nearest(lag) - depth)
                if more < within:
                    cost += MULTIPLE * min(1.0 - more / within, 1.0)
            found.append((cost, rate / lag, depth))
        return found
