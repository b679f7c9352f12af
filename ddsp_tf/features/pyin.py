"""pYIN, by librosa: works everywhere, no weights.

M. Mauch and S. Dixon, "pYIN: A fundamental frequency estimator using probabilistic threshold
distributions", ICASSP 2014.
"""

import warnings
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.caches import use_writable_caches
from ddsp_tf.features.f0_grid import PIECE_SECONDS, EstimatorInPieces, Instants, silent
from ddsp_tf.features.period import refine_f0

_HOP_SECONDS = 0.008
# The cost of the Viterbi path grows with the square of the number of pitches: six times less than at
# librosa's 10 cents, and the autocorrelation finds what lies between two of them.
_RESOLUTION_CENTS = 20.0


class PyinEstimator(EstimatorInPieces):
    """Probabilistic YIN on frames 8 ms apart, interpolated onto the frame grid.

    Args:
        f0_min_hz: Lowest fundamental frequency looked for, Hz.
        f0_max_hz: Highest fundamental frequency looked for, Hz.
    """

    name = "pyin"
    context_seconds = 1.0  # the Viterbi path has forgotten its past by then
    parallel = False

    def __init__(self, f0_min_hz: float = 55.0, f0_max_hz: float = 2000.0) -> None:
        # YIN's dips lie between lags: at 8 samples a period the octave below wins now and then.
        rate = min(48_000, max(16_000, round(12 * f0_max_hz)))
        # 3.5 of the longest periods: YIN needs two, and the autocorrelation's taper takes one more.
        frame_length = 64 * round(3.5 * rate / f0_min_hz / 64)
        self.settings: dict[str, Any] = {
            "f0_min_hz": f0_min_hz,
            "f0_max_hz": f0_max_hz,
            "sample_rate": rate,
            "hop": round(_HOP_SECONDS * rate),
            "frame_length": frame_length,
            "resolution_cents": _RESOLUTION_CENTS,
            "refined": True,
        }
        use_writable_caches()

    def memory_mib(self, seconds: float) -> float:
        """See `F0Estimator`.

        240 with librosa and numba loaded, and 21 bytes a sample of all windows of a piece together, which is
        what was measured with default and with the widest settings.
        """
        windows = (min(seconds, PIECE_SECONDS) + 2.0 * self.context_seconds) / _HOP_SECONDS
        return 240.0 + 21.0 * windows * self.settings["frame_length"] / 2**20

    def _analyse(self, audio: Array, sample_rate: int) -> Instants:
        import librosa
        import soxr

        rate, hop = self.settings["sample_rate"], self.settings["hop"]
        frame_length = self.settings["frame_length"]
        # A constant is periodic at every lag.
        sound = soxr.resample(audio - np.mean(audio), sample_rate, rate).astype(np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numba on its own compilation: nothing a user can act on
            f0_hz, voiced, voicing = librosa.pyin(
                sound,
                fmin=self.settings["f0_min_hz"],
                fmax=self.settings["f0_max_hz"],
                sr=rate,
                frame_length=frame_length,
                hop_length=hop,
                resolution=self.settings["resolution_cents"] / 100.0,
                fill_na=None,  # unvoiced frames have a guess
            )
        centres = np.arange(len(f0_hz)) * hop
        heard = np.isfinite(f0_hz) & ~silent(sound, centres, frame_length)
        coarse = np.where(heard, f0_hz, 0.0)
        guess_hz, periodicity = refine_f0(sound, rate, centres, frame_length, coarse, _RESOLUTION_CENTS)
        pitched = voiced & heard
        # The path decides, with what is before and after; the probability is of the frame alone.
        probability = np.where(pitched, np.maximum(voicing, 0.5), np.minimum(voicing, 0.499)) * heard
        return Instants(centres * (sample_rate / rate), guess_hz, pitched, probability, periodicity)
