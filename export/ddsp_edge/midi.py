"""Standard MIDI Files as pitch and loudness on the frame grid, for a monophonic instrument.

The newest note sounds; when it ends, the newest of those still held goes on. Pitch bend (with its range
by RPN 0), volume (CC 7) and expression (CC 11) are followed; drums (channel 10) are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import mido
import numpy as np

from ddsp_edge.card import Card
from ddsp_edge.controllers import Controllers
from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.midi_file import read_midi_file
from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array, midi_to_hz

MAX_FILE_BYTES = 4 << 20  # a million messages; an hour of dense playing is a tenth of it
MAX_SECONDS = 24 * 3600
DRUMS = 9  # channel 10, counted from 0

_ATTACK_DB_PER_S = -LOUDNESS_FLOOR_DB / 0.010  # from the floor to 0 dB in 10 ms
_RELEASE_DB_PER_S = -LOUDNESS_FLOOR_DB / 0.080
_GLIDE_S = 0.020  # from note to note under a slur
_TONGUE_DB = 12.0  # dip before a note that follows another without a gap or a slur


@dataclass
class _Channel:
    controllers: Controllers = field(default_factory=Controllers)
    held: dict[int, int] = field(default_factory=dict)  # note -> velocity


class MidiScore:
    """A Standard MIDI File, checked and timed.

    Args:
        path: The file.
        spec: The frame grid.

    Raises:
        DdspError: If the file is missing, damaged, longer than a day, or holds no notes.
    """

    def __init__(self, path: str | Path, spec: FrameSpec) -> None:
        self.path = Path(path)
        self.spec = spec
        self._events = self._timed(self._read())
        notes = [m for _, m in self._events if _starts(m)]
        if not notes:
            raise DdspError(f"{self.path} holds no notes (drums on channel 10 are left out)")
        self._first_note = float(notes[0].note)
        release = -(-spec.sample_rate * 8 // (100 * spec.hop))  # frames in 80 ms
        self.n_frames = self._events[-1][0] + 1 + release
        """Frames of the whole piece, the release of its last note included."""

    def _read(self) -> mido.MidiFile:
        if self.path.is_dir():
            raise DdspError(f"{self.path} is a folder, not a MIDI file")
        if not self.path.is_file():
            raise DdspError(f"{self.path}: no such file")
        size = self.path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise DdspError(f"{self.path} has {size} bytes; a MIDI file of at most {MAX_FILE_BYTES} is read")
        try:
            score = read_midi_file(self.path.read_bytes())
        except ValueError as error:
            raise DdspError(f"{self.path} is not a readable MIDI file: {error}") from error
        if score.ticks_per_beat <= 0:
            raise DdspError(
                f"{self.path} counts time in SMPTE frames (division {score.ticks_per_beat}); "
                "only ticks a beat can be read"
            )
        if score.type == 2:
            raise DdspError(f"{self.path} is a MIDI file of type 2 (separate patterns); 0 and 1 can be read")
        return score

    def _timed(self, score: mido.MidiFile) -> list[tuple[int, mido.Message]]:
        """Messages with the first frame that hears them; ends with the end of the piece."""
        tempo, elapsed = 500_000, 0  # microseconds a beat; microseconds x ticks a beat
        hop_time = score.ticks_per_beat * 1_000_000 * self.spec.hop
        limit = MAX_SECONDS * 1_000_000 * score.ticks_per_beat
        events = []
        for message in mido.merge_tracks(score.tracks):
            elapsed += message.time * tempo
            if elapsed > limit:
                raise DdspError(f"{self.path} is longer than {MAX_SECONDS // 3600} hours")
            frame = max(0, -(-elapsed * self.spec.sample_rate // hop_time) - 1)
            if message.type == "set_tempo":
                tempo = message.tempo
            elif message.type == "end_of_track" or getattr(message, "channel", DRUMS) != DRUMS:
                events.append((frame, message))
        return events

    def blocks(self, card: Card, block_frames: int = 512) -> Iterator[tuple[Array, Array]]:
        """Play the piece.

        Args:
            card: Velocities 1 to 127 go from the low to the high end of its `loudness_db_range`.
            block_frames: Integer > 0, frames a block (the last one may be shorter).

        Yields:
            `f0_hz` and `loudness_db`, float32 `[frames]`.
        """
        player = _Player(self.spec, card, self._first_note)
        position = 0
        for start in range(0, self.n_frames, block_frames):
            frames = range(start, min(start + block_frames, self.n_frames))
            pitch, loudness = np.empty(len(frames)), np.empty(len(frames))
            for i, frame in enumerate(frames):
                while position < len(self._events) and self._events[position][0] <= frame:
                    player.hear(self._events[position][1])
                    position += 1
                pitch[i], loudness[i] = player.frame()
            yield midi_to_hz(pitch).astype(np.float32), loudness.astype(np.float32)


class _Player:
    """The keys, wheels and pedals of a moment, and the pitch and loudness that follow them."""

    def __init__(self, spec: FrameSpec, card: Card, first_note: float) -> None:
        seconds = spec.hop / spec.sample_rate
        self._rise, self._fall = _ATTACK_DB_PER_S * seconds, _RELEASE_DB_PER_S * seconds
        self._glide_frames = spec.frames_for(_GLIDE_S)
        self._low_db, self._high_db = card.loudness_db_range.low, card.loudness_db_range.high
        self._channels = [_Channel() for _ in range(16)]
        self._order: list[tuple[int, int]] = []  # (channel, note) held, newest last
        self._channel = self._channels[0]  # of the note that sounds
        self._note = self._target = first_note
        self._step = 0.0  # semitones a frame of a glide
        self._velocity = 0  # of the note that sounds; 0 when none does
        self._loudness_db = LOUDNESS_FLOOR_DB

    def hear(self, message: mido.Message) -> None:
        """Take in one message."""
        if message.type == "end_of_track":
            # Merged tracks have one end: what still sounds then was never let go.
            for number in range(len(self._channels)):
                self._release_all(number)
            return
        channel = self._channels[message.channel]
        if _starts(message):
            self._press(channel, message.channel, message.note, message.velocity)
        elif message.type in ("note_on", "note_off"):
            self._release(channel, message.channel, message.note)
        elif message.type == "pitchwheel":
            channel.controllers.bend = message.pitch / 8192.0
        elif message.type == "control_change":
            if message.control in (120, 123):  # all sound off, all notes off
                self._release_all(message.channel)
            else:
                channel.controllers.hear(message.control, message.value)

    def frame(self) -> tuple[float, float]:
        """Move on by one frame; return pitch in MIDI notes and loudness in dB."""
        left = self._target - self._note
        self._note += left if abs(left) <= abs(self._step) else np.copysign(self._step, left)
        target_db = LOUDNESS_FLOOR_DB
        if self._velocity:
            span = self._high_db - self._low_db
            level = self._low_db + span * (self._velocity - 1) / 126.0
            target_db = max(LOUDNESS_FLOOR_DB, level + self._channel.controllers.level_db)
        change = np.clip(target_db - self._loudness_db, -self._fall, self._rise)
        self._loudness_db += float(change)
        return self._note + self._channel.controllers.bend_semitones, self._loudness_db

    def _press(self, channel: _Channel, number: int, note: int, velocity: int) -> None:
        slurred = bool(self._order)
        if not slurred:
            self._loudness_db = max(LOUDNESS_FLOOR_DB, self._loudness_db - _TONGUE_DB)
        if note in channel.held:
            self._order.remove((number, note))
        channel.held[note] = velocity
        self._order.append((number, note))
        self._sound(slurred)

    def _release(self, channel: _Channel, number: int, note: int) -> None:
        if channel.held.pop(note, None) is None:
            return
        sounding = self._order[-1]
        self._order.remove((number, note))
        if not self._order:
            self._velocity = 0
        elif sounding == (number, note):
            self._sound(slurred=True)

    def _sound(self, slurred: bool) -> None:
        number, note = self._order[-1]
        self._channel = self._channels[number]
        self._velocity = self._channel.held[note]
        self._target = float(note)
        self._step = abs(self._target - self._note) / (self._glide_frames if slurred else 1)

    def _release_all(self, number: int) -> None:
        channel = self._channels[number]
        for note in list(channel.held):
            self._release(channel, number, note)


def _starts(message: mido.Message) -> bool:
    return bool(message.type == "note_on" and message.velocity > 0)
