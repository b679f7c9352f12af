"""Harvest of the vocoder WORLD, through the package pyworld: the extra `[world]`.

M. Morise, "Harvest: A High-Performance Fundamental Frequency Estimator from Speech Signals", Interspeech
2017.
"""

import importlib.util
from importlib import metadata
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0_grid import PIECE_SECONDS, EstimatorInPieces, Instants, silent

_STEP_MS = 5.0
_WINDOW_S = 0.05  # whose level says whether there is anything to be heard
_MIN_RATE = 8_000  # at 4 kHz it lost a steady tone of 150 Hz


class HarvestEstimator(EstimatorInPieces):
    """Harvest every 5 ms, interpolated onto the frame grid.

    It was made for speech, and calls voiced what other estimators leave out: the soft ends of words, voiced
    consonants, creaks. It has no measure of how sure it is: confidence is 1 where there is a pitch.

    Args:
        f0_min_hz: Lowest fundamental frequency looked for, Hz.
        f0_max_hz: Highest, Hz.

    Raises:
        DdspError: If the package is not installed.
    """

    name = "harvest"
    context_seconds = 0.5
    parallel = False

    def __init__(self, f0_min_hz: float = 55.0, f0_max_hz: float = 2000.0) -> None:
        if importlib.util.find_spec("pyworld") is None:
            raise DdspError(
                'f0: harvest needs the package pyworld (pip install ".[train,world]" in a checkout of '
                "ddsp_tf); f0: auto needs none"
            )
        self.settings: dict[str, Any] = {
            "f0_min_hz": f0_min_hz,
            "f0_max_hz": f0_max_hz,
            "package_version": metadata.version("pyworld"),
            "step_seconds": _STEP_MS / 1000.0,
        }

    def memory_mib(self, seconds: float) -> float:
        """See `F0Estimator`; 100 MiB were measured for 31 s."""
        return 60.0 + 1.5 * (min(seconds, PIECE_SECONDS) + 2.0 * self.context_seconds)

    def _analyse(self, audio: Array, sample_rate: int) -> Instants:
        import pyworld

        if sample_rate < _MIN_RATE:
            raise DdspError(f"f0: harvest needs {_MIN_RATE} Hz at least. Received: {sample_rate}")
        low, high = self.settings["f0_min_hz"], self.settings["f0_max_hz"]
        f0_hz, times_s = pyworld.harvest(
            audio.astype(np.float64), sample_rate, f0_floor=low, f0_ceil=high, frame_period=_STEP_MS
        )
        at = times_s * sample_rate
        heard = ~silent(audio, np.rint(at).astype(int), round(_WINDOW_S * sample_rate))
        guess_hz = np.where(heard, f0_hz, 0.0)
        voicing = (guess_hz > 0.0).astype(np.float64)
        return Instants(at, guess_hz, guess_hz > 0.0, voicing, voicing)
