"""Brightness: how many octaves the centre of a sound's spectrum lies above its pitch.

One definition serves the device and the library:

    brightness = log2( (sum_k p_k f_k / f0 + 1e-8) / (sum_k p_k + 1e-8) )

with `p_k` the A-weighted mean square of bin `k`, of frequency `f_k` in Hz (`ddsp_edge.features.spectral`):
the spectral centroid, in octaves from f0. In silence it goes to 0.
"""

import functools

import numpy as np

from ddsp_edge.features.loudness import POWER_FLOOR
from ddsp_edge.units import Array


def brightness_of(powers: Array, f0_hz: Array, sample_rate: int) -> Array:
    """Brightness in octaves, float32 `[frames]`.

    Args:
        powers: `[frames, bins]`, of bins from 0 Hz to half the sample rate.
        f0_hz: `[frames]`, above 0 Hz, held where there is no pitch.
        sample_rate: Integer, Hz.
    """
    power, moment = (powers @ _moments(powers.shape[-1], sample_rate)).T
    return np.asarray(np.log2((moment / f0_hz + POWER_FLOOR) / (power + POWER_FLOOR)), np.float32)


@functools.lru_cache(maxsize=8)
def _moments(bins: int, sample_rate: int) -> Array:
    """Weights `[bins, 2]` whose sums are the power, and the power times frequency in Hz."""
    frequencies = np.linspace(0.0, sample_rate / 2.0, bins)
    return np.stack([np.ones_like(frequencies), frequencies], axis=1)
