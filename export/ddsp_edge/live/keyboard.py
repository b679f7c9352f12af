"""Which voice plays which key: held keys, the sustain pedal, stealing, and letting everything go."""

from ddsp_edge.card import Range
from ddsp_edge.frames import FrameSpec
from ddsp_edge.live.settings import KeySettings, within
from ddsp_edge.live.voice import Voice


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
        self._down: dict[int, int] = {}  # note -> velocity; newest last, those the pedal holds among them
        self._let_go: set[int] = set()  # notes that only the pedal holds
        self._ages = [0] * voices  # when a voice was last pressed or let go
        self._age = 0

    @property
    def notes(self) -> list[int]:
        """Notes that are held by a key or the pedal, oldest first."""
        return list(self._down)

    def press(self, note: int, velocity: int) -> None:
        """A key goes down, with a velocity from 1 to 127."""
        slurred = bool(self._down)
        self._down.pop(note, None)
        self._down[note] = velocity
        self._let_go.discard(note)
        if len(self.voices) == 1:
            self._sound(0, note, slurred)
        else:
            self._sound(self._voice_for(note), note, slurred=False)

    def release(self, note: int, sustained: bool) -> None:
        """A key comes up, while the pedal is down or not."""
        if note not in self._down:
            return
        if sustained:
            self._let_go.add(note)
        else:
            self._end([note])

    def lift_pedal(self) -> None:
        """End what only the pedal held."""
        self._end(list(self._let_go))

    def release_all(self) -> None:
        """Let everything go, whatever holds it."""
        self._down.clear()
        self._let_go.clear()
        for number in range(len(self.voices)):
            self._release_voice(number)

    def silence(self) -> None:
        """Stop every voice at once."""
        self.release_all()
        for voice in self.voices:
            voice.silence()

    def _end(self, notes: list[int]) -> None:
        sounding = next(reversed(self._down), None)
        for note in notes:
            del self._down[note]
            self._let_go.discard(note)
        if len(self.voices) > 1:
            for number, voice in enumerate(self.voices):
                if voice.keyed and voice.note in notes:
                    self._release_voice(number)
        elif not self._down:
            self._release_voice(0)
        elif sounding in notes:
            self._sound(0, next(reversed(self._down)), slurred=True)

    def _sound(self, number: int, note: int, slurred: bool) -> None:
        curve = within(self._settings.velocity_curve, 0.1, 10.0, 1.0)
        share = ((self._down[note] - 1) / 126.0) ** curve
        level = self._range.low + (self._range.high - self._range.low) * share
        self.voices[number].press(note, level, self._settings, slurred)
        self._age += 1
        self._ages[number] = self._age

    def _release_voice(self, number: int) -> None:
        if self.voices[number].keyed:
            self.voices[number].release()
            self._age += 1
            self._ages[number] = self._age

    def _voice_for(self, note: int) -> int:
        """The voice that plays the note already, a silent one, one let go, or the oldest."""

        def rank(number: int) -> tuple[bool, bool, bool, int]:
            voice = self.voices[number]
            playing = voice.note == note and not voice.silent
            return not playing, not voice.silent, voice.keyed, self._ages[number]

        return min(range(len(self.voices)), key=rank)
