"""Windows and sizes of Fourier transforms."""

import numpy as np

from ddsp_edge.units import Array


def hann(size: int) -> Array:
    """Periodic Hann window `[size]`, float64."""
    return np.asarray(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size))


def fft_size(n: int) -> int:
    """Smallest `2^a * m >= n` with `m` in 1, 3, 5: sizes whose transforms are fast."""
    return min(m << max(0, (-(-n // m) - 1).bit_length()) for m in (1, 3, 5) if m <= max(n, 1))
