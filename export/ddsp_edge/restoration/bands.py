"""Bands of a spectrum: what the network of a restoration hears, and where its gains go."""

import numpy as np
import numpy.typing as npt

from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import Array

HOPS_PER_WINDOW = 4
POWER_FLOOR = 1e-7
"""Added to powers before the logarithm: 7 dB above what rounding to 16 bits leaves in a bin at 16 kHz."""


class Bands:
    """Bands of the spectrum of a window of four hops: bins alone below, wider ones above.

    The first `low` bins are bands of their own, fine enough to lie between the partials of a voice. Above
    them `high` triangles stand evenly on the scale of equivalent rectangular bandwidths, and share every bin
    between two of them, so that the weights of a bin add up to 1: gains that lie in 0 to 1 stay there.

    Reference: B. C. J. Glasberg and B. C. J. Moore, "Derivation of auditory filter shapes from notched-noise
    data", Hearing Research 47, 1990: `21.4 log10(1 + 0.00437 f)` numbers the bandwidths.

    Args:
        spec: The frame grid; a window has four hops, and its spectrum `2 * hop + 1` bins.
        low: Integer > 0, bins that are bands of their own, from 0 Hz on.
        high: Integer > 0, bands above them.

    Raises:
        DdspError: If there are fewer bins than bands.
    """

    def __init__(self, spec: FrameSpec, low: int, high: int) -> None:
        self.spec, self.low, self.high = spec, low, high
        self.n_bins = HOPS_PER_WINDOW * spec.hop // 2 + 1
        self.count = low + high
        if low < 1 or high < 1 or self.count > self.n_bins:
            raise DdspError(
                f"low and high bands must be above 0, and at most {self.n_bins} together, the bins of a "
                f"window of {HOPS_PER_WINDOW} hops. Received: {low} and {high}"
            )
        hz = np.arange(self.n_bins) * spec.sample_rate / (HOPS_PER_WINDOW * spec.hop)
        number = 21.4 * np.log10(1.0 + 0.00437 * hz)
        centres = np.linspace(number[low - 1], number[-1], high + 1)[1:]
        distance = np.abs(number[low:, None] - centres) / (centres[0] - number[low - 1])
        shares = np.maximum(0.0, 1.0 - distance)
        shares[0, 0] = max(shares[0, 0], 1e-3)  # where bands are as narrow as bins, none reaches the first
        self.shares = np.zeros((self.n_bins, self.count), np.float32)
        """Share of each bin in each band, float32 `[n_bins, count]`; those of a bin add up to 1."""
        self.shares[np.arange(low), np.arange(low)] = 1.0
        self.shares[low:, low:] = shares / shares.sum(axis=1, keepdims=True)
        self.means = self.shares / np.maximum(self.shares.sum(axis=0), 1e-6)
        """Weights of each bin in the mean of a band, float32 `[n_bins, count]`."""
        self._high_shares = np.ascontiguousarray(self.shares[low:, low:].T)
        self._high_means = np.ascontiguousarray(self.means[low:, low:])

    def log_powers(self, power: Array) -> Array:
        """Logarithm of the mean power of the bins in each band.

        Args:
            power: float32 `[frames, n_bins]`, squared magnitudes under windows that are square roots of Hann
                windows; full scale is 1, so a full-scale sine has about `(1.27 * hop) ** 2`.

        Returns:
            Natural logarithms, float32 `[frames, count]`.
        """
        mean = np.empty((len(power), self.count), np.float32)
        mean[:, : self.low] = power[:, : self.low]
        np.matmul(power[:, self.low :], self._high_means, out=mean[:, self.low :])
        mean += np.float32(POWER_FLOOR)
        return np.asarray(np.log(mean, out=mean))

    def bin_gains(self, gains: Array) -> Array:
        """Gains of bins, float32 `[frames, n_bins]`, of gains of bands `[frames, count]`."""
        bins = np.empty((len(gains), self.n_bins), np.float32)
        bins[:, : self.low] = gains[:, : self.low]
        np.matmul(gains[:, self.low :], self._high_shares, out=bins[:, self.low :])
        return bins


def hop_at(spec: FrameSpec, sample_rate: int) -> int:
    """Samples of a hop at another rate that lasts as long as one of `spec`, to 0.5 %.

    Bins of windows of as many hops then lie where those of `spec` do. Of the sizes that are near enough, the
    one whose Fourier transform is fastest is taken: that of the smallest largest prime factor.
    """
    exact = spec.hop * sample_rate / spec.sample_rate
    least, most = int(np.ceil(exact * 0.995)), int(exact * 1.005)
    sizes = range(max(1, least), most + 1) if least <= most else [max(1, round(exact))]
    return min(sizes, key=lambda size: (_largest_factor(size), abs(size - exact)))


def _largest_factor(number: int) -> int:
    factor = largest = 2
    while number > 1:
        if number % factor:
            factor += 1
        else:
            number, largest = number // factor, factor
    return largest


def sine_window(size: int) -> npt.NDArray[np.float32]:
    """Square root of a periodic Hann window, half a sine, float32 `[size]`."""
    return np.asarray(np.sin(np.pi * np.arange(size) / size), np.float32)
