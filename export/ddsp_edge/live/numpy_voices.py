"""Voices played by LiteRT's network and a synthesizer in numpy."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.live.voice_synthesizer import VoiceSynthesizer
from ddsp_edge.model.file import ModelFile
from ddsp_edge.model.network import Network
from ddsp_edge.synthesis.synthesizer import Synthesizer
from ddsp_edge.synthesis.voice_graph import VoiceFrames, VoiceLayout
from ddsp_edge.transfer.consonants import Consonants
from ddsp_edge.units import Array, scale_features, silence_bad


class VoiceNetwork(Network):
    """A network that plays several voices in turn.

    The inputs of `step` have batch 1, and a graph with a constant RESHAPE cannot be resized (XNNPACK refuses
    it), so each voice takes a step of its own. All share one interpreter, its weights and its kernels.

    Args:
        model: The flatbuffer.
        card: Its card.
        voices: Integer > 0.

    Raises:
        DdspError: As `Network`.
    """

    def __init__(self, model: bytes, card: InstrumentCard, voices: int) -> None:
        super().__init__(model, card)
        self._memories: list[dict[str, Array]] = [{} for _ in range(voices)]
        for voice in range(voices):
            self.reset_voice(voice)

    def reset_voice(self, voice: int) -> None:
        """Set the states of a voice to zero."""
        self.reset()
        self._memories[voice] = self._states

    def process_voice(self, voice: int, *scaled: Array) -> dict[str, Array]:
        """Run frames of a voice; see `Network.process`."""
        return self._run(scaled, itertools.repeat(self._memories[voice]))

    def process_voices(self, numbers: Sequence[int], *scaled: Array) -> dict[str, Array]:
        """Run a frame of each of some voices, `[len(numbers)]`; see `Network.process`."""
        return self._run(scaled, [self._memories[voice] for voice in numbers])


class NumpyVoices:
    """Play voices by the signature `step` and numpy.

    Args:
        network: The network, with a memory for each voice.
        file: The model file.
        layout: The layout of its synthesizer.
        voices: Integer > 0.
        seed: Seed of the noise; None for another noise every time.
        consonants: What `play` does with frames without a pitch, one of `ddsp_edge.ranges.CONSONANTS`.

    Raises:
        DdspError: If the group cannot be run.
    """

    def __init__(
        self,
        network: VoiceNetwork,
        file: ModelFile[InstrumentCard],
        layout: VoiceLayout,
        voices: int,
        seed: int | None,
        consonants: str = "hold",
    ) -> None:
        self._network, self._voices = network, voices
        self._controls = [control for _, control in layout.levels()]
        card = dataclasses.replace(file.card, synthesizer=layout.synthesizer)
        channels = network.output_channels
        # Frames of one voice together, and a frame of several: a stream uses one of the two.
        self._alone = Synthesizer(card, file.arrays, seed, channels)
        self._consonants = Consonants(self._alone, consonants)
        self._together = VoiceSynthesizer(card, file.arrays, voices, seed, channels)

    def reset(self) -> None:
        """Forget everything, the noise too."""
        for voice in range(self._voices):
            self.reset_voice(voice)
        self._alone.reset()
        self._together.reset()

    def reset_voice(self, voice: int) -> None:
        """Forget what a voice of `play_voices` played: its next frame is frame 0."""
        self._network.reset_voice(voice)
        self._together.reset_voice(voice)

    def play(self, frames: VoiceFrames, pitched: Array | None = None) -> Array:
        """Play frames of voice 0: float32 `[frames * hop]`, finite."""
        controls = self._network.process_voice(0, *_scaled(frames))
        if pitched is not None:
            controls["f0_hz"] = np.asarray(frames.f0_hz, np.float64)[:, None]
            controls = self._consonants.process(controls, pitched)
        return silence_bad(self._alone.process(self._balanced(frames, controls)))

    def play_voices(self, numbers: Sequence[int], frames: VoiceFrames) -> Array:
        """Play a frame of each of some voices: float32 `[len(numbers), hop]`, finite."""
        controls = self._voices_controls(numbers, frames)
        return silence_bad(self._together.process(numbers, controls))

    def signals(self, numbers: Sequence[int], frames: VoiceFrames) -> dict[str, Array]:
        """Play a frame as `play_voices`; give the signal of every node by its name."""
        controls = self._voices_controls(numbers, frames)
        signals = self._together.signals(numbers, controls)
        return {name: silence_bad(signal) for name, signal in signals.items()}

    def _voices_controls(self, numbers: Sequence[int], frames: VoiceFrames) -> dict[str, Array]:
        return self._balanced(frames, self._network.process_voices(numbers, *_scaled(frames)))

    def _balanced(self, frames: VoiceFrames, controls: dict[str, Array]) -> dict[str, Array]:
        changed: dict[str, Array] = {"f0_hz": np.asarray(frames.f0_hz, np.float64)[:, None], **controls}
        for control, gain in zip(self._controls, frames.gains, strict=True):
            if gain != 1.0:
                changed[control] = changed[control] * np.float32(gain)
        return changed


def _scaled(frames: VoiceFrames) -> list[Array]:
    """Inputs of the network, `[frames]` each."""
    return [*scale_features(frames.f0_hz, frames.loudness_db), *frames.further]
