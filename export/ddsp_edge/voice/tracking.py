"""What follows the pitch of whoever speaks: what the card of a voice names."""

from typing import Protocol

import numpy.typing as npt

from ddsp_edge.errors import DdspError
from ddsp_edge.features.pitch import PitchTracker
from ddsp_edge.frames import FrameSpec
from ddsp_edge.shipped import shipped_models
from ddsp_edge.units import Array
from ddsp_edge.voice.card import TRACKER, VoiceFacts
from ddsp_edge.voice.speech_pitch import open_speech_pitch

_SHIPPED = "pitch"


class Tracker(Protocol):
    """Follows the pitch of a stream: a `PitchTracker`, or a `SpeechPitch`.

    Attributes:
        latency_samples: Samples after the one that a frame stands for until its pitch is known.
    """

    latency_samples: int

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0."""

    def push(self, audio: npt.ArrayLike) -> tuple[Array, Array]:
        """Add samples `[n]`; return pitch, Hz, and voicing, 0 to 1, of the frames that are known now."""

    def flush(self) -> tuple[Array, Array]:
        """End the stream; return those of its last frames."""


def tracker_for(facts: VoiceFacts, spec: FrameSpec, runtime: str = "auto") -> Tracker:
    """The tracker that a voice asks for; the network is the one that comes along.

    Args:
        facts: The voice.
        spec: The frame grid.
        runtime: Of the network, `"auto"`, `"litert"` or `"numpy"`.

    Raises:
        DdspError: If the network has another grid, or cannot be used.
    """
    if facts.pitch == TRACKER:
        return PitchTracker(spec, facts.f0_min_hz, facts.f0_max_hz)
    tracker = open_speech_pitch(shipped_models()[_SHIPPED], runtime)
    if tracker.spec != spec:
        raise DdspError(
            f"the pitch of speech is heard at {tracker.spec.sample_rate} Hz in hops of {tracker.spec.hop}. "
            f"Received: a voice of {spec.sample_rate} Hz and {spec.hop}"
        )
    return tracker
