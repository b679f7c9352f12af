"""What sounds behind the instrument: noise, and hum of the mains."""

from dataclasses import dataclass

import numpy as np

from ddsp_edge.features.loudness import a_weighting_power
from ddsp_edge.fourier import hann
from ddsp_edge.units import Array

MAINS_HZ = (50, 60)
HUM_HARMONICS = 8  # that are looked for

_NOISE_WINDOW_S = 0.064
_QUIET = 0.2  # of the time each frequency is left alone by the instrument, or nearly all are
_SMOOTH_BINS = 15  # what harmonics leave in some bins, their neighbours do not have
_HUM_WINDOW_S = 2.0
_LINE_DB, _ALONE_DB = 10.0, 20.0  # a line stands out by this much; the fundamental alone by more
_STEADY = 0.25  # hum is there in three windows of four


@dataclass(frozen=True)
class Hum:
    """Hum of the mains.

    Args:
        mains_hz: Integer, 50 or 60; 0 where there is none.
        level_db: Mean square of its harmonics, dB re full scale.
    """

    mains_hz: int
    level_db: float


def noise_db(audio: Array, sample_rate: int) -> float:
    """Level of the background noise of a passage `[n]`, dB, A-weighted as loudness is.

    At each frequency the power that is not undercut for a fifth of the time is taken as the noise's, after
    R. Martin, "Noise power spectral density estimation based on optimal smoothing and minimum statistics",
    IEEE Trans. Speech and Audio Processing 9(5), 2001. Where an instrument never rests and never moves, what
    comes out is too high.
    """
    size = 2 * round(_NOISE_WINDOW_S * sample_rate / 2)
    power = _spectra(audio, size, size // 2)
    if not len(power):
        return -80.0
    # Periodograms of noise are exponentially distributed: so much below the mean lies their quantile.
    floor = np.quantile(power, _QUIET, axis=0) / -np.log1p(-_QUIET)
    reach = _SMOOTH_BINS // 2
    padded = np.pad(floor, reach, mode="edge")
    floor = np.median(np.lib.stride_tricks.sliding_window_view(padded, _SMOOTH_BINS), axis=-1)
    weights = a_weighting_power(np.fft.rfftfreq(size, 1.0 / sample_rate))
    return float(10.0 * np.log10(weights @ floor + 1e-8))


def find_hum(audio: Array, sample_rate: int) -> Hum:
    """Look for hum in a passage `[n]` of two seconds or more.

    Hum is a series of lines at exact multiples of 50 or 60 Hz, narrower than any note, that do not go away
    while notes change.
    """
    size = 2 * round(_HUM_WINDOW_S * sample_rate / 2)
    power = _spectra(audio, size, size // 2)
    best = Hum(0, -120.0)
    for mains_hz in MAINS_HZ if len(power) else ():
        lines = [_line(power, n * mains_hz * size / sample_rate) for n in range(1, HUM_HARMONICS + 1)]
        heard = [level for level, above_db in lines if above_db > _LINE_DB]
        if len(heard) < 2 and lines[0][1] < _ALONE_DB:
            continue
        if max(above_db for _, above_db in lines[:3]) < _LINE_DB:
            continue
        level_db = float(10.0 * np.log10(sum(heard) + 1e-12))
        if level_db > best.level_db:
            best = Hum(mains_hz, level_db)
    return best


def _line(power: Array, at: float) -> tuple[float, float]:
    """Power of a line at bin `at` of spectra `[windows, bins]`, and how far it stands out, dB."""
    middle = round(at)
    if middle + 11 >= power.shape[1]:
        return 0.0, -120.0
    line = power[:, middle - 1 : middle + 2].sum(axis=1)
    beside = np.concatenate([power[:, middle - 10 : middle - 2], power[:, middle + 3 : middle + 11]], axis=1)
    above = line / (3.0 * np.median(beside, axis=1) + 1e-16)
    steady, above_db = np.quantile(line, _STEADY), 10.0 * np.log10(np.quantile(above, _STEADY) + 1e-12)
    return float(steady), float(above_db)


def _spectra(audio: Array, size: int, hop: int) -> Array:
    """Power spectra `[windows, size // 2 + 1]`; the bins of one sum to the mean square of its window."""
    if len(audio) < size:
        return np.zeros((0, size // 2 + 1))
    windows = np.lib.stride_tricks.sliding_window_view(audio, size)[::hop]
    window = hann(size).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(windows * window)))
    power[:, 1:-1] *= 2.0
    return np.asarray(power / (size * np.sum(window**2)))
