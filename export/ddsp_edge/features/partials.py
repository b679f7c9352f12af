"""Levels of partials: how loud groups of the partials of a sound are beside the whole of it.

One definition serves the device and the library. Of the partials `m` to `n`:

    level = max(0, 40 + 10 log10( (P + 1e-8) / (sum_k p_k + 1e-8) ))    dB

with `p_k` the A-weighted mean square of bin `k` (`ddsp_edge.features.spectral`) and `P` the part of it that
lies between `(m - 1/2) f0` and `(n + 1/2) f0`, bins on the border in proportion; the first group begins at
0 Hz, the last ends at half the sample rate. So 40 is a group that is all there is, and 0 is 40 dB below that.
In silence every group has 40.
"""

import numpy as np

from ddsp_edge.features.loudness import POWER_FLOOR
from ddsp_edge.further import PARTIAL_SPAN_DB, PARTIALS
from ddsp_edge.units import Array

_BORDERS = np.array([first - 0.5 for first in PARTIALS.values()][1:])  # in multiples of f0


def partial_levels(powers: Array, f0_hz: Array, sample_rate: int) -> Array:
    """Levels of the groups of `ddsp_edge.further.PARTIALS`, dB, float32 `[frames, groups]`.

    Args:
        powers: `[frames, bins]`, of bins from 0 Hz to half the sample rate.
        f0_hz: `[frames]`, above 0 Hz, held where there is no pitch.
        sample_rate: Integer, Hz.
    """
    frames, bins = powers.shape
    below = np.zeros((frames, bins + 1))  # power below the lower border of each bin, and all of it
    np.cumsum(powers, axis=1, out=below[:, 1:])
    bin_hz = sample_rate / 2.0 / (bins - 1)
    place = np.minimum(np.outer(f0_hz, _BORDERS) / bin_hz + 0.5, bins)
    whole = np.minimum(place.astype(np.int64), bins - 1)
    rows = np.arange(frames)[:, np.newaxis]
    at_border = below[rows, whole] + (place - whole) * powers[rows, whole]
    total = below[:, -1:]
    groups = np.diff(np.concatenate([np.zeros((frames, 1)), at_border, total], axis=1), axis=1)
    ratio = (np.maximum(groups, 0.0) + POWER_FLOOR) / (total + POWER_FLOOR)
    return np.asarray(np.maximum(PARTIAL_SPAN_DB + 10.0 * np.log10(ratio), 0.0), np.float32)
