"""Ranges of what a player sets, by field: a command line refuses what is beyond, playing holds to them."""

from operator import index
from typing import SupportsIndex

from ddsp_edge.errors import DdspError, did_you_mean

MAX_VOICES = 32
MAX_SHIFT_DB = 80.0
CONSONANTS = ("hold", "noise", "mute")
"""What may be played of a frame without a pitch: the pitch before it, as loud as the frame was; the
instrument's noise alone, as loud as that; nothing."""
_DECIBELS = (-MAX_SHIFT_DB, MAX_SHIFT_DB)
_SECONDS = (0.0, 20.0)

RANGES: dict[str, tuple[float, float]] = {
    "gain_db": _DECIBELS,
    "harmonic_db": _DECIBELS,
    "noise_db": _DECIBELS,
    "loudness_shift_db": _DECIBELS,
    "gate_db": _DECIBELS,
    "softest_db": _DECIBELS,
    "loudest_db": _DECIBELS,
    "reverb": (0.0, 1.0),
    "brightness": (-4.0, 4.0),
    "transposition": (-96.0, 96.0),
    "attack_s": _SECONDS,
    "decay_s": _SECONDS,
    "sustain_db": (-MAX_SHIFT_DB, 0.0),
    "release_s": _SECONDS,
    "glide_s": _SECONDS,
    "velocity_curve": (0.1, 10.0),
    "vibrato_semitones": (-24.0, 24.0),
    "vibrato_hz": (0.0, 50.0),
    "expression": (0.0, 1.0),
}
USUAL: dict[str, tuple[float, float]] = {
    "octaves": (-3, 3),
    "transposition": (-12.0, 12.0),
    "gain_db": (-24.0, 24.0),
    "harmonic_db": (-24.0, 24.0),
    "noise_db": (-24.0, 24.0),
    "loudness_shift_db": (-24.0, 24.0),
    "brightness": (-1.5, 1.5),
    "gate_db": (-80.0, 0.0),
    "sustain_db": (-40.0, 0.0),
    "attack_s": (0.0, 2.0),
    "decay_s": (0.0, 2.0),
    "release_s": (0.0, 2.0),
    "glide_s": (0.0, 1.0),
    "velocity_curve": (0.1, 3.0),
    "vibrato_semitones": (0.0, 2.0),
    "vibrato_hz": (0.0, 12.0),
}
"""What of a wide range a slider spans; a number that is typed may lie beyond."""


def check_whole(name: str, value: SupportsIndex) -> int:
    """Return a whole number from 0.

    Raises:
        DdspError: If it is none.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or index(value) < 0:
        raise DdspError(f"{name} must be a whole number from 0. Received: {value!r}")
    return index(value)


def check_range(name: str, value: float) -> float:
    """Return the value of a field.

    Raises:
        DdspError: If it is out of range, or no number.
    """
    low, high = RANGES[name]
    if not low <= value <= high:
        raise DdspError(f"{name} must be from {low:g} to {high:g}. Received: {value}")
    return value


def check_consonants(way: str) -> str:
    """Return a way to play what has no pitch.

    Raises:
        DdspError: If it is none of `CONSONANTS`.
    """
    if way not in CONSONANTS:
        raise DdspError(
            f"consonants must be one of {', '.join(CONSONANTS)}. Received: {way!r}."
            + did_you_mean(str(way), CONSONANTS)
        )
    return way
