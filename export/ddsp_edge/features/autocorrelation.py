"""Autocorrelation of windows, at the whole lags and halfway between them."""

import numpy as np

from ddsp_edge.units import Array

_PRODUCTS_AT_MOST = 400_000
"""Multiplications up to which sums of products of one window are faster than its transforms."""


class Autocorrelation:
    """Sum the products of a window's samples with those some lags later.

        c(lag) = sum_{n < N - lag} x[n] x[n + lag]

    Between the samples it is that of the band-limited sound, what a zero-padded inverse transform gives. A
    window has the same correlation, to the last bit, alone and among others.

    Args:
        size: Integer, samples of a window, `N`.
        lags: Integer, whole lags looked at, 0 to `lags - 1`, at most as many as samples.
        steps: 1, or 2 for the lags halfway as well.
        fft_size: Integer, at least `size + lags - 1`, and even.
    """

    def __init__(self, size: int, lags: int, steps: int, fft_size: int) -> None:
        self._steps, self._fft_size = steps, fft_size
        self._count = steps * (lags - 1) + 1
        # What lies halfway takes the correlation at all lags, before and after.
        whole = size if steps == 2 else lags
        products = whole * size + (2 * lags * size if steps == 2 else 0)
        self._direct = products <= _PRODUCTS_AT_MOST
        self._padded = np.zeros(size + whole - 1 if self._direct else fft_size, np.float32)
        self.window = self._padded[:size]
        """Where a window is written for `measure`, float32 `[size]`."""
        if not self._direct or steps == 1:
            return
        both_sides = self._both_sides = np.zeros(2 * size - 1, np.float32)
        self._before, self._after = both_sides[size - 1 :: -1], both_sides[size - 1 :]
        self._whole = self._after[:lags]
        self._halfway = _interpolation(size, lags, fft_size)
        self._fine = np.empty(self._count, np.float32)
        self._even, self._odd = self._fine[::2], self._fine[1::2]

    def measure(self) -> Array:
        """Correlation of what `window` holds at the lags 0, 1 / steps, 2 / steps and so on.

        Returns:
            `[steps (lags - 1) + 1]`, true until the next call; float32 where numpy has such transforms.
        """
        if not self._direct:
            return self._transformed(self._padded)
        whole = np.correlate(self._padded, self.window)
        if self._steps == 1:
            return whole
        self._before[:] = self._after[:] = whole
        self._even[:] = self._whole
        self._odd[:] = np.correlate(self._halfway, self._both_sides)
        return self._fine

    def measure_all(self, windows: Array) -> Array:
        """Correlation of windows `[windows, size]`, float32: `[windows, steps (lags - 1) + 1]`."""
        if not self._direct:
            return self._transformed(windows)
        found = np.empty((len(windows), self._count), np.float32)
        for window, row in zip(windows, found, strict=True):
            self.window[:] = window
            row[:] = self.measure()
        return found

    def _transformed(self, windows: Array) -> Array:
        spectrum = np.fft.rfft(windows, self._fft_size)
        power = np.multiply(spectrum, spectrum.conj(), spectrum)
        if self._steps == 2:
            power *= 2.0  # the longer inverse transform divides by twice as much
            power[..., -1] *= 0.5  # stands at Nyquist for two bins, of which the longer transform has both
        return np.fft.irfft(power, self._steps * self._fft_size)[..., : self._count]


def _interpolation(size: int, lags: int, fft_size: int) -> Array:
    """Weights for the correlation at lags `1 - size` to `size - 1`, which moved along give that halfway."""
    distance = np.arange(1 - size, size + lags - 2) + 0.5
    bins = np.arange(1, fft_size // 2)  # Nyquist has a zero halfway
    waves = np.cos(2.0 * np.pi / fft_size * np.outer(distance, bins))
    return np.asarray((1.0 + 2.0 * np.add.reduce(waves, axis=1)) / fft_size, np.float32)
