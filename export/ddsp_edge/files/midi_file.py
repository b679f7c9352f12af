"""The bytes of a Standard MIDI File as messages with their times.

mido, whose messages these are, reads such files too. It gives up on meta events that it cannot decode,
such as a key of nine sharps, and forgets how much time passes before those that it does not know. Of all
meta events only the tempo and the end of a track matter to a player, so the others are passed over here.
"""

import heapq
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

import mido

_END_OF_TRACK, _SET_TEMPO = 0x2F, 0x51
_SYSTEM_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}  # that follow a system message; none after the others


@dataclass(frozen=True)
class MidiFile:
    """A Standard MIDI File whose tracks are read while it plays, so that memory does not grow with them.

    Args:
        kind: 0 (one track), 1 (several that play together) or 2 (several patterns).
        ticks_per_beat: Ticks a quarter note; negative where time is counted in SMPTE frames.
        tracks: The bytes of each track.
    """

    kind: int
    ticks_per_beat: int
    tracks: tuple[bytes, ...]

    def messages(self) -> Iterator[tuple[int, mido.Message]]:
        """Yield the messages of all tracks with their ticks, in the order of time, then of tracks.

        Channel messages and tempi, and after them the one end of all tracks; nothing else.

        Raises:
            ValueError: If a track is damaged, when its damage is reached.
        """
        end = 0
        for tick, message in heapq.merge(*map(_messages, self.tracks), key=itemgetter(0)):
            end = tick
            if message.type != "end_of_track":
                yield tick, message
        yield end, mido.MetaMessage("end_of_track")


def read_midi_file(data: bytes) -> MidiFile:
    """Read the header and the chunks of a Standard MIDI File.

    Args:
        data: The whole file.

    Raises:
        ValueError: If the file is damaged there, or something else.
    """
    if not data.startswith(b"MThd"):
        raise ValueError("it does not begin with MThd" if data else "it is empty")
    source = _Bytes(data)
    _, header = source.chunk()
    kind, count, division = struct.unpack(">hhh", _Bytes(header).take(6))
    if kind not in (0, 1, 2):
        raise ValueError(f"it is of type {kind}, which does not exist")
    tracks = list[bytes]()
    while len(tracks) < count:
        name, body = source.chunk()
        if name == b"MTrk":  # others may stand between tracks
            tracks.append(body)
    return MidiFile(kind, division, tuple(tracks))


def _messages(track: bytes) -> Iterator[tuple[int, mido.Message]]:
    """The messages of a track with their ticks; ends with its end."""
    source = _Bytes(track)
    running: int | None = None
    tick = 0
    while not source.at_end:
        tick += source.variable()
        status = source.take(1)[0]
        if status == 0xFF:
            kind = source.take(1)[0]
            body = source.take(source.variable())
            if kind == _END_OF_TRACK:
                break
            if kind == _SET_TEMPO and len(body) == 3:
                yield tick, mido.MetaMessage("set_tempo", tempo=int.from_bytes(body, "big"))
        elif status in (0xF0, 0xF7):  # system exclusive
            source.take(source.variable())
        elif status > 0xF0:
            source.take(_SYSTEM_BYTES.get(status, 0))
        else:
            first = b""
            if status < 0x80:
                if running is None:
                    raise ValueError(f"data byte 0x{status:02x} stands where a message should begin")
                first, status = bytes([status]), running
            running = status
            size = 1 if status >> 4 in (0xC, 0xD) else 2  # program change, channel pressure
            values = first + source.take(size - len(first))
            if max(values) > 127:
                raise ValueError(f"data byte 0x{max(values):02x} is above 0x7f")
            yield tick, mido.Message.from_bytes([status, *values])
    yield tick, mido.MetaMessage("end_of_track")


class _Bytes:
    """Bytes that are taken one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._data)

    def take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise ValueError("it breaks off")
        self._at += count
        return taken

    def variable(self) -> int:
        """A length or time, seven bits a byte, in at most four bytes."""
        value = 0
        for _ in range(4):
            byte = self.take(1)[0]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        raise ValueError("a length or time has more than four bytes")

    def chunk(self) -> tuple[bytes, bytes]:
        name, size = struct.unpack(">4sL", self.take(8))
        return name, self.take(size)
