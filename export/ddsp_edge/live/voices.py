"""The voices of a model file: a network with a memory for each voice, their synthesizers, one room.

A room is linear and the same for all voices, so it sounds once, on their sum.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.expression.network import ExpressionNetwork, has_expression
from ddsp_edge.further import brighter, complete, scaled
from ddsp_edge.live.numpy_voices import NumpyVoices, VoiceNetwork
from ddsp_edge.live.settings import Settings
from ddsp_edge.model.file import read_instrument_file
from ddsp_edge.model.runtimes import has_litert
from ddsp_edge.numeric import whole_number
from ddsp_edge.ranges import MAX_VOICES, check_consonants
from ddsp_edge.synthesis.filtered_noise import FilteredNoise
from ddsp_edge.synthesis.processor import Processor
from ddsp_edge.synthesis.synthesizer import Synthesizer
from ddsp_edge.synthesis.voice_graph import VoiceFrames, VoiceGraph, VoiceLayout
from ddsp_edge.units import Array

BACKENDS = ("auto", "graph", "numpy")
"""What voices are played with: the `graph` in the model file, the network by LiteRT and the synthesizer in
`numpy`, or `auto`, the graph wherever the file has it: it is the faster one."""

_SETTINGS = {"Harmonic": "harmonic_db", "FilteredNoise": "noise_db"}  # type of a node -> its level


class VoicePlayer(Protocol):
    """What plays voices without the room."""

    def reset(self) -> None:
        """Forget everything."""

    def reset_voice(self, voice: int) -> None:
        """Forget what a voice of `play_voices` played: its next frame is frame 0."""

    def play(self, frames: VoiceFrames, pitched: Array | None = None) -> Array:
        """Play frames of voice 0, `pitched` `[frames]` or not: float32 `[frames * hop]`, finite."""
        ...

    def play_voices(self, numbers: Sequence[int], frames: VoiceFrames) -> Array:
        """Play a frame of each of some voices: float32 `[len(numbers), hop]`, finite."""
        ...

    def signals(self, numbers: Sequence[int], frames: VoiceFrames) -> dict[str, Array]:
        """Play a frame as `play_voices`; give the signal of every node by its name."""
        ...


class VoiceBank:
    """Everything between pitch and loudness on one side and sound on the other.

    Args:
        path: A `.tflite` made by `ddsp-tf export`.
        voices: Integer from 1 to 32.
        seed: Seed of the noise; None for another noise every time.
        backend: What plays the voices, one of `BACKENDS`; they sound the same, to 1e-4 of full scale (law 1).
        consonants: What `play` does with frames without a pitch, one of `ddsp_edge.ranges.CONSONANTS`. What
            changes controls, all but `hold`, is for the backend `numpy`, which `auto` then is.

    Raises:
        DdspError: If the file cannot be played, has not the backend, or a number is out of range.
    """

    def __init__(
        self,
        path: str | Path,
        voices: int = 1,
        seed: int | None = None,
        backend: str = "auto",
        consonants: str = "hold",
    ) -> None:
        if backend not in BACKENDS:
            raise DdspError(f"backend must be one of {', '.join(BACKENDS)}. Received: {backend!r}")
        check_consonants(consonants)
        if consonants != "hold":
            if backend == "graph":
                raise DdspError(f"consonants={consonants} is for the backends auto and numpy")
            backend = "numpy"
        number = whole_number(voices)
        if number is None or not 1 <= number <= MAX_VOICES:
            raise DdspError(f"voices must be a whole number from 1 to {MAX_VOICES}. Received: {voices!r}")
        voices = number
        file = read_instrument_file(path)
        self.card, self.spec = file.card, file.card.spec
        try:
            if backend == "graph" and not file.card.voice:
                raise DdspError("The model has no signature 'voice': export it again, without --no-play")
            by_graph = backend == "graph" or (backend == "auto" and has_litert())
            in_file = bool(file.card.voice) and by_graph
            network = None if in_file else VoiceNetwork(file.model, file.card, voices)
            channels = None if network is None else network.output_channels
            whole = Synthesizer(file.card, file.arrays, seed, channels)  # checks the whole group
            self.expression = ExpressionNetwork(file.arrays) if has_expression(file.arrays) else None
            """What knows how notes are played; None where the file does not."""
            processors = {name: processor for name, processor, _ in whole.nodes()}
            self.layout = VoiceLayout.of(file.card.synthesizer)
            self._player: VoicePlayer
            if network is None:
                seeds = [p.seed for p in processors.values() if isinstance(p, FilteredNoise)]
                self._player = VoiceGraph(file.model, file.card, self.layout, voices, seeds)
            else:
                self._player = NumpyVoices(network, file, self.layout, voices, seed, consonants)
        except DdspError as error:
            raise DdspError(f"{path}: {error}") from error
        self._rooms: list[Processor] = [processors[name] for name in self.layout.rooms]
        self._levels = [_SETTINGS[kind] for kind, _ in self.layout.levels()]
        self.voices = voices
        """How many."""
        self.tail_samples = whole.tail_samples
        """Samples for which noise filters and rooms ring on."""
        self._share = 1.0

    def reset(self) -> None:
        """Forget everything: the next frame of each voice is frame 0."""
        self._player.reset()
        for room in self._rooms:
            room.reset()
        self._share = 1.0

    def reset_voice(self, voice: int) -> None:
        """Forget what a voice of `play_voices` played: its next frame is frame 0."""
        self._player.reset_voice(voice)

    def play(
        self,
        f0_hz: Array,
        loudness_db: Array,
        settings: Settings,
        further: Mapping[str, Array] | None = None,
        pitched: Array | None = None,
    ) -> Array:
        """Play frames of the first voice, in the room.

        Args:
            f0_hz: `[frames]`, above 0 and at most Nyquist.
            loudness_db: `[frames]`, finite.
            settings: Its levels of harmonics and noise count, its brightness, and its share of the room.
            further: Further features of the card, `[frames]` by name; what is left out is what it usually is.
            pitched: Boolean `[frames]`, whether the player has a pitch; None where always.

        Returns:
            float32 audio `[frames * hop]`, finite.
        """
        f0_hz = np.asarray(f0_hz, np.float32)  # as the graph takes it: what is rounded here is no drift there
        dry = self._player.play(self._frames(f0_hz, loudness_db, settings, further), pitched)
        return self.reverberate(dry, settings.room())

    def play_voices(self, numbers: list[int], f0_hz: Array, loudness_db: Array, settings: Settings) -> Array:
        """Play one frame of some voices, without the room.

        Args:
            numbers: Which ones, each once, at least one.
            f0_hz: float32 `[len(numbers)]`, above 0 and at most Nyquist.
            loudness_db: `[len(numbers)]`, finite.
            settings: Its levels of harmonics and noise count, and its brightness.

        Returns:
            float32 audio `[len(numbers), hop]`, finite.
        """
        return self._player.play_voices(numbers, self._frames(f0_hz, loudness_db, settings))

    def _frames(
        self,
        f0_hz: Array,
        loudness_db: Array,
        settings: Settings,
        further: Mapping[str, Array] | None = None,
    ) -> VoiceFrames:
        """What a player is told; most instruments take no further features."""
        told = list[Array]()
        if self.card.further:
            values = complete(self.card.further, further, f0_hz, loudness_db)
            told = scaled(brighter(values, settings.number("brightness")))
        return VoiceFrames(f0_hz, loudness_db, self.gains(settings), told)

    def gains(self, settings: Settings) -> list[float]:
        """The gain of each node of `layout.gains`."""
        return [settings.gain(name) for name in self._levels]

    def reverberate(self, dry: Array, share: float) -> Array:
        """Play the sum of the voices `[hops * hop]` in the room, of which `share` (0 to 1) is heard."""
        wet, self._wet = dry, list[Array]()  # after each room
        for room in self._rooms:
            wet = room.process(audio=wet)
            self._wet.append(wet)
        before, self._share = self._share, share
        return share_of_room(dry, wet, before, share)


def share_of_room(dry: Array, wet: Array, before: float, share: float) -> Array:
    """Hear a share of the room, 0 to 1, that moves along a line over these samples.

    Args:
        dry: `[n]`.
        wet: `[n]`, the same in the room.
        before: Share at the sample before the first.
        share: Share at the last.

    Returns:
        float32 `[n]`.
    """
    if before == share == 1.0:
        return wet
    ramp = np.linspace(before, share, len(dry) + 1, dtype=np.float32)[1:]
    return np.asarray(dry + ramp * (wet - dry), np.float32)
