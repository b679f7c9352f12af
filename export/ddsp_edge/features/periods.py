"""Candidates for the pitch of a window: the periods after which it repeats itself, in numpy.

The difference function of a window of `N` samples, symmetric about its middle and normalised by energy
(de Cheveigné & Kawahara 2002; McLeod & Wyvill 2005):

    d(lag) = sum_{n < N - lag} (x[n] - x[n + lag])^2 / sum_{n < N - lag} (x[n]^2 + x[n + lag]^2)

is 0 where the sound repeats itself after `lag` and about 1 for noise. Its deepest minima are the candidates.
The tracker of a device and the library's own follow paths through the same ones.
"""

from dataclasses import dataclass

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.fourier import fft_size
from ddsp_edge.units import Array

NONE = 1e3
"""Cost of a candidate that is not there."""

# Costs, in units of aperiodicity. Tuned on synthetic tones, on four recordings whose f0 is known exactly and
# on soundfont renderings of five instruments.
_OCTAVE_DOWN = 0.03  # of a period twice as long: repeats as well, is meant seldom
MULTIPLE = 0.3  # of a period whose half or third repeats as well: it is several true ones
MULTIPLE_WITHIN = 0.1  # difference up to which it does, less and less
_BESIDE = np.array([-1, 0, 1])[:, None, None]
_PARTS = np.array([2.0, 3.0])[:, None, None]
_AROUND = np.array([-1, 0, 1, 2])[:, None, None]  # lags about a part, which lies between two
_FAST_RATE = 32_000  # Hz; from here on an instrument has little near Nyquist


Candidate = tuple[float, float, float]
"""Cost, f0 in Hz and aperiodicity of one; see `Candidates`."""


@dataclass(frozen=True)
class Candidates:
    """What the pitch of each window may be.

    Args:
        f0_hz: `[windows, candidates]`, Hz.
        aperiodicity: `[windows, candidates]`, 0 (repeats exactly) to 1.
        cost: `[windows, candidates]`: aperiodicity, more for periods that are likely multiples of the true
            one; `NONE` for candidates that are not there.
        mean_square: `[windows]`, of the samples.
    """

    f0_hz: Array
    aperiodicity: Array
    cost: Array
    mean_square: Array


class PeriodFinder:
    """Find the candidates of windows.

    Args:
        sample_rate: Integer, Hz.
        f0_min_hz: Lowest pitch, Hz.
        f0_max_hz: Highest pitch, Hz; more than a quarter of the sample rate counts as that.
        count: Integer > 0, candidates for each window.
        size: Integer, window length in samples; None for two periods of the lowest pitch, the shortest that
            will do.
        lag_steps: 1 or 2, lags looked at for each sample; None for what the rate needs.

    Raises:
        DdspError: If the range cannot be searched at this rate.
    """

    def __init__(
        self,
        sample_rate: int,
        f0_min_hz: float,
        f0_max_hz: float,
        count: int,
        size: int | None = None,
        lag_steps: int | None = None,
    ) -> None:
        if not 10.0 <= f0_min_hz < f0_max_hz:
            raise DdspError(
                "f0_min_hz must be at least 10 and below f0_max_hz. "
                f"Received: f0_min_hz={f0_min_hz}, f0_max_hz={f0_max_hz}"
            )
        self.f0_max_hz = min(f0_max_hz, sample_rate / 4)
        self.count = count
        # Partials near Nyquist make minima narrower than a sample: a low rate needs lags between samples.
        self._lag_steps = lag_steps or (2 if sample_rate < _FAST_RATE else 1)
        self._lags_per_second = self._lag_steps * sample_rate
        self._shortest = max(2, int(self._lags_per_second / self.f0_max_hz) - 1)
        self._longest = self._lag_steps * (int(np.ceil(sample_rate / f0_min_hz)) + 1)
        if self._longest - self._shortest <= count:
            raise DdspError(
                f"The range of pitches is too narrow or too high to track at {sample_rate} Hz. "
                f"Received: f0_min_hz={f0_min_hz}, f0_max_hz={f0_max_hz}"
            )
        lags = np.arange(self._shortest, self._longest)
        self._preference = _OCTAVE_DOWN * np.log2(lags / self._shortest)
        shortest_size = 2 * self._longest // self._lag_steps
        self.size = max(shortest_size, size or 0)
        self._fft_size = fft_size(self.size + self._longest // self._lag_steps + 1)

    def find(self, windows: Array) -> Candidates:
        """Find the candidates of windows `[windows, size]`."""
        difference, mean_square = self._difference(windows)
        searched = slice(self._shortest, self._longest)
        falls = difference[:, self._shortest - 1 : self._longest] > difference[:, self._shortest :]
        is_minimum = falls[:, :-1] > falls[:, 1:]
        every = np.full_like(difference, NONE)
        np.add(difference[:, searched], self._preference, out=every[:, searched], where=is_minimum)
        lags = every[:, searched].argpartition(self.count, axis=1)[:, : self.count] + self._shortest
        # A flat `take` of a few values costs a tenth of `np.take_along_axis`.
        rows = np.arange(0, difference.size, difference.shape[1])[:, None]
        places = lags + rows
        cost = every.take(places)
        there = cost < NONE
        low, at, high = difference.take(places + _BESIDE)
        # At a minimum the vertex of the parabola is within half a lag; elsewhere nothing is moved.
        slope = np.where(there, low - high, 0.0)
        shift = 0.5 * slope / np.maximum(low - 2.0 * at + high, 1e-12)
        depth = np.where(there, np.maximum(at - 0.25 * slope * shift, 0.0), 1.0)
        lag = lags + shift
        multiple = self._multiple(difference, rows, lag, depth)
        cost = np.where(there, cost - at + depth + MULTIPLE * multiple, NONE)
        return Candidates(self._lags_per_second / lag, depth, cost, mean_square)

    def _difference(self, windows: Array) -> tuple[Array, Array]:
        """Normalised difference `[windows, longest + 1]` and mean square `[windows]` of windows."""
        count, size = windows.shape
        x = windows - np.add.reduce(windows, axis=1, keepdims=True) / np.float32(size)
        steps = self._lag_steps
        lags = self._longest // steps + 1
        spectrum = np.fft.rfft(x, self._fft_size)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        if steps == 2:
            power[:, -1] *= 0.5  # stands at Nyquist for two bins, of which a longer transform has both
        # A longer inverse transform gives the correlation between the samples as well.
        correlation = np.fft.irfft(power, steps * self._fft_size)[:, : self._longest + 1]
        energy = np.zeros((count, size + 1))  # of the first samples, none to all
        np.square(x, dtype=np.float64).cumsum(axis=1, out=energy[:, 1:])
        total = energy[:, -1:]
        # Samples 0 .. N - lag - 1 and lag .. N - 1: what the difference compares.
        both = total - energy[:, :lags]
        both += energy[:, size : size - lags : -1]
        if steps == 2:
            fine = np.empty((count, 2 * lags - 1))
            fine[:, ::2] = both
            between = np.add(both[:, 1:], both[:, :-1], out=fine[:, 1::2])
            between *= 0.5
            both = fine
        difference = both - 2.0 * steps * correlation
        difference /= np.maximum(both, 1e-9)
        return np.maximum(difference, 0.0, out=difference), total[:, 0] / size

    def _multiple(self, difference: Array, rows: Array, lag: Array, depth: Array) -> Array:
        """How surely each lag is two or three true periods, 0 to 1, `[windows, candidates]`.

        After a leap of a fifth both notes sound for a while and repeat together a twelfth below the higher
        one. Where that note then sounds alone, its own period must win at once.
        """
        part = (lag / _PARTS).astype(np.intp)
        near = difference.take((part + rows)[:, None] + _AROUND)
        share = 1.0 - (np.minimum.reduce(near, axis=1) - depth) / MULTIPLE_WITHIN
        searched = part >= self._shortest
        return np.asarray(np.minimum(np.maximum.reduce(share, axis=0, initial=0.0, where=searched), 1.0))
