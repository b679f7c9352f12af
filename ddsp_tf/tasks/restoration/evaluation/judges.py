"""Figures of a restored sound: our own, and those of judges that may be installed (extra `judge`)."""

import importlib.util
import warnings
from collections.abc import Callable

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.metrics.distortion import log_spectral_distance_db, si_sdr_db

Judge = Callable[[Array, Array], float]
"""Takes the target and the estimate, float32 `[samples]` at 16 kHz; NaN where it cannot tell."""

JUDGED_RATE = 16_000
FORMS = {"si_sdr_db": "SI-SDR, dB", "lsd_db": "LSD, dB", "pesq": "PESQ-wb", "stoi": "STOI"}
"""Names of all figures, and their headings."""


def judges(sample_rate: int) -> dict[str, Judge]:
    """Those that are there, by the name of their figure.

    Args:
        sample_rate: Integer, Hz; PESQ and STOI judge at 16 kHz only.
    """
    found: dict[str, Judge] = {
        "si_sdr_db": lambda s, y: float(si_sdr_db(s[None], y[None])[0]),
        "lsd_db": lambda s, y: float(log_spectral_distance_db(s[None], y[None])[0]),
    }
    if sample_rate == JUDGED_RATE:
        if importlib.util.find_spec("pesq") is not None:
            found["pesq"] = _pesq
        if importlib.util.find_spec("pystoi") is not None:
            found["stoi"] = _stoi
    return found


def _pesq(target: Array, estimate: Array) -> float:
    """Wide-band PESQ (ITU-T P.862.2) by the package `pesq`; both at one peak level."""
    from pesq import PesqError, pesq

    def at_peak(audio: Array) -> Array:
        return audio * np.float32(0.9 / max(float(np.abs(audio).max()), 1e-9))

    try:
        return float(pesq(JUDGED_RATE, at_peak(target), at_peak(estimate), "wb"))
    except PesqError:  # it found nobody speaking
        return float("nan")


def _stoi(target: Array, estimate: Array) -> float:
    """Short-time objective intelligibility by the package `pystoi`."""
    from pystoi import stoi

    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return float(stoi(target, estimate, JUDGED_RATE))
        except RuntimeWarning:  # too little of it is loud enough
            return float("nan")
