"""Unit conversions in numpy: the definitions that the device uses too."""

from ddsp_edge.units import (
    LOUDNESS_FLOOR_DB,
    MIDI_MAX,
    amplitude_to_db,
    cents_between,
    db_to_amplitude,
    hz_to_midi,
    midi_to_hz,
    scale_f0,
    scale_loudness,
)

__all__ = [
    "LOUDNESS_FLOOR_DB",
    "MIDI_MAX",
    "amplitude_to_db",
    "cents_between",
    "db_to_amplitude",
    "hz_to_midi",
    "midi_to_hz",
    "scale_f0",
    "scale_loudness",
]
