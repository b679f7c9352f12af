"""A live instrument for files: it plays as it does live, and gives the parts of its sound as well."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ddsp_edge.live.controllers import ALL_NOTES_OFF, CHANNELS, SOSTENUTO, SUSTAIN
from ddsp_edge.live.keys import LiveInstrument
from ddsp_edge.live.settings import KeySettings, Settings
from ddsp_edge.live.voices import VoiceBank, share_of_room
from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array

_NOTHING = np.zeros(0, np.float32)


class SignalBank(VoiceBank):
    """Voices whose every node can be heard.

    Args:
        path: A `.tflite` made by `ddsp-tf export`.
        voices: Integer from 1 to 32.
        seed: Seed of the noise; None for another noise every time.

    Raises:
        DdspError: As `VoiceBank`.
    """

    def __init__(self, path: str | Path, voices: int = 1, seed: int | None = None) -> None:
        super().__init__(path, voices, seed)
        self._names = self.layout.names
        self._output = self._names.index(self.layout.output)
        self.signals: dict[str, Array] = {}
        """The signal `[hop]` of every node, of all voices together, in the last hop."""

    def play_voices(
        self, numbers: Sequence[int], f0_hz: Array, loudness_db: Array, settings: Settings
    ) -> Array:
        """Play one frame as `VoiceBank` does; return all nodes, `[nodes, len(numbers), hop]`."""
        signals = self._player.signals(numbers, self._frames(f0_hz, loudness_db, settings))
        return np.stack([signals[name] for name in self._names])

    def reverberate(self, dry: Array, share: float) -> Array:
        """Play nodes, `[nodes, hop]`, or silence, `[hop]`; return the sound, `[hop]`, as `VoiceBank` does."""
        rows = np.broadcast_to(dry, (len(self._names), dry.shape[-1]))
        self.signals = dict(zip(self._names, rows, strict=True))
        sound, before = rows[self._output], self._share
        audio = super().reverberate(sound, share)
        for name, wet in zip(self.layout.rooms, self._wet, strict=True):
            self.signals[name] = share_of_room(sound, wet, before, share)
        return audio


class OfflineInstrument(LiveInstrument):
    """A live instrument whose every node can be had, hop by hop, and that ends in time.

    Not for a sound card, for it keeps signals until they are taken. Arguments and sound are those of
    `LiveInstrument`.
    """

    _bank: SignalBank
    _max_waiting = math.inf  # a file is played to its end, however many messages come at one time

    def __init__(
        self,
        path: str | Path,
        voices: int = 1,
        settings: KeySettings | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(SignalBank(path, voices, seed), settings=settings)

    def _forget(self) -> None:
        super()._forget()
        self._keyboard.stolen = 0
        silence = np.zeros(self.latency_samples, np.float32)
        self._signals = [{node["name"]: silence for node in self.card.synthesizer["nodes"]}]

    @property
    def expressive(self) -> bool:
        """Whether the instrument's file knows how notes are played."""
        return self._bank.expression is not None

    @property
    def sounding(self) -> bool:
        """Whether a key is held, or a note that was let go has not faded yet."""
        return not all(voice.silent for voice in self._keyboard.voices)

    @property
    def audible(self) -> bool:
        """Whether any voice is above the floor of loudness."""
        return any(voice.heard_db > LOUDNESS_FLOOR_DB for voice in self._keyboard.voices)

    @property
    def stolen(self) -> int:
        """How many notes lost their voice to another while they were held, since the last reset."""
        return self._keyboard.stolen

    def let_all_go(self, offset: int = 0) -> None:
        """Lift all pedals and let all keys go, `offset` samples into the next block."""
        for channel in range(CHANNELS):
            for control in (SUSTAIN, SOSTENUTO, ALL_NOTES_OFF):
                self.control_change(control, 0, offset, channel)

    @property
    def tail_samples(self) -> int:
        """Samples for which it rings on when all voices rest."""
        return self._bank.tail_samples

    def rest(self) -> None:
        """Let the voices that have faded rest with the next hop, and not a second later."""
        for number, voice in enumerate(self._keyboard.voices):
            if voice.silent:
                self._quiet[number] = max(self._quiet[number], self._sleep_frames - 1)

    def take_signals(self) -> dict[str, Array]:
        """The signals of all nodes by name, float32 `[n]`, since they were last taken, gain applied.

        They are what went into the limiter, and as late as the sound: `n` is the number of samples played,
        if that is whole hops.
        """
        taken, self._signals = self._signals, []
        return {
            node["name"]: np.concatenate([_NOTHING, *(signals[node["name"]] for signals in taken)])
            for node in self.card.synthesizer["nodes"]
        }

    def _give(self, dry: Array, fade: Array | None = None) -> None:
        super()._give(dry, fade)
        gain, signals = self.settings.gain("gain_db"), self._bank.signals
        if gain != 1.0 or fade is not None:
            curve = np.float32(gain) * (np.float32(1.0) if fade is None else fade)
            signals = {name: audio * curve for name, audio in signals.items()}
        self._signals.append(signals)
