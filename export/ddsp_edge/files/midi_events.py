"""The bytes of a track of a Standard MIDI File as events.

mido, whose messages these become, reads such files too. It gives up on meta events that it cannot decode,
such as a key of nine sharps, and forgets how much time passes before those that it does not know. Of all
meta events only the tempo and the end of a track matter to a player, so the others are passed over here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import mido

_END_OF_TRACK, _SET_TEMPO = 0x2F, 0x51
_SYSTEM_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}  # that follow a system message; none after the others


class BreaksOff(ValueError):
    """The bytes end in the middle of an event."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a track.

    Args:
        tick: Time since the track began.
        data: The bytes of a channel message, with its status; else the kind of a meta event and its data.
        meta: Whether it is a meta event.
        end: Index of the byte that follows.
    """

    tick: int
    data: bytes
    meta: bool
    end: int

    @property
    def ends_track(self) -> bool:
        """Whether it is the last one of its track."""
        return self.meta and self.data[0] == _END_OF_TRACK

    @property
    def message(self) -> mido.Message | mido.MetaMessage | None:
        """The message, if it is of a channel, a tempo, or the end of the track."""
        if not self.meta:
            return mido.Message.from_bytes(self.data) if self.data else None
        if self.ends_track:
            return mido.MetaMessage("end_of_track")
        if self.data[0] == _SET_TEMPO and len(self.data) == 4:
            return mido.MetaMessage("set_tempo", tempo=int.from_bytes(self.data[1:], "big"))
        return None


def events(data: bytes, start: int = 0, limit: int | None = None) -> Iterator[Event]:
    """Yield the events of a track, each byte of which is checked; system messages as events without data.

    A status holds on across meta and system events, which the standard has end it, for files that rely on it.

    Args:
        data: Bytes in which the track stands.
        start: Index of its first byte.
        limit: Index at which it ends; None for the end of the data.

    Raises:
        BreaksOff: If it ends in the middle of an event.
        ValueError: If it is damaged.
    """
    source = _Bytes(data, start, len(data) if limit is None else limit)
    running: int | None = None
    tick = 0
    while not source.at_end:
        tick += source.variable()
        status = source.byte()
        if status == 0xFF:
            kind = source.take(1)
            yield Event(tick, kind + source.take(source.variable()), True, source.at)
        elif status in (0xF0, 0xF7):  # system exclusive
            source.skip(source.variable())
            yield Event(tick, b"", False, source.at)
        elif status > 0xF0:
            source.skip(_SYSTEM_BYTES.get(status, 0))
            yield Event(tick, b"", False, source.at)
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
            yield Event(tick, bytes([status]) + values, False, source.at)


class _Bytes:
    """Bytes that are taken one after the other."""

    def __init__(self, data: bytes, at: int, limit: int) -> None:
        self._data = data
        self._limit = limit
        self.at = at

    @property
    def at_end(self) -> bool:
        return self.at >= self._limit

    def byte(self) -> int:
        self.skip(1)
        return self._data[self.at - 1]

    def skip(self, count: int) -> None:
        if self.at + count > self._limit:
            raise BreaksOff("it breaks off")
        self.at += count

    def take(self, count: int) -> bytes:
        self.skip(count)
        return self._data[self.at - count : self.at]

    def variable(self) -> int:
        """A length or time, seven bits a byte, in at most four bytes."""
        value = 0
        for _ in range(4):
            byte = self.byte()
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        raise ValueError("a length or time has more than four bytes")
