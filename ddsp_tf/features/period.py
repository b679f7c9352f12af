"""Fine fundamental frequency, given a coarse one: the peak of the normalised autocorrelation.

P. McLeod and G. Wyvill, "A smarter way to find pitch", ICMC 2005, equation 9, looked at over several
periods at once, which divides the error of the interpolation by their number.
"""

import numpy as np

from ddsp_edge.units import Array

_AT_ONCE = 1 << 17  # samples of all windows that are looked at together: 1 MiB for each array of them
_LAG_SECONDS = 0.008  # several periods together may take as long as f0 takes to change noticeably


def refine_f0(
    sound: Array, rate: int, centres: Array, size: int, f0_hz: Array, reach_cents: float
) -> tuple[Array, Array]:
    """Move each f0 to the nearest peak of the autocorrelation, if one is within reach.

    Args:
        sound: Samples `[n]`.
        rate: Integer, Hz.
        centres: Integers `[instants]`, the middles of the windows.
        size: Integer, window length in samples, some periods long.
        f0_hz: `[instants]`, Hz, 0 where unvoiced (and left so).
        reach_cents: How far an f0 may be moved; beyond it the coarse one stays.

    Returns:
        f0 in Hz, and periodicity in 0 to 1, how alike the sound is after the periods looked at: float64
        `[instants]` each.
    """
    fine = np.array(f0_hz, np.float64)
    periodicity = np.zeros(len(fine))
    voiced = np.flatnonzero(f0_hz > 0)
    padded = np.pad(np.asarray(sound, np.float64), size)
    at_once = max(1, _AT_ONCE // size)
    for first in range(0, len(voiced), at_once):
        some = voiced[first : first + at_once]
        starts = centres[some] - size // 2 + size
        fine[some], periodicity[some] = _refined(padded, rate, starts, size, fine[some], reach_cents)
    return fine, periodicity


def _refined(
    sound: Array, rate: int, starts: Array, size: int, coarse: Array, reach_cents: float
) -> tuple[Array, Array]:
    """Refine `coarse` `[windows]`, all voiced, of windows that begin at samples `starts`."""
    similarity = _similarity(sound, starts, size)
    count = np.maximum(1.0, np.floor(_LAG_SECONDS * coarse))
    lag = np.minimum(count * rate / coarse, size - 3.0)
    reach = int(np.ceil(np.max(lag) * (2.0 ** (reach_cents / 1200) - 1.0))) + 1
    lags = np.round(lag).astype(int)[:, None] + np.arange(-reach, reach + 1)
    near = np.take_along_axis(similarity, np.clip(lags, 0, size - 1), 1)
    limit = lag * (2.0 ** (reach_cents / 1200) - 1.0) + 1.0
    near[np.abs(lags - lag[:, None]) > limit[:, None]] = -np.inf
    best = np.argmax(near, 1)
    row = np.arange(len(coarse))
    peak = lags[row, best]
    before, top, after = (similarity[row, np.clip(peak + k, 0, size - 1)] for k in (-1, 0, 1))
    bend = before - 2.0 * top + after
    is_peak = (bend < 0) & (top >= before) & (top >= after)
    shift = np.where(is_peak, 0.5 * (before - after) / np.where(is_peak, bend, 1.0), 0.0)
    moved = count * rate / (peak + shift)
    good = is_peak & (np.abs(1200.0 * np.log2(moved / coarse)) <= reach_cents)
    return np.where(good, moved, coarse), np.clip(top, 0.0, 1.0)


def _similarity(sound: Array, starts: Array, size: int) -> Array:
    """Normalised autocorrelation `[windows, size]` at lags `0 .. size - 1`; 1 where periodic."""
    windows = sound[starts[:, None] + np.arange(size)]
    spectrum = np.fft.rfft(windows, 2 * size)
    correlation = np.fft.irfft(np.square(np.abs(spectrum)))[:, :size]
    energy = np.cumsum(np.square(windows), 1)
    total = energy[:, -1:]
    start = energy[:, ::-1]  # energy of the samples that are followed by one `lag` later
    end = total - np.concatenate([np.zeros_like(total), energy[:, :-1]], 1)
    return np.asarray(2.0 * correlation / np.maximum(start + end, 1e-12))
