"""The network that voices hear pitch by, as an estimator: they are trained on what they are told later."""

import hashlib
from typing import Any

import numpy as np
import soxr

from ddsp_edge.features.pitch import VOICED
from ddsp_edge.shipped import shipped_models
from ddsp_edge.units import Array
from ddsp_edge.voice.speech_pitch import VOICED_FROM, open_speech_pitch
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0_grid import PIECE_SECONDS, EstimatorInPieces, Instants, silent

SPEECH_HZ = 60.0, 500.0
"""Lowest and highest pitch that the network knows, Hz."""

_MODEL = "pitch"
_WINDOW_S = 0.05  # whose level says whether there is anything to be heard


class SpeechEstimator(EstimatorInPieces):
    """The shipped network `pitch` every 8 ms, interpolated onto the frame grid; it hears 16 kHz.

    Args:
        f0_min_hz: Lowest fundamental frequency kept, Hz; the network knows 60 Hz and up.
        f0_max_hz: Highest, Hz; the network knows 500 Hz and down.

    Raises:
        DdspError: If it knows nothing of that range.
    """

    name = "speech"
    context_seconds = 1.0
    parallel = False

    def __init__(self, f0_min_hz: float = SPEECH_HZ[0], f0_max_hz: float = SPEECH_HZ[1]) -> None:
        low, high = max(f0_min_hz, SPEECH_HZ[0]), min(f0_max_hz, SPEECH_HZ[1])
        if not low < high:
            raise DdspError(
                f"f0: speech knows {SPEECH_HZ[0]:g} to {SPEECH_HZ[1]:g} Hz alone. Received: f0_min_hz "
                f"{f0_min_hz:g}, f0_max_hz {f0_max_hz:g}"
            )
        self.settings: dict[str, Any] = {
            "f0_min_hz": low,
            "f0_max_hz": high,
            "voiced_from": VOICED_FROM,
            "model_sha256": hashlib.sha256(shipped_models()[_MODEL].read_bytes()).hexdigest(),
        }

    def memory_mib(self, seconds: float) -> float:
        """See `F0Estimator`; 87 MiB were measured for 31 s, 95 for 93 s."""
        return 60.0 + 1.5 * (min(seconds, PIECE_SECONDS) + 2.0 * self.context_seconds)

    def _analyse(self, audio: Array, sample_rate: int) -> Instants:
        tracker = open_speech_pitch(shipped_models()[_MODEL])
        rate, hop = tracker.spec.sample_rate, tracker.spec.hop
        heard_as = audio if sample_rate == rate else soxr.resample(audio, sample_rate, rate)
        padded = np.pad(heard_as, (0, -len(heard_as) % hop))
        parts = zip(tracker.push(padded), tracker.flush(), strict=True)
        guess_hz, voicing = (np.concatenate(part).astype(np.float64) for part in parts)
        at = (np.arange(len(guess_hz)) + 1.0) * hop * sample_rate / rate
        heard = ~silent(audio, np.rint(at).astype(int), round(_WINDOW_S * sample_rate))
        low, high = self.settings["f0_min_hz"], self.settings["f0_max_hz"]
        inside = heard & (guess_hz >= low) & (guess_hz <= high)
        guess_hz, voicing = np.where(inside, guess_hz, 0.0), np.where(inside, voicing, 0.0)
        return Instants(at, guess_hz, voicing >= VOICED, voicing, voicing)
