"""Who plays in a Standard MIDI File: a part for each channel of each track."""

from dataclasses import dataclass

from ddsp_edge.files.midi_events import events
from ddsp_edge.files.midi_file import MidiFile, Place

DRUMS = 9  # channel 10, counted from 0
_TRACK_NAME, _INSTRUMENT_NAME = 0x03, 0x04
_PAN, _CENTRE = 10, 64


@dataclass
class Part:
    """What one player has in a piece.

    Args:
        place: Track and channel, counted from 0.
        name: Of the track, or of its instrument, as the file has it; may be empty.
        program: Integer, the first program of General MIDI that is called for, 0 to 127; None for none.
        pan: From -1 (left) to 1 (right), as first set; None where it is not.
        notes: Integer, how many notes there are.
    """

    place: Place
    name: str = ""
    program: int | None = None
    pan: float | None = None
    notes: int = 0


def parts_of(file: MidiFile) -> tuple[list[Part], int]:
    """The parts that have notes, in the order of tracks and channels, without drums; and notes of drums."""
    parts = list[Part]()
    drums = 0
    programs, pans = dict[int, int](), dict[int, float]()  # by channel: a track of its own may set them
    for track, data in enumerate(file.tracks):
        name, found = "", dict[int, Part]()
        for event in events(data):
            if event.ends_track:
                break
            if event.meta:
                if event.data[0] in (_TRACK_NAME, _INSTRUMENT_NAME) and not name:
                    name = event.data[1:].decode("utf-8", "replace").strip("\0 ")
                continue
            if not event.data:
                continue
            kind, channel, first, *rest = event.data[0] >> 4, event.data[0] & 0xF, *event.data[1:]
            if kind == 0xC:
                programs.setdefault(channel, first)
            elif kind == 0xB and first == _PAN:
                pans.setdefault(channel, max(-1.0, (rest[0] - _CENTRE) / (127 - _CENTRE)))
            elif kind == 0x9 and rest[0]:
                found.setdefault(channel, Part((track, channel))).notes += 1
        for channel in sorted(found):
            if channel == DRUMS:
                drums += found[channel].notes
                continue
            found[channel].name = name
            parts.append(found[channel])
    for part in parts:
        part.program, part.pan = programs.get(part.place[1]), pans.get(part.place[1])
    return parts, drums
