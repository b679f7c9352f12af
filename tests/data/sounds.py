"""Sound files whose content is known exactly."""

from pathlib import Path

import numpy as np
import soundfile

from ddsp_edge.units import Array


def tone(seconds: float, sample_rate: int = 16_000, f0_hz: float = 220.0, level: float = 0.3) -> Array:
    """A steady tone of five partials, float64 `[n]`, its peak below `level`."""
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    partials = [np.sin(2.0 * np.pi * k * f0_hz * t) / k for k in range(1, 6)]
    return np.asarray(level * np.sum(partials, axis=0) / 2.3)


def swelling(seconds: float, sample_rate: int = 16_000, f0_hz: float = 220.0) -> Array:
    """A tone that swells and fades, so that no two passages are equal."""
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    return tone(seconds, sample_rate, f0_hz) * (0.55 + 0.45 * np.sin(2.0 * np.pi * 0.13 * t + 0.01 * t**2))


def write(path: Path, audio: Array, sample_rate: int = 16_000, subtype: str | None = None) -> Path:
    """Write `[n]` or `[n, channels]` in the format that the ending names."""
    soundfile.write(path, audio, sample_rate, subtype=subtype)
    return path
