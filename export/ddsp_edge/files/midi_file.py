"""A Standard MIDI File: its header, its tracks, and the order of their messages.

What is there is read. Counts and lengths that the file has wrong are told as warnings: they are hints, and
each track says itself where it ends.
"""

import heapq
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import mido

from ddsp_edge.files.midi_events import BreaksOff, Event, events

Timed = tuple[int, mido.Message]
"""A tick and a message."""

Place = tuple[int, int]
"""A track and a channel, both counted from 0."""

MAX_TRACKS = 65_535  # the most that a header can count
_USUAL_DIVISION = 480  # ticks a beat
_DROP_FRAME = Fraction(30_000, 1_001)  # frames a second, told as 29
_FRAME_RATES = (24, 25, 29, 30)
_USUAL_FRAME_TICKS = 40  # of 25 frames a second: a millisecond each


@dataclass(frozen=True)
class MidiFile:
    """A Standard MIDI File whose tracks are read while it plays, so that memory does not grow with them.

    Args:
        kind: 0 (one track), 1 (several that play together) or 2 (several patterns, one after the other).
        ticks_per_beat: Ticks a quarter note; 0 where time is counted in SMPTE frames.
        tracks: The bytes of each track, up to its end.
        ticks_per_second: Where time is counted in SMPTE frames; else None.
        warnings: What was wrong with it, one line each.
        only: The place whose messages are heard, and no others; None for all.
    """

    kind: int
    ticks_per_beat: int
    tracks: tuple[bytes, ...]
    ticks_per_second: Fraction | None = None
    warnings: tuple[str, ...] = field(default=(), compare=False)
    only: Place | None = None

    def messages(self) -> Iterator[Timed]:
        """Yield the messages of all tracks with their ticks, in the order of time.

        Of messages at one tick, all that stand before the first key struck in their track come first, so that
        of tracks that hand a key over to each other the order does not matter; else the order is that of the
        tracks. Channel messages and tempi, and after them the end of all tracks, or of each of type 2;
        nothing else.
        """
        if self.kind != 2:
            yield from _together([_Line(track, self._channels(i)) for i, track in enumerate(self.tracks)])
            return
        begins = 0
        for number, track in enumerate(self.tracks):
            tick = 0
            for tick, message in _together([_Line(track, self._channels(number))]):
                yield begins + tick, message
            begins += tick

    def _channels(self, track: int) -> range:
        """Channels that are heard of a track."""
        if self.only is None:
            return range(16)
        return range(self.only[1], self.only[1] + 1) if track == self.only[0] else range(0)


def read_midi_file(data: bytes) -> MidiFile:
    """Read the header and the chunks of a Standard MIDI File, and check every byte of its tracks.

    Args:
        data: The file, from its header on.

    Raises:
        ValueError: If the file is damaged, or something else.
    """
    if not data.startswith(b"MThd"):
        raise ValueError("it does not begin with MThd" if data else "it is empty")
    if len(data) < 14:
        raise ValueError("it breaks off in its header")
    size, kind, count, division = struct.unpack(">LHHH", data[4:14])
    warnings = list[str]()
    if kind > 2:
        warnings.append(f"it says that it is of type {kind}, which does not exist, and is read as type 1")
        kind = 1
    first = 8 + size
    if size < 6 or not (_chunk_stands_at(data, first) or first == len(data)):
        first = 14
    if size != first - 8:
        warnings.append(f"its header has another length than the {size} bytes that it says")
    tracks = _tracks(data, first, warnings)
    if len(tracks) != count:
        warnings.append(f"its header counts {count} tracks, {len(tracks)} are there")
    beat, second = _division(division, warnings)
    return MidiFile(kind, beat, tuple(tracks), second, tuple(warnings))


def _division(division: int, warnings: list[str]) -> tuple[int, Fraction | None]:
    """Ticks a beat, or 0 and ticks a second."""
    if division < 0x8000:
        if division == 0:
            warnings.append(f"it says that a beat has 0 ticks; {_USUAL_DIVISION} are taken")
        return division or _USUAL_DIVISION, None
    frames, ticks = 256 - (division >> 8), division & 0xFF
    if frames not in _FRAME_RATES:
        warnings.append(f"it counts {frames} frames a second, which no film does")
    if ticks == 0:
        warnings.append(f"it says that a frame has 0 ticks; {_USUAL_FRAME_TICKS} are taken")
    return 0, (_DROP_FRAME if frames == 29 else Fraction(frames)) * (ticks or _USUAL_FRAME_TICKS)


def _tracks(data: bytes, at: int, warnings: list[str]) -> list[bytes]:
    """The tracks among the chunks that begin at an index; others may stand between them."""
    tracks = list[bytes]()
    while at < len(data):
        if data.startswith(b"MThd", at):
            warnings.append("a second file follows in it, and is left out")
            break
        if data.startswith(b"MTrk", at) and at + 8 <= len(data):
            if len(tracks) == MAX_TRACKS:
                raise ValueError(f"it has more than {MAX_TRACKS} tracks")
            size = int.from_bytes(data[at + 4 : at + 8], "big")
            end, following, wrong = _extent(data, at + 8, size)
            warnings.extend(f"track {len(tracks) + 1} {words}" for words in wrong)
            tracks.append(data[at + 8 : end])
            at = following
        elif _chunk_stands_at(data, at):
            at += 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        else:
            at = data.find(b"MTrk", at + 1)
            if at < 0:
                break
    return tracks


def _extent(data: bytes, start: int, size: int) -> tuple[int, int, list[str]]:
    """Where a track ends, where the next chunk may begin, and what is wrong.

    The length of the track is believed where another chunk follows there, or nothing.
    """
    declared = start + size
    believed = declared == len(data) or _chunk_stands_at(data, declared)
    end, ends, breaks_off, meets_track = start, False, False, False
    try:
        for event in events(data, start, declared if believed else len(data)):
            meets_track = not believed and data.startswith(b"MTrk", end)
            if meets_track:
                break  # what was read as an event is the next track
            end, ends = event.end, event.ends_track
            if ends:
                break
    except ValueError as error:
        meets_track = not believed and data.startswith(b"MTrk", end)
        breaks_off = isinstance(error, BreaksOff) and not meets_track
        if not (breaks_off or meets_track):
            raise
    believed = believed or (ends and end == declared)  # whatever follows it
    swallows = believed and ends and data.find(b"MTrk", end, declared) >= 0
    wrong, following = list[str](), declared if believed else end
    if breaks_off or (declared > len(data) and not (ends or meets_track)):
        wrong.append("breaks off: what is there is played")
    elif not believed or swallows:
        wrong.append(f"has another length than the {size} bytes that it says")
        following = end
    elif ends and data[end:declared].strip(b"\0"):
        wrong.append(f"goes on for {declared - end} bytes after its end, which are left out")
    return end, following, wrong


def _chunk_stands_at(data: bytes, at: int) -> bool:
    """Whether a chunk begins at an index: a track, or a name of letters and a length that fits."""
    name = data[at : at + 4]
    if name == b"MTrk":
        return True
    size = int.from_bytes(data[at + 4 : at + 8], "big")
    return len(name) == 4 and name.isalnum() and at + 8 + size <= len(data)


class _Line:
    """The messages of a track, of which the next one can be looked at."""

    def __init__(self, track: bytes, channels: range) -> None:
        self._events, self._channels = events(track), channels
        self.tick = 0
        """Of the next message; after the last one, of the end of the track."""
        self.message: mido.Message | None = None
        """The next message; None after the last one."""
        self.advance()

    def advance(self) -> None:
        """Go on to the next message."""
        self.message = None
        event: Event
        for event in self._events:
            self.tick = event.tick
            message = event.message
            if event.ends_track:
                break
            if message is not None and (message.is_meta or message.channel in self._channels):
                self.message = message
                break


def _together(lines: list[_Line]) -> Iterator[Timed]:
    """The messages of tracks that play together, and their one end."""
    end = max((line.tick for line in lines), default=0)
    waiting = [(line.tick, number) for number, line in enumerate(lines) if line.message is not None]
    heapq.heapify(waiting)
    down = Counter[tuple[int, int]]()  # how often each key is struck and not let go
    while waiting:
        tick = waiting[0][0]
        numbers = list[int]()
        while waiting and waiting[0][0] == tick:
            numbers.append(heapq.heappop(waiting)[1])
        for message in _at_one_tick([lines[number] for number in numbers], tick, down):
            yield tick, message
        for number in numbers:
            end = max(end, lines[number].tick)
            if lines[number].message is not None:
                heapq.heappush(waiting, (lines[number].tick, number))
    yield end, mido.MetaMessage("end_of_track")


def _at_one_tick(lines: list[_Line], tick: int, down: Counter[tuple[int, int]]) -> Iterator[mido.Message]:
    """The messages of some tracks at one tick: what stands before keys that are struck, those, the rest."""
    for stage in range(3):
        for line in lines:
            begins = True
            while line.message is not None and line.tick == tick:
                message = line.message
                strikes = message.type == "note_on" and message.velocity > 0
                releases = message.type == "note_off" or (message.type == "note_on" and not strikes)
                key = (message.channel, message.note) if strikes or releases else (-1, -1)
                if stage == 0 and len(lines) > 1 and (strikes or (releases and not down[key])):
                    break  # a key that is not down yet may be struck at this very tick, by another track
                if stage == 1 and begins and not strikes:
                    break
                begins = False
                if strikes:
                    down[key] += 1
                elif releases and down[key]:
                    down[key] -= 1
                line.advance()
                yield message
