"""Who looks on while a recording is played: what was heard in it, and what the instrument was told."""

from collections.abc import Mapping
from typing import Protocol

from ddsp_edge.units import Array


class Watch(Protocol):
    """Is called in turn with frames that follow those before; nothing of it changes what is played."""

    def heard(self, f0_hz: Array, loudness_db: Array) -> None:
        """Take what was tracked: f0, 0 Hz where there is no pitch, and loudness, float32 `[frames]` each."""

    def told(self, f0_hz: Array, loudness_db: Array, controls: Mapping[str, Array]) -> None:
        """Take what the instrument was told, `[frames]`, and its controls `[frames, channels]` by name."""
