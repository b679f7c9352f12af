"""From CREPE's 360 activations a window to one fundamental frequency, in numpy."""

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError

BIN_CENTS = 1997.3794084376191 + np.linspace(0.0, 7180.0, 360)
"""What each activation stands for, in cents above 10 Hz: 20 apart, from C1 (published with CREPE)."""

_REACH = 4  # bins either side of the peak that are averaged, as in the paper
_GLIDE = 12  # bins; the authors' smoothing allows as much between windows 10 ms apart
_JUMP = 1e-5  # odds of a jump to anywhere: notes do follow one another without a glide
_TINY = 1e-6


def decode_salience(salience: Array, f0_min_hz: float, f0_max_hz: float) -> tuple[Array, Array]:
    """Decode a sequence of windows.

    A Viterbi path through the activations, on which a glide is likely and a jump is not, chooses the
    peak; the mean of the bins around it, weighted by activation, is f0.

    Args:
        salience: `[windows, 360]`, 0 to 1.
        f0_min_hz: Lowest result, Hz.
        f0_max_hz: Highest result, Hz.

    Returns:
        f0 in Hz and confidence, the activation at the peak (0 to 1), both float64 `[windows]`.

    Raises:
        DdspError: If no bin lies between the limits.
    """
    allowed = allowed_bins(f0_min_hz, f0_max_hz)
    salience = np.asarray(salience, np.float64)[:, allowed]
    if len(salience) == 0:
        return np.zeros(0), np.zeros(0)
    path = _viterbi(np.log(np.maximum(salience, _TINY)))
    near = path[:, None] + np.arange(-_REACH, _REACH + 1)
    inside = (near >= 0) & (near < len(allowed))
    near = np.clip(near, 0, len(allowed) - 1)
    weight = np.where(inside, np.take_along_axis(salience, near, 1), 0.0)
    cents = np.sum(weight * BIN_CENTS[allowed][near], 1) / np.maximum(np.sum(weight, 1), _TINY)
    # Activations of zero all round leave no mean: the peak itself is then as good.
    cents = np.where(np.sum(weight, 1) > _TINY, cents, BIN_CENTS[allowed][path])
    return 10.0 * np.exp2(cents / 1200.0), np.max(weight, 1)


def allowed_bins(f0_min_hz: float, f0_max_hz: float) -> Array:
    """Numbers of the bins `[bins]` of pitches within a range.

    Raises:
        DdspError: If there are none.
    """
    low, high = (1200.0 * np.log2(hz / 10.0) for hz in (f0_min_hz, f0_max_hz))
    allowed = np.flatnonzero((low - 10.0 <= BIN_CENTS) & (high + 10.0 >= BIN_CENTS))
    if len(allowed) == 0:
        raise DdspError(f"CREPE hears 31.7 to 2006 Hz. Received: {f0_min_hz:g} to {f0_max_hz:g} Hz")
    return allowed


def _viterbi(log_salience: Array) -> Array:
    """Most likely path `[windows]` of bins through `[windows, bins]`."""
    windows, bins = log_salience.shape
    offsets = np.arange(-_GLIDE, _GLIDE + 1)
    glide = np.log((1.0 + _GLIDE - np.abs(offsets)) / (1.0 + _GLIDE) ** 2)
    jump = np.log(_JUMP)
    score = log_salience[0].copy()
    came_from = np.zeros((windows, bins), np.int32)
    padded = np.full(bins + 2 * _GLIDE, -np.inf)
    neighbours = np.lib.stride_tricks.sliding_window_view(padded, 2 * _GLIDE + 1)
    here = np.arange(bins)
    for t in range(1, windows):
        padded[_GLIDE : _GLIDE + bins] = score
        reached = neighbours + glide
        best = np.argmax(reached, 1)
        by_glide = reached[here, best]
        anywhere = int(np.argmax(score))
        by_jump = score[anywhere] + jump
        came_from[t] = np.where(by_glide >= by_jump, here + best - _GLIDE, anywhere)
        score = np.maximum(by_glide, by_jump) + log_salience[t]
    path = np.zeros(windows, np.int64)
    path[-1] = np.argmax(score)
    for t in range(windows - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return path
