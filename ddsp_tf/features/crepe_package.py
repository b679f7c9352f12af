"""CREPE through its authors' package, where that is installed."""

import importlib.util
from importlib import metadata
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.features.crepe import MEMORY_MIB, SAMPLE_RATE, VOICED_FROM
from ddsp_tf.features.crepe_weights import WINDOW
from ddsp_tf.features.f0_grid import EstimatorInPieces, Instants, silent, voicing_from

_STEP = 160  # samples at 16 kHz: 10 ms


class CrepePackageEstimator(EstimatorInPieces):
    """`crepe.predict` every 10 ms, Viterbi-smoothed, interpolated onto the frame grid.

    Args:
        f0_min_hz: Lowest fundamental frequency kept, Hz; lower ones count as unvoiced.
        f0_max_hz: Highest fundamental frequency kept, Hz.
        capacity: Capacity of the network, `"tiny"` to `"full"`.

    Raises:
        DdspError: If the package is not installed.
    """

    name = "crepe"
    context_seconds = 0.5
    parallel = True

    def __init__(self, f0_min_hz: float = 55.0, f0_max_hz: float = 2000.0, capacity: str = "full") -> None:
        if importlib.util.find_spec("crepe") is None:
            raise DdspError(
                "f0: crepe needs published weights (--crepe-weights model-tiny.h5.bz2) or the crepe "
                'package (pip install ".[train,crepe]" in a checkout of ddsp_tf); f0: pyin needs neither'
            )
        self.settings: dict[str, Any] = {
            "f0_min_hz": f0_min_hz,
            "f0_max_hz": f0_max_hz,
            "implementation": "crepe package",
            "capacity": capacity,
            "package_version": _version(),
            "voiced_from": VOICED_FROM,
            "step_seconds": _STEP / SAMPLE_RATE,
        }

    def memory_mib(self, seconds: float) -> float:
        """See `F0Estimator`; it has TensorFlow, too."""
        return MEMORY_MIB

    def _analyse(self, audio: Array, sample_rate: int) -> Instants:
        import crepe
        import soxr

        sound = soxr.resample(audio, sample_rate, SAMPLE_RATE).astype(np.float32)
        # The package wants one whole window; its windows are centred on multiples of the step.
        sound = np.pad(sound, (0, max(0, WINDOW - len(sound))))
        _, f0_hz, confidence, _ = crepe.predict(
            sound,
            SAMPLE_RATE,
            model_capacity=self.settings["capacity"],
            viterbi=True,
            center=True,
            step_size=1000 * _STEP // SAMPLE_RATE,
            verbose=0,
        )
        centres = np.arange(len(f0_hz)) * _STEP
        confidence = np.where(silent(sound, centres, WINDOW), 0.0, confidence)
        heard = (f0_hz >= self.settings["f0_min_hz"]) & (f0_hz <= self.settings["f0_max_hz"])
        confidence = np.where(heard, confidence, 0.0)
        voicing = voicing_from(confidence, VOICED_FROM)
        return Instants(
            centres * (sample_rate / SAMPLE_RATE),
            np.where(heard, f0_hz, 0.0),
            confidence >= VOICED_FROM,
            voicing,
            confidence,
        )


def _version() -> str:
    try:
        return metadata.version("crepe")
    except metadata.PackageNotFoundError:
        return "unknown"
