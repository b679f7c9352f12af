"""Sounds of known pitch, in float64."""

import numpy as np

from ddsp_edge.units import Array


def harmonic_sound(f0_hz: Array, sample_rate: int, harmonics: int = 6, amplitude: float = 0.2) -> Array:
    """Sum of harmonics, the k-th at 1/k, on an f0 given for every sample `[n]`; float32 `[n]`."""
    phase = 2.0 * np.pi * np.cumsum(f0_hz) / sample_rate
    sound = np.zeros(len(f0_hz))
    for k in range(1, harmonics + 1):
        sound += np.where(k * f0_hz < 0.45 * sample_rate, np.sin(k * phase) / k, 0.0)
    return (amplitude * sound).astype(np.float32)


def glide(seconds: float, sample_rate: int) -> Array:
    """f0 for every sample: from 150 Hz up two octaves, with a vibrato of ±60 cents at 0.9 Hz."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return 150.0 * np.exp2(2.0 * time / seconds + 0.05 * np.sin(2.0 * np.pi * 0.9 * time))


def cents_off(estimate_hz: Array, truth_hz: Array) -> Array:
    """Distance in cents, infinite where the estimate is unvoiced."""
    safe = np.where(estimate_hz > 0, estimate_hz, 1.0)
    return np.where(estimate_hz > 0, np.abs(1200.0 * np.log2(safe / truth_hz)), np.inf)


def best_lag(f0_hz: Array, truth_hz: Array, frames: Array, hop: int) -> int:
    """Samples by which the truth must be moved to fit best: how late the track is, if above 0.

    Args:
        f0_hz: Track `[frames]`.
        truth_hz: f0 for every sample.
        frames: Frame numbers to look at, away from the ends.
        hop: Samples a frame.
    """
    lags = range(-2 * hop, 2 * hop + 1, max(1, hop // 8))
    at = (frames + 1) * hop
    errors = [np.mean(np.abs(np.log2(f0_hz[frames] / truth_hz[at - lag]))) for lag in lags]
    return lags[int(np.argmin(errors))]
