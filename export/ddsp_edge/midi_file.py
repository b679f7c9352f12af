"""The bytes of a Standard MIDI File as messages with their times.

mido, whose messages these are, reads such files too. It gives up on meta events that it cannot decode,
such as a key of nine sharps, and forgets how much time passes before those that it does not know. Of all
meta events only the tempo and the end of a track matter to a player, so the others are passed over here.
"""

import struct

import mido

_END_OF_TRACK, _SET_TEMPO = 0x2F, 0x51
_SYSTEM_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}  # that follow a system message; none after the others


def read_midi_file(data: bytes) -> mido.MidiFile:
    """Read a Standard MIDI File.

    Args:
        data: The whole file.

    Returns:
        Channel messages, tempi and the ends of tracks; nothing else.

    Raises:
        ValueError: If the file is damaged, or something else.
    """
    source = _Bytes(data)
    name, header = source.chunk()
    if name != b"MThd":
        raise ValueError("it does not begin with MThd")
    kind, count, division = struct.unpack(">hhh", _Bytes(header).take(6))
    if kind not in (0, 1, 2):
        raise ValueError(f"it is of type {kind}, which does not exist")
    score = mido.MidiFile(type=kind, ticks_per_beat=division)
    while len(score.tracks) < count:
        name, body = source.chunk()
        if name == b"MTrk":  # others may stand between tracks
            score.tracks.append(_track(_Bytes(body)))
    return score


def _track(source: "_Bytes") -> mido.MidiTrack:
    track = mido.MidiTrack()
    running: int | None = None
    elapsed = 0  # ticks since the last message kept
    while not source.at_end:
        elapsed += source.variable()
        status = source.take(1)[0]
        message = None
        if status == 0xFF:
            kind = source.take(1)[0]
            body = source.take(source.variable())
            if kind == _END_OF_TRACK:
                break
            if kind == _SET_TEMPO and len(body) == 3:
                message = mido.MetaMessage("set_tempo", tempo=int.from_bytes(body, "big"))
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
            message = mido.Message.from_bytes([status, *values])
        if message is not None:
            message.time, elapsed = elapsed, 0
            track.append(message)
    track.append(mido.MetaMessage("end_of_track", time=elapsed))
    return track


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
