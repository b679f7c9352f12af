"""Which voice plays which key: strikes, pedals, stealing, and letting everything go.

What notes mean is defined here, for files and for live playing alike; docs/midi.md has it as a table.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ddsp_edge.card import Range
from ddsp_edge.expression.network import ExpressionNetwork
from ddsp_edge.expression.notes import Ahead, NoteContext, Phrasing, velocity_level_db
from ddsp_edge.frames import FrameSpec
from ddsp_edge.live.controllers import CHANNELS
from ddsp_edge.live.settings import KeySettings
from ddsp_edge.live.voice import Voice

Key = tuple[int, int]
"""A channel and a note of it: the same note of two channels is two keys."""

MIN_NOTE_S = 0.010  # what a note sounds at least, as in FluidSynth (synth.min-note-length)


@dataclass
class _Held:
    """A key that sounds or would, if there were a voice."""

    velocity: int
    strikes: int  # that were not let go; each note-off lets the oldest go
    frame: int  # of the newest strike
    ahead: Ahead | None = None  # what comes, where it is known
    ends: int | None = None  # the frame at which it ends, where it was let go too early to be heard


class Keyboard:
    """Keys to voices.

    A key that is struck again while it is down sounds anew, and sounds until each of its strikes was let go.
    Every note sounds for 10 ms at least, however soon it is let go.

    One voice plays legato: the newest key sounds, a key pressed while another is down is slurred, and when it
    is let go the newest of those still down goes on. Several voices play a key each; where all are busy, the
    one let go longest ago is taken, or else the oldest, when all of the frame was heard: what is let go in
    the same frame as another key is struck makes room for it, whichever came first.

    Args:
        spec: The frame grid.
        loudness_db_range: Velocities 1 to 127 go from its low to its high end.
        voices: Integer > 0.
        settings: What the player sets.
        network: What knows how notes are played; None where the instrument does not.
    """

    def __init__(
        self,
        spec: FrameSpec,
        loudness_db_range: Range,
        voices: int,
        settings: KeySettings,
        network: ExpressionNetwork | None = None,
    ) -> None:
        self.voices = [Voice(spec, network) for _ in range(voices)]
        self._phrasing = None if network is None else [Phrasing() for _ in range(CHANNELS)]
        self._frame_s = spec.hop / spec.sample_rate
        self.stolen = 0
        """How many keys lost their voice to another while they were held."""
        self._range = loudness_db_range
        self._settings = settings
        self._min_frames = max(1, int(MIN_NOTE_S * spec.sample_rate) // spec.hop)
        self._held: dict[Key, _Held] = {}  # newest last
        self._pressed, self._let_go, self._caught = (
            tuple(set[Key]() for _ in range(CHANNELS)) for _ in range(3)
        )  # by a finger, by pedals only, by the sostenuto pedal
        self._ending = dict[Key, None]()  # that were let go too early to be heard
        self._waiting = dict[Key, None]()  # struck, without a voice yet
        self._ages = [0] * voices  # when a voice was last pressed or let go
        self._age = self._frame = 0

    @property
    def notes(self) -> list[int]:
        """Notes that are held by a key or a pedal, oldest first."""
        return [note for (_, note), held in self._held.items() if held.ends is None]

    def press(self, note: int, velocity: int, channel: int = 0, ahead: Ahead | None = None) -> None:
        """A key goes down, with a velocity from 1 to 127; what comes may be known."""
        key = channel, note
        before = self._held.pop(key, None)
        self._ending.pop(key, None)
        slurred = len(self._held) > len(self._ending)  # another is down
        strikes = before.strikes if before else 0
        self._held[key] = _Held(velocity, strikes + 1, self._frame, ahead)
        self._pressed[channel].add(key)
        self._let_go[channel].discard(key)
        if len(self.voices) == 1:  # nobody can slur from a note to itself
            self._sound(0, key, slurred and self.voices[0].note != note)
            return
        number = self._voice_for(key)
        voice = self.voices[number]
        if voice.keyed and (voice.channel, voice.note) != key:
            self._waiting[key] = None
        else:
            self._sound(number, key, slurred=False)

    def release(self, note: int, sustained: bool, channel: int = 0) -> None:
        """A key comes up, while the sustain pedal is down or not: the oldest of its strikes is over."""
        key = channel, note
        held = self._held.get(key)
        if held is None or held.strikes == 0:
            return
        held.strikes -= 1
        if held.strikes == 0:
            self._come_up([key], sustained)

    def release_all(self, sustained: bool, channel: int = 0) -> None:
        """All keys of a channel come up, however often they were struck, while the pedal is down or not."""
        for key in self._pressed[channel]:
            self._held[key].strikes = 0
        self._come_up(list(self._pressed[channel]), sustained)

    def lift_sustain(self, channel: int = 0) -> None:
        """The sustain pedal comes up: what only it held ends."""
        self._end(self._let_go[channel] - self._caught[channel])

    def press_sostenuto(self, channel: int = 0) -> None:
        """The sostenuto pedal goes down: it holds the keys that are down, and none that come later."""
        self._caught[channel].update(self._pressed[channel])

    def lift_sostenuto(self, sustained: bool, channel: int = 0) -> None:
        """The sostenuto pedal comes up, while the sustain pedal is down or not."""
        self._caught[channel].clear()
        if not sustained:
            self._end(self._let_go[channel])

    def silence(self, channels: Collection[int] = range(CHANNELS)) -> None:
        """Stop every voice of some channels at once, and forget their keys."""
        for channel in channels:
            self._forget([*self._pressed[channel], *self._let_go[channel]])
            self._forget([key for key in self._ending if key[0] == channel])
            self._caught[channel].clear()
            if self._phrasing is not None:
                self._phrasing[channel].forget()
        for voice in self.voices:
            if voice.channel in channels:
                voice.silence()
        if len(self.voices) == 1 and self._held and not self.voices[0].keyed:
            self._sound(0, next(reversed(self._held)), slurred=True)

    def settle(self) -> None:
        """All that a frame hears was heard: keys that wait for a voice get one, of others if need be."""
        for key in self._waiting:
            number = self._voice_for(key)
            self.stolen += self.voices[number].keyed
            self._sound(number, key, slurred=False)
        self._waiting.clear()

    def tick(self) -> None:
        """A frame has passed."""
        self._frame += 1
        if self._ending:
            self._end([key for key in self._ending if (self._held[key].ends or 0) <= self._frame])

    def _come_up(self, keys: list[Key], sustained: bool) -> None:
        """No finger holds some keys any more; a pedal may."""
        ended = []
        for key in keys:
            channel = key[0]
            self._pressed[channel].discard(key)
            if sustained or key in self._caught[channel]:
                self._let_go[channel].add(key)
            else:
                ended.append(key)
        self._end(ended)

    def _end(self, keys: Iterable[Key]) -> None:
        """Nothing holds some keys any more: they end, or will when they were heard."""
        now = list[Key]()
        for key in list(keys):
            held = self._held[key]
            if self._frame - held.frame >= self._min_frames:
                now.append(key)
                continue
            held.ends = held.frame + self._min_frames
            self._ending[key] = None
            self._let_go[key[0]].discard(key)
            self._caught[key[0]].discard(key)
        if not now:
            return
        sounding = next(reversed(self._held))
        self._forget(now)
        if len(self.voices) > 1:
            for number, voice in enumerate(self.voices):
                if voice.keyed and (voice.channel, voice.note) in now:
                    self._release_voice(number)
        elif not self._held:
            self._release_voice(0)
        elif sounding in now:
            self._sound(0, next(reversed(self._held)), slurred=True)

    def _forget(self, keys: list[Key]) -> None:
        for key in keys:
            del self._held[key]
            self._ending.pop(key, None)
            self._waiting.pop(key, None)
            for keys_of in (self._pressed, self._let_go, self._caught):
                keys_of[key[0]].discard(key)

    def _sound(self, number: int, key: Key, slurred: bool) -> None:
        held, (channel, note) = self._held[key], key
        curve = self._settings.number("velocity_curve", 1.0)
        level = velocity_level_db(held.velocity, self._range, curve)
        self.voices[number].press(note, level, self._settings, slurred, channel, self._context(key))
        self._age += 1
        self._ages[number] = self._age

    def _release_voice(self, number: int) -> None:
        if self.voices[number].keyed:
            voice = self.voices[number]
            voice.release()
            self._age += 1
            self._ages[number] = self._age
            if self._phrasing is not None and not any(
                other.keyed and other.channel == voice.channel for other in self.voices
            ):
                self._phrasing[voice.channel].release(self._frame * self._frame_s)

    def _context(self, key: Key) -> NoteContext | None:
        """A key that sounds from now on, among the notes of its channel."""
        if self._phrasing is None:
            return None
        held, (channel, note) = self._held[key], key
        ahead = held.ahead if held.frame == self._frame else None  # of what goes on under a slur it is past
        return self._phrasing[channel].press(note, held.velocity, self._frame * self._frame_s, ahead)

    def _voice_for(self, key: Key) -> int:
        """The voice that plays the key already, a silent one, one let go, or the oldest."""

        def rank(number: int) -> tuple[bool, bool, bool, int]:
            voice = self.voices[number]
            playing = (voice.channel, voice.note) == key and not voice.silent
            return not playing, not voice.silent, voice.keyed, self._ages[number]

        return min(range(len(self.voices)), key=rank)
