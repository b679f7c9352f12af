"""A live instrument: keys, wheels and pedals in, sound out."""

import math
from collections import deque
from numbers import Integral, Real
from pathlib import Path

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.expression.notes import Ahead
from ddsp_edge.live.block_player import BlockPlayer
from ddsp_edge.live.controllers import ALL_SOUND_OFF, CHANNELS, NOTES_OFF, Controllers
from ddsp_edge.live.keyboard import Keyboard
from ddsp_edge.live.settings import KeySettings
from ddsp_edge.live.voices import VoiceBank
from ddsp_edge.synthesis.processor import crossfade
from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array, midi_to_hz

MAX_WAITING = 4096  # events that were sent and not yet heard: eight seconds of the densest playing
_SLEEP_S = 1.0  # at the floor, after which a voice stops computing


class LiveInstrument(BlockPlayer):
    """Play an instrument from a keyboard.

    A frame hears what was sent up to the sample it stands for, and the hop that ends there follows one hop
    later, so that every event is heard after the same time, `latency_samples`: one hop.

    Channels, 0 to 15, share the voices; each has keys, wheels and pedals of its own. Messages may be sent
    from any one other thread while `process` runs.

    Args:
        path: A `.tflite` made by `ddsp-tf export`, or its voices.
        voices: Integer from 1 (legato) to 32; counts with a path, as do `seed` and `backend`.
        settings: What the player sets; may be changed at any time, from any thread.
        seed: Seed of the noise; None for another noise every time.
        backend: What plays the voices; see `live.voices.BACKENDS`.

    Raises:
        DdspError: If the file cannot be played, has not the backend, or `voices` is out of range.

    Example:
        >>> keys = LiveInstrument("violin.tflite", voices=4)  # doctest: +SKIP
        >>> keys.note_on(69, 100)                             # doctest: +SKIP
        >>> out = keys.render(480)                            # doctest: +SKIP
    """

    _max_waiting: float = MAX_WAITING

    def __init__(
        self,
        path: str | Path | VoiceBank,
        voices: int = 1,
        settings: KeySettings | None = None,
        seed: int | None = None,
        backend: str = "auto",
    ) -> None:
        self.settings = KeySettings() if settings is None else settings
        bank = path if isinstance(path, VoiceBank) else VoiceBank(path, voices, seed, backend)
        super().__init__(bank, self.settings, bank.spec.hop)
        self._keyboard = Keyboard(
            self.spec, self.card.loudness_db_range, bank.voices, self.settings, bank.expression
        )
        self._controllers = [Controllers() for _ in range(CHANNELS)]
        self._events = deque[tuple[int, int, int, int, Ahead | None]]()  # sample, status, two data values
        self._fade_out = 1.0 - crossfade(self.spec.hop)
        self._sleep_frames = self.spec.frames_for(_SLEEP_S)
        self._forget()

    def reset(self) -> None:
        """Forget everything, messages that wait too: the next sample is sample 0."""
        super().reset()
        self._forget()

    def _forget(self) -> None:
        self._events.clear()
        self._keyboard.silence()
        for wheels in self._controllers:
            wheels.reset()
        self._quiet = [self._sleep_frames] * self._bank.voices  # frames since a voice fell silent
        self._position = 0  # samples given out
        self._frames = 0
        self._vibrato_cycles = 0.0
        self._panic = self._mute = False

    @property
    def notes(self) -> list[int]:
        """Notes that are held by a key or a pedal, oldest first."""
        return self._keyboard.notes

    def note_on(
        self, note: int, velocity: int = 100, offset: int = 0, channel: int = 0, ahead: Ahead | None = None
    ) -> None:
        """Press a key; one that is down already sounds anew, and is to be let go once more.

        Args:
            note: MIDI note, 0 to 127.
            velocity: 1 to 127; 0 lets the key go.
            offset: Samples into the next block at which it happens; events come in the order of time.
            channel: 0 to 15.
            ahead: What comes, where it is known, as in a file: the instrument's expression looks at it.

        Raises:
            DdspError: If a number is out of range, as in the methods below.
        """
        strike = _seven_bits("note", note), _seven_bits("velocity", velocity)
        self._send(0x90, *strike, offset, channel, ahead)

    def note_off(self, note: int, offset: int = 0, channel: int = 0) -> None:
        """Let a key go, or the oldest of its strikes where it was struck again meanwhile."""
        self._send(0x90, _seven_bits("note", note), 0, offset, channel)

    def pitch_bend(self, bend: float, offset: int = 0, channel: int = 0) -> None:
        """Move the pitch wheel: -1 (down by the bend range, 2 semitones if not set) to 1 (up)."""
        if not (isinstance(bend, Real) and -1.0 <= bend <= 1.0):
            raise DdspError(f"bend must be from -1 to 1. Received: {bend!r}")
        self._send(0xE0, round(bend * 8192), 0, offset, channel)

    def control_change(self, control: int, value: int, offset: int = 0, channel: int = 0) -> None:
        """Move a controller, 0 to 127 both.

        Modulation (1), volume (7), expression (11), the pedals sustain (64) and sostenuto (66), bend range,
        tuning and modulation range (RPN 0, 1, 2 and 5, by 6, 38 and 96 to 101), all sound off (120), reset
        all controllers (121) and all notes off (123 to 127) are heard; docs/midi.md tells more.
        """
        self._send(0xB0, _seven_bits("control", control), _seven_bits("value", value), offset, channel)

    def channel_pressure(self, pressure: int, offset: int = 0, channel: int = 0) -> None:
        """Press on keys that are down, 0 to 127: as deep a vibrato as that of the modulation wheel."""
        self._send(0xD0, _seven_bits("pressure", pressure), 0, offset, channel)

    def panic(self) -> None:
        """Stop all sound within a hop, forget all keys, pedals and messages that wait."""
        self._panic = True

    def render(self, n_samples: int) -> Array:
        """Play the next `n_samples` samples, float32."""
        return self.process(np.zeros(n_samples, np.float32))

    def _send(
        self, status: int, first: int, second: int, offset: int, channel: int, ahead: Ahead | None = None
    ) -> None:
        if isinstance(offset, bool) or not isinstance(offset, Integral) or offset < 0:
            raise DdspError(f"offset must be a whole number of samples, 0 or more. Received: {offset!r}")
        if channel not in range(CHANNELS):
            raise DdspError(f"channel must be a whole number from 0 to 15. Received: {channel!r}")
        if len(self._events) >= self._max_waiting:
            # Nobody plays. To lose a message might leave a note sounding for ever; nothing is left sounding.
            self._panic = True
            return
        self._events.append((self._position + int(offset), status | int(channel), first, second, ahead))

    def _advance(self, part: Array) -> None:
        while len(self._queue) < len(part):
            self._hear()
            self._hop()
        self._position += len(part)

    def _hear(self) -> None:
        """Take in what was sent up to the sample that the next frame stands for."""
        if self._panic:
            self._panic = False
            self._events.clear()
            self._stop()
        now = self.spec.frame_sample(self._frames)
        while self._events and self._events[0][0] <= now:
            _, status, first, second, ahead = self._events.popleft()
            kind, channel = status & 0xF0, status & 0x0F
            wheels = self._controllers[channel]
            if kind == 0xE0:
                wheels.bend = first / 8192.0
            elif kind == 0xD0:
                wheels.pressure = first / 127.0
            elif kind == 0xB0:
                self._control(channel, first, second)
            elif second:
                self._keyboard.press(first, second, channel, ahead)
            else:
                self._keyboard.release(first, wheels.sustained, channel)
        self._keyboard.settle()

    def _control(self, channel: int, control: int, value: int) -> None:
        wheels, keyboard = self._controllers[channel], self._keyboard
        sustained, sostenuto = wheels.sustained, wheels.sostenuto
        wheels.hear(control, value)
        if sustained and not wheels.sustained:
            keyboard.lift_sustain(channel)
        if sostenuto and not wheels.sostenuto:
            keyboard.lift_sostenuto(wheels.sustained, channel)
        elif wheels.sostenuto and not sostenuto:
            keyboard.press_sostenuto(channel)
        if control == ALL_SOUND_OFF:
            keyboard.silence([channel])
            # The room sounds for all channels: it falls silent with the last one that played.
            voices = keyboard.voices
            self._mute |= all(v.silent for v in voices) and any(v.channel == channel for v in voices)
        elif control in NOTES_OFF:
            keyboard.release_all(wheels.sustained, channel)

    def _stop(self) -> None:
        for wheels in self._controllers:
            wheels.centre()
        self._keyboard.silence()
        self._mute = True

    def _hop(self) -> None:
        settings = self.settings
        transposition, vibrato = settings.semitones(), self._vibrato()
        playing, waking, sleeping = list[int](), list[int](), list[int]()
        pitches, levels = list[float](), list[float]()
        for number, voice in enumerate(self._keyboard.voices):
            wheels = self._controllers[voice.channel]
            pitch, loudness = voice.frame(wheels.level_db, settings)
            if loudness > LOUDNESS_FLOOR_DB:  # the shift leaves rests alone: they stay silent
                loudness += settings.number("loudness_shift_db")
            asleep = self._quiet[number] >= self._sleep_frames
            self._quiet[number] = min(self._quiet[number] + 1, self._sleep_frames) if voice.silent else 0
            if asleep and voice.silent:
                continue
            if asleep:
                waking.append(len(playing))
            elif self._quiet[number] >= self._sleep_frames:
                sleeping.append(len(playing))
            playing.append(number)
            pitches.append(pitch + wheels.bend_semitones + transposition + wheels.modulation * vibrato)
            levels.append(loudness)
        dry = np.zeros(self.spec.hop, np.float32)
        if playing:
            f0_hz = np.minimum(midi_to_hz(pitches).astype(np.float32), self.spec.sample_rate / 2)
            if waking:
                self._wake([playing[i] for i in waking], f0_hz[waking])
            audio = self._bank.play_voices(playing, f0_hz, np.array(levels, np.float32), settings)
            if sleeping:
                audio[..., sleeping, :] *= self._fade_out
            dry = audio.sum(axis=-2)
        self._frames += 1
        self._keyboard.tick()
        self._give(dry, self._fade_out if self._mute else None)
        if self._mute:
            self._mute = False
            self._bank.reset()
            self._quiet = [self._sleep_frames] * self._bank.voices

    def _wake(self, numbers: list[int], f0_hz: Array) -> None:
        """Begin with a frame at the floor, unheard: the first hop of a synthesizer holds frame 0."""
        for number in numbers:
            self._bank.reset_voice(number)
        self._bank.play_voices(
            numbers, f0_hz, np.full(len(numbers), LOUDNESS_FLOOR_DB, np.float32), self.settings
        )

    def _vibrato(self) -> float:
        """Semitones of the vibrato at full modulation; moves on by a frame."""
        rate, depth = self.settings.number("vibrato_hz"), self.settings.number("vibrato_semitones")
        cycles = self._vibrato_cycles + rate * self.spec.hop / self.spec.sample_rate
        self._vibrato_cycles = cycles % 1.0
        return depth * math.sin(2.0 * math.pi * self._vibrato_cycles)


def _seven_bits(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or not 0 <= value <= 127:
        raise DdspError(f"{name} must be a whole number from 0 to 127. Received: {value!r}")
    return int(value)
