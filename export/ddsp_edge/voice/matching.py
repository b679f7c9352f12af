"""How the pitch and the level of whoever speaks become those of the voice that is heard."""

from dataclasses import dataclass

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.voice.card import VoiceFacts
from ddsp_edge.voice.voice_range import VoiceRange

KEEP, MATCH = "keep", "match"
MAX_SEMITONES = 48.0


@dataclass(frozen=True)
class Shift:
    """What is added to pitch and loudness.

    Args:
        semitones: To the pitch.
        loudness_db: To the loudness.
    """

    semitones: float = 0.0
    loudness_db: float = 0.0

    @classmethod
    def towards(cls, facts: VoiceFacts, heard: VoiceRange, pitch: str | float) -> "Shift":
        """What brings somebody to a voice.

        Args:
            facts: The voice.
            heard: Whoever speaks.
            pitch: `"keep"`, `"match"` for the median pitch of the voice, or semitones.
        """
        if pitch == MATCH:
            own = heard.median_hz
            semitones = 0.0 if own is None else 12.0 * float(np.log2(facts.f0_hz_range.median / own))
        else:
            semitones = 0.0 if pitch == KEEP else float(pitch)
        loud = heard.loud_db
        level = 0.0 if loud is None else facts.loudness_db_range.high - loud
        return cls(semitones, level)


def pitch_setting(text: str) -> str | float:
    """Read `keep`, `match` or a number of semitones.

    Raises:
        DdspError: If it is none of them, or out of range.
    """
    if text in (KEEP, MATCH):
        return text
    try:
        semitones = float(text)
    except ValueError:
        semitones = np.nan
    if not -MAX_SEMITONES <= semitones <= MAX_SEMITONES:
        raise DdspError(
            f"pitch must be keep, match, or semitones from {-MAX_SEMITONES:g} to {MAX_SEMITONES:g}. "
            f"Received: {text!r}"
        )
    return semitones
