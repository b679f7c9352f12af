"""Whole files through an instrument: a recording, or a MIDI file."""

from ddsp_edge.render.render import (
    MIDI_ENDINGS,
    Progress,
    RenderReport,
    instrument_for_files,
    render_audio,
    render_midi,
)

__all__ = [
    "MIDI_ENDINGS",
    "Progress",
    "RenderReport",
    "instrument_for_files",
    "render_audio",
    "render_midi",
]
