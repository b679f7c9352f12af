"""What a host has to know of a voice, read from its card and checked."""

from dataclasses import dataclass
from typing import Any

from ddsp_edge.card import Card, Range, range_from
from ddsp_edge.errors import DdspError
from ddsp_edge.features.log_mel import N_MELS
from ddsp_edge.voice.speech_pitch import NAME as SPEECH_PITCH

TASK = "voice"
TRACKER = "PitchTracker"
"""How a card names `ddsp_edge.PitchTracker`; the other is `ddsp_edge.voice.speech_pitch.NAME`."""
INPUTS = ("log_mel", "f0_hz", "voiced", "loudness_db")
OUTPUTS = ("amplitude", "distribution", "harmonic_magnitudes", "noise_magnitudes")
MAX_AHEAD = 50
"""Frames of look-ahead that are believed."""


@dataclass(frozen=True)
class VoiceFacts:
    """What a card says of a voice.

    Args:
        ahead: Integer, frames by which content comes later than what is heard.
        pitch: What hears pitch, by its name; see `ddsp_edge.voice.tracking`.
        f0_min_hz: Lowest pitch that a `PitchTracker` looks for, Hz; a network knows its own range.
        f0_max_hz: Highest.
        f0_hz_range: Pitch of the training data.
        loudness_db_range: Its loudness.
        voices: Names of the voices; one that is empty where there is no choice.
        n_harmonics: Integer.
        n_bands: Integer.
    """

    ahead: int
    pitch: str
    f0_min_hz: float
    f0_max_hz: float
    f0_hz_range: Range
    loudness_db_range: Range
    voices: tuple[str, ...]
    n_harmonics: int
    n_bands: int


def facts_of(card: Card, origin: str) -> VoiceFacts:
    """Read a card.

    Raises:
        DdspError: If it is of another task, or something is missing or cannot be right.
    """
    if card.task != TASK:
        raise DdspError(f"{origin} holds a model of the task {card.task!r}, not a voice")
    about, pitch = card.about, card.extractors.get("f0_hz", {})
    ahead = about.get("lookahead_frames")
    if type(ahead) is not int or not 0 <= ahead <= MAX_AHEAD:
        raise DdspError(f"{origin}: its card does not tell lookahead_frames, 0 to {MAX_AHEAD}")
    name = pitch.get("name")
    if name not in (TRACKER, SPEECH_PITCH):
        raise DdspError(
            f"{origin}: f0_hz is heard by {TRACKER} or {SPEECH_PITCH} (extractors.f0_hz.name). Received: "
            f"{str(name)[:40]!r}"
        )
    limits = tuple(_number(pitch.get(name)) for name in ("f0_min_hz", "f0_max_hz"))
    if None in limits:
        raise DdspError(f"{origin}: its card does not tell the range of f0_hz (f0_min_hz, f0_max_hz)")
    low_hz, high_hz = (limit or 0.0 for limit in limits)
    f0_hz_range, loudness_db_range = (
        range_from(about.get(name, {}), name, origin) for name in ("f0_hz_range", "loudness_db_range")
    )
    if f0_hz_range.low <= 0.0:
        raise DdspError(f"{origin}: f0_hz_range in its card must be above 0: {f0_hz_range}")
    voices = about.get("voices", [])
    if not isinstance(voices, list) or not all(isinstance(name, str) for name in voices):
        raise DdspError(f"{origin}: voices in its card must be names")
    n_harmonics, n_bands = _sizes(card, len(voices), origin)
    return VoiceFacts(
        ahead=ahead,
        pitch=str(name),
        f0_min_hz=low_hz,
        f0_max_hz=high_hz,
        f0_hz_range=f0_hz_range,
        loudness_db_range=loudness_db_range,
        voices=tuple(voices) or ("",),
        n_harmonics=n_harmonics,
        n_bands=n_bands,
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _sizes(card: Card, voices: int, origin: str) -> tuple[int, int]:
    """Harmonics of the source, and bands of the filters."""
    wanted: dict[str, int | None] = {
        "log_mel": N_MELS,
        **dict.fromkeys(("f0_hz", "voiced", "loudness_db", "amplitude"), 1),
        **dict.fromkeys(("distribution", "harmonic_magnitudes", "noise_magnitudes")),
    }
    if voices > 1:
        wanted["voice"] = voices
    ports = {**card.inputs, **card.outputs}
    for name, size in wanted.items():
        port = ports.get(name)
        if port is None or len(port.shape) != 2 or size not in (None, port.shape[1]):
            raise DdspError(
                f"{origin}: {name} must have shape [1, {size or 'n'}]. "
                f"Received: {'none' if port is None else list(port.shape)}"
            )
    n_bands = ports["harmonic_magnitudes"].shape[1]
    if not 2 <= n_bands == ports["noise_magnitudes"].shape[1] <= 1025:
        raise DdspError(f"{origin}: both filters must have as many bands, 2 to 1025. Received: {n_bands}")
    return ports["distribution"].shape[1], n_bands
