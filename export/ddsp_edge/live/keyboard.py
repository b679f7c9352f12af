"""Which voice plays which key: held keys, the sustain pedal, stealing, and letting everything go."""

from collections.abc import Collection

from ddsp_edge.card import Range
from ddsp_edge.frames import FrameSpec
from ddsp_edge.live.controllers import CHANNELS
from ddsp_edge.live.settings import KeySettings
from ddsp_edge.live.voice import Voice

Key = tuple[int, int]
"""A channel and a note of it: the same note of two channels is two keys."""


class Keyboard:
    """Keys to voices.

    One voice plays legato: the newest key sounds, a key pressed while another is down is slurred, and when it
    is let go the newest of those still down goes on. Several voices play a key each; where all are busy, the
    one let go longest ago is taken, or else the oldest.

    Args:
        spec: The frame grid.
        loudness_db_range: Velocities 1 to 127 go from its low to its high end.
        voices: Integer > 0.
        settings: What the player sets.
    """

    def __init__(self, spec: FrameSpec, loudness_db_range: Range, voices: int, settings: KeySettings) -> None:
        self.voices = [Voice(spec) for _ in range(voices)]
        self._range = loudness_db_range
        self._settings = settings
        self._down: dict[Key, int] = {}  # -> velocity; newest last, those the pedal holds among them
        self._let_go: set[Key] = set()  # that only the pedal holds
        self._ages = [0] * voices  # when a voice was last pressed or let go
        self._age = 0

    @property
    def notes(self) -> list[int]:
        """Notes that are held by a key or the pedal, oldest first."""
        return [note for _, note in self._down]

    def press(self, note: int, velocity: int, channel: int = 0) -> None:
        """A key goes down, with a velocity from 1 to 127."""
        key = channel, note
        slurred = bool(self._down)
        self._down.pop(key, None)
        self._down[key] = velocity
        self._let_go.discard(key)
        if len(self.voices) == 1:
            self._sound(0, key, slurred)
        else:
            self._sound(self._voice_for(key), key, slurred=False)

    def release(self, note: int, sustained: bool, channel: int = 0) -> None:
        """A key comes up, while the pedal is down or not."""
        key = channel, note
        if key not in self._down:
            return
        if sustained:
            self._let_go.add(key)
        else:
            self._end([key])

    def lift_pedal(self, channel: int = 0) -> None:
        """End what only the pedal of a channel held."""
        self._end([key for key in self._let_go if key[0] == channel])

    def release_all(self, channel: int = 0) -> None:
        """Let all keys of a channel go, whatever holds them."""
        self._end([key for key in self._down if key[0] == channel])

    def silence(self, channels: Collection[int] = range(CHANNELS)) -> None:
        """Stop every voice of some channels at once."""
        for channel in channels:
            self.release_all(channel)
        for voice in self.voices:
            if voice.channel in channels and not voice.keyed:
                voice.silence()

    def _end(self, keys: list[Key]) -> None:
        sounding = next(reversed(self._down), None)
        for key in keys:
            del self._down[key]
            self._let_go.discard(key)
        if len(self.voices) > 1:
            for number, voice in enumerate(self.voices):
                if voice.keyed and (voice.channel, voice.note) in keys:
                    self._release_voice(number)
        elif not self._down:
            self._release_voice(0)
        elif sounding in keys:
            self._sound(0, next(reversed(self._down)), slurred=True)

    def _sound(self, number: int, key: Key, slurred: bool) -> None:
        curve = self._settings.number("velocity_curve", 1.0)
        share = ((self._down[key] - 1) / 126.0) ** curve
        level = self._range.low + (self._range.high - self._range.low) * share
        channel, note = key
        self.voices[number].press(note, level, self._settings, slurred, channel)
        self._age += 1
        self._ages[number] = self._age

    def _release_voice(self, number: int) -> None:
        if self.voices[number].keyed:
            self.voices[number].release()
            self._age += 1
            self._ages[number] = self._age

    def _voice_for(self, key: Key) -> int:
        """The voice that plays the key already, a silent one, one let go, or the oldest."""

        def rank(number: int) -> tuple[bool, bool, bool, int]:
            voice = self.voices[number]
            playing = (voice.channel, voice.note) == key and not voice.silent
            return not playing, not voice.silent, voice.keyed, self._ages[number]

        return min(range(len(self.voices)), key=rank)
