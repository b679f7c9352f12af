"""SwiftF0, a small convolutional network that comes with its weights: the extra `[swift]`.

L. Nieradzik, "SwiftF0: Fast and Accurate Monophonic Pitch Detection", arXiv:2508.18440, 2025.
"""

import importlib.util
from importlib import metadata
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0_grid import PIECE_SECONDS, EstimatorInPieces, Instants, silent, voicing_from
from ddsp_tf.features.period import refine_f0

_RATE, _HOP = 16_000, 256  # what the network was trained for
_VOICED_FROM = 0.5  # its authors' calibration
_WINDOW = 1024  # samples that the refinement looks at: 3.5 periods of 55 Hz
_REACH_CENTS = 40.0  # its resolution is a pitch step of 71 cents, interpolated


def swift_f0_is_installed() -> bool:
    """Whether the package is there."""
    return importlib.util.find_spec("swift_f0") is not None


class SwiftF0Estimator(EstimatorInPieces):
    """SwiftF0 every 16 ms, refined by the autocorrelation, interpolated onto the frame grid.

    Args:
        f0_min_hz: Lowest fundamental frequency kept, Hz; the network knows 46.9 Hz and up.
        f0_max_hz: Highest fundamental frequency kept, Hz; the network knows 2093 Hz and down.

    Raises:
        DdspError: If the package is not installed.
    """

    name = "swift-f0"
    context_seconds = 0.5
    parallel = False

    def __init__(self, f0_min_hz: float = 55.0, f0_max_hz: float = 2000.0) -> None:
        if not swift_f0_is_installed():
            raise DdspError(
                'f0: swift-f0 needs its package (pip install ".[train,swift]" in a checkout of ddsp_tf); '
                "f0: pyin needs none"
            )
        self.settings: dict[str, Any] = {
            "f0_min_hz": f0_min_hz,
            "f0_max_hz": f0_max_hz,
            "package_version": metadata.version("swift-f0"),
            "voiced_from": _VOICED_FROM,
            "step_seconds": _HOP / _RATE,
            "refined": True,
        }
        self._detector: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """A process pool carries the settings; each process opens the network itself."""
        return {**self.__dict__, "_detector": None}

    def memory_mib(self, seconds: float) -> float:
        """See `F0Estimator`; 193 MiB were measured for 15 s, 325 for pieces as long as they may be."""
        return 40.0 + 9.0 * (min(seconds, PIECE_SECONDS) + 2.0 * self.context_seconds)

    def _analyse(self, audio: Array, sample_rate: int) -> Instants:
        import soxr
        import swift_f0

        # One thread, asleep between calls: `prepare` runs as many processes as there are cores.
        self._detector = self._detector or swift_f0.SwiftF0(threads=1, spin=False)
        sound = soxr.resample(audio - np.mean(audio), sample_rate, _RATE).astype(np.float32)
        low, high = self.settings["f0_min_hz"], self.settings["f0_max_hz"]
        found = self._detector.detect(np.pad(sound, (0, _HOP)), _RATE, fmin=low, fmax=high)
        centres = np.arange(len(found.pitch_hz)) * _HOP
        heard = ~silent(sound, centres, _WINDOW)
        guess_hz, _ = refine_f0(
            sound, _RATE, centres, _WINDOW, np.where(heard, found.pitch_hz, 0.0), _REACH_CENTS
        )
        confidence = np.where(heard, found.confidence, 0.0)
        voicing = voicing_from(confidence, _VOICED_FROM)
        return Instants(
            centres * (sample_rate / _RATE), guess_hz, confidence >= _VOICED_FROM, voicing, confidence
        )
