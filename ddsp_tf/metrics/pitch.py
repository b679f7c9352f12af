"""How good a pitch track is, in numpy.

Definitions after J. Salamon, E. Gomez, D. P. W. Ellis and G. Richard, "Melody extraction from polyphonic
music signals", IEEE Signal Processing Magazine 31(2), 2014, and `mir_eval.melody`, with one difference:
an estimate of 0 Hz means 'no pitch' and is never right, whereas mir_eval may be given a guess for it.

All functions take frequencies in Hz, `[frames]` each, 0 where there is no pitch, and return a share in 0
to 1, or NaN if no frame can count. They raise `DdspError` if the shapes differ.
"""

import numpy as np
import numpy.typing as npt

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError


def raw_pitch_accuracy(reference_hz: npt.ArrayLike, estimate_hz: npt.ArrayLike, cents: float = 50.0) -> float:
    """Share of the frames voiced in the reference whose estimate is at most `cents` away."""
    voiced, _, off = _compare(reference_hz, estimate_hz)
    return _share(np.abs(off) <= cents, voiced)


def raw_chroma_accuracy(
    reference_hz: npt.ArrayLike, estimate_hz: npt.ArrayLike, cents: float = 50.0
) -> float:
    """As `raw_pitch_accuracy`, with whole octaves forgiven."""
    voiced, _, off = _compare(reference_hz, estimate_hz)
    return _share(np.abs(_within_octave(off)) <= cents, voiced)


def octave_error_rate(reference_hz: npt.ArrayLike, estimate_hz: npt.ArrayLike, cents: float = 50.0) -> float:
    """Share of the frames voiced in both that are at most `cents` away from one or more whole octaves."""
    voiced, found, off = _compare(reference_hz, estimate_hz)
    wrong = (np.abs(off) > 600.0) & (np.abs(_within_octave(off)) <= cents)
    return _share(wrong, voiced & found)


def voicing_recall(reference_hz: npt.ArrayLike, estimate_hz: npt.ArrayLike) -> float:
    """Share of the frames voiced in the reference that the estimate calls voiced."""
    voiced, found, _ = _compare(reference_hz, estimate_hz)
    return _share(found, voiced)


def voicing_false_alarm(reference_hz: npt.ArrayLike, estimate_hz: npt.ArrayLike) -> float:
    """Share of the frames unvoiced in the reference that the estimate calls voiced."""
    voiced, found, _ = _compare(reference_hz, estimate_hz)
    return _share(found, ~voiced)


def _compare(reference_hz: npt.ArrayLike, estimate_hz: npt.ArrayLike) -> tuple[Array, Array, Array]:
    """Voiced in the reference, voiced in the estimate, and distance in cents (infinite if not both)."""
    reference, estimate = np.asarray(reference_hz, np.float64), np.asarray(estimate_hz, np.float64)
    if reference.shape != estimate.shape or reference.ndim != 1:
        raise DdspError(
            "pitch tracks to compare must have the same number of frames. "
            f"Received: {reference.shape} and {estimate.shape}"
        )
    voiced, found = reference > 0, estimate > 0
    both = voiced & found
    ratio = np.where(both, estimate, 1.0) / np.where(both, reference, 1.0)
    return voiced, found, np.where(both, 1200.0 * np.log2(ratio), np.inf)


def _within_octave(off: Array) -> Array:
    finite = np.where(np.isfinite(off), off, 0.0)
    return np.where(np.isfinite(off), finite - 1200.0 * np.round(finite / 1200.0), np.inf)


def _share(hits: Array, frames: Array) -> float:
    return float(np.mean(hits[frames])) if np.any(frames) else float("nan")
