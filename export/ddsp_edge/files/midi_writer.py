"""Standard MIDI Files out: type 1, a track for each part."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ddsp_edge.atomic import written_whole
from ddsp_edge.errors import DdspError

TICKS_PER_BEAT = 480
TEMPO_US = 500_000  # a beat: 120 beats a minute, so that a tick is about a millisecond
_DRUMS = 9  # channel 10, counted from 0
_BEND_RANGE = 2.0  # semitones, what General MIDI has unless it is told otherwise


@dataclass(frozen=True)
class MidiNote:
    """A note of a part.

    Args:
        onset_s: When it begins, seconds.
        offset_s: When it ends, seconds.
        pitch: Integer, MIDI note.
        velocity: Integer, 1 to 127.
        bends: Pairs of seconds and semitones, at most 2 up or down.
    """

    onset_s: float
    offset_s: float
    pitch: int
    velocity: int
    bends: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class MidiPart:
    """A part, which becomes a track.

    Args:
        name: Its name.
        program: Integer, program of General MIDI, counted from 0.
        notes: Its notes.
    """

    name: str
    program: int
    notes: Sequence[MidiNote]


def write_midi(path: str | Path, parts: Sequence[MidiPart]) -> None:
    """Write parts as a Standard MIDI File of type 1, beside and renamed.

    Each part has a track and a channel of its own; channel 10, which is for drums, is left out, and after 15
    parts channels come again.

    Raises:
        DdspError: If the file cannot be written, or a note is none.
    """
    path = Path(path)
    first = _track([(0, b"\xff\x51\x03" + TEMPO_US.to_bytes(3, "big"))])
    channels = [channel for channel in range(16) if channel != _DRUMS]
    tracks = [first, *(_part(part, channels[i % len(channels)]) for i, part in enumerate(parts))]
    header = b"MThd" + struct.pack(">LHHH", 6, 1, len(tracks), TICKS_PER_BEAT)
    try:
        with written_whole(path) as beside:
            beside.write_bytes(header + b"".join(tracks))
    except OSError as error:
        raise DdspError(f"{path} cannot be written: {error.strerror}") from error


def _part(part: MidiPart, channel: int) -> bytes:
    name = part.name.encode("utf-8", "replace")
    events = [
        (0, 0, b"\xff\x03" + _length(len(name)) + name),
        (0, 1, bytes([0xC0 | channel, part.program & 0x7F])),
    ]
    sounding: dict[int, int] = {}  # tick at which the last note of a pitch ends
    for note in sorted(part.notes, key=lambda note: (note.onset_s, note.pitch)):
        whole = 0 <= note.pitch <= 127 and 1 <= note.velocity <= 127
        if not (whole and 0.0 <= note.onset_s < note.offset_s):
            raise DdspError(
                f"a MIDI note must have a pitch and a velocity of MIDI, and last. Received: {note}"
            )
        begin, end = _tick(note.onset_s), _tick(note.offset_s)
        begin = max(begin, sounding.get(note.pitch, 0))  # a key is let go before it is struck again
        end = max(end, begin + 1)
        sounding[note.pitch] = end
        for seconds, semitones in note.bends:
            value = round(8192 * (1.0 + max(-1.0, min(1.0, semitones / _BEND_RANGE))))
            value = min(value, 16383)
            at = min(max(_tick(seconds), begin), end)
            events.append((at, 2, bytes([0xE0 | channel, value & 0x7F, value >> 7])))
        # At one tick: what ends, then bends, then what begins.
        events.append((begin, 3, bytes([0x90 | channel, note.pitch, note.velocity])))
        events.append((end, 1, bytes([0x80 | channel, note.pitch, 64])))
    return _track([(tick, data) for tick, _, data in sorted(events, key=lambda event: event[:2])])


def _track(events: Sequence[tuple[int, bytes]]) -> bytes:
    data, before = bytearray(), 0
    for tick, event in events:
        data += _length(tick - before) + event
        before = tick
    data += b"\x00\xff\x2f\x00"
    return b"MTrk" + struct.pack(">L", len(data)) + bytes(data)


def _tick(seconds: float) -> int:
    return round(seconds * 1e6 / TEMPO_US * TICKS_PER_BEAT)


def _length(value: int) -> bytes:
    """A number in as many bytes as it needs, seven bits each."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(0x80 | (value & 0x7F))
    return bytes(reversed(out))
