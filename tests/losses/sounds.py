"""Sounds to compare, and their spectra in float64."""

import numpy as np

from ddsp_edge.units import Array


def sounds(n: int, batch: int = 2) -> tuple[Array, Array]:
    """Two notes of other phases with noise, float32 `[batch, n]`."""
    rng = np.random.default_rng(1)
    time = np.arange(n) / 16_000

    def one() -> Array:
        partials = sum(
            np.sin(2 * np.pi * 220.0 * k * time + rng.uniform(0, 6, (batch, 1))) / k for k in range(1, 12)
        )
        return (0.1 * partials + 0.02 * rng.standard_normal((batch, n))).astype(np.float32)

    return one(), one()


def spectra(audio: Array, size: int) -> Array:
    """Spectra of one example `[windows, bins]` in float64, window by window."""
    hop = size // 4
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
    padded = np.pad(np.asarray(audio, np.float64), (size - hop, 2 * size))
    count = -(-len(audio) // hop) + 3
    return np.array([np.fft.rfft(window * padded[i * hop : i * hop + size]) for i in range(count)])
