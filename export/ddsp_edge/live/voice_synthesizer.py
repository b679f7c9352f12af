"""The synthesizers of several voices, one frame of all of them at a time.

A hop of four voices costs little more than a hop of one: most of its time is that of calling numpy, whatever
the size of the arrays.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.synthesis.filtered_noise import FilteredNoise, white_noise
from ddsp_edge.synthesis.harmonic import Harmonic
from ddsp_edge.synthesis.mixing import Add
from ddsp_edge.synthesis.processor import Processor
from ddsp_edge.synthesis.synthesizer import Synthesizer
from ddsp_edge.units import Array


class VoiceSynthesizer:
    """Run the processor group of a card for several voices, each with phases and tails of its own.

    Each voice sounds as `Synthesizer` does, frame by frame, with noise of its own.

    Args:
        card: The card.
        arrays: The arrays of the model file by name.
        voices: Integer > 0.
        seed: Seed of the noise; None for another noise every time.
        channels: Channels of each control by name, `f0_hz` left out.

    Raises:
        DdspError: If the group cannot be run.
    """

    def __init__(
        self,
        card: InstrumentCard,
        arrays: Mapping[str, Array],
        voices: int,
        seed: int | None,
        channels: Mapping[str, int],
    ) -> None:
        one = Synthesizer(card, arrays, seed, channels)
        self._output = one.output
        self._nodes = [
            (name, _voices_of(processor, voices), inputs) for name, processor, inputs in one.nodes()
        ]

    def reset(self) -> None:
        """Forget everything."""
        for _, processor, _ in self._nodes:
            processor.reset()

    def reset_voice(self, voice: int) -> None:
        """Forget what a voice played: its next frame is frame 0."""
        for _, processor, _ in self._nodes:
            processor.reset_voice(voice)

    def process(self, numbers: Sequence[int], controls: Mapping[str, Array]) -> Array:
        """Render a frame of some voices.

        Args:
            numbers: Which ones, each once, at least one.
            controls: `[len(numbers), channels]` by name.

        Returns:
            float32 `[len(numbers), hop]`.
        """
        return self.signals(numbers, controls)[self._output]

    def signals(self, numbers: Sequence[int], controls: Mapping[str, Array]) -> dict[str, Array]:
        """Render a frame as `process`; return the signal `[len(numbers), hop]` of every node by its name."""
        signals: dict[str, Array] = {}
        for name, processor, inputs in self._nodes:
            given = {
                control: signals[source] if source in signals else controls[source]
                for control, source in inputs.items()
            }
            signals[name] = processor.process(numbers, given)
        return signals


class _Voices(ABC):
    """A processor for several voices."""

    @abstractmethod
    def reset(self) -> None:
        """Forget everything."""

    @abstractmethod
    def reset_voice(self, voice: int) -> None:
        """Forget what a voice played."""

    @abstractmethod
    def process(self, numbers: Sequence[int], inputs: Mapping[str, Array]) -> Array:
        """Render a frame of some voices: `[len(numbers), channels]` by name in, `[len(numbers), hop]` out."""


class _OneByOne(_Voices):
    """What has no faster way."""

    def __init__(self, processor: Processor, voices: int) -> None:
        self._each = [copy.deepcopy(processor) for _ in range(voices)]

    def reset(self) -> None:
        for processor in self._each:
            processor.reset()

    def reset_voice(self, voice: int) -> None:
        self._each[voice].reset()

    def process(self, numbers: Sequence[int], inputs: Mapping[str, Array]) -> Array:
        # A row of a control is one frame `[1, channels]`, a row of a signal a hop `[hop]`.
        signals = ("audio", "audio_0", "audio_1")
        rows = [
            self._each[number].process(
                **{name: value[i] if name in signals else value[i : i + 1] for name, value in inputs.items()}
            )
            for i, number in enumerate(numbers)
        ]
        return np.stack(rows)


class _AddVoices(_Voices):
    def __init__(self, processor: Add) -> None:
        self._add = processor

    def reset(self) -> None:
        """There is nothing to forget."""

    def reset_voice(self, voice: int) -> None:
        """There is nothing to forget."""

    def process(self, numbers: Sequence[int], inputs: Mapping[str, Array]) -> Array:
        return self._add.process(**inputs)


class _HarmonicVoices(_Voices):
    def __init__(self, processor: Harmonic, voices: int) -> None:
        self._harmonic = processor
        self._phase, self._f0 = np.zeros(voices), np.zeros(voices)
        self._amplitudes = np.zeros((voices, processor.n_harmonics), np.float32)
        self._new = np.ones(voices, bool)
        self._any_new = True

    def reset(self) -> None:
        self._phase[:] = 0.0
        self._new[:] = self._any_new = True

    def reset_voice(self, voice: int) -> None:
        self._phase[voice], self._new[voice], self._any_new = 0.0, True, True

    def process(self, numbers: Sequence[int], inputs: Mapping[str, Array]) -> Array:
        f0 = np.asarray(inputs["f0_hz"], np.float64)[:, 0]
        amplitudes = inputs["amplitude"] * inputs["distribution"]
        before, amplitudes_before, phase = self._f0[numbers], self._amplitudes[numbers], self._phase[numbers]
        if self._any_new:  # the first hop of a signal holds frame 0
            new = self._new[numbers]
            before[new], amplitudes_before[new] = f0[new], amplitudes[new]
            self._new[numbers] = False
            self._any_new = bool(self._new.any())
        self._f0[numbers], self._amplitudes[numbers] = f0, amplitudes
        self._phase[numbers] = (phase + self._harmonic.advance(before, f0)) % 1.0
        return self._harmonic.hops(before, f0, phase, amplitudes_before, amplitudes)


class _NoiseVoices(_Voices):
    def __init__(self, processor: FilteredNoise, voices: int) -> None:
        self._noise = processor
        hops, self._hop = processor.tail_shape
        self._tails = np.zeros((voices, (hops + 1) * self._hop), np.float32)
        self.reset()

    def reset(self) -> None:
        self._tails[:] = 0.0
        self._random = np.random.default_rng(self._noise.seed)

    def reset_voice(self, voice: int) -> None:
        self._tails[voice] = 0.0

    def process(self, numbers: Sequence[int], inputs: Mapping[str, Array]) -> Array:
        white = white_noise(self._random, (len(numbers), self._hop))
        pieces = self._noise.pieces(white, inputs["magnitudes"])
        ringing = self._tails[numbers]
        size = min(pieces.shape[1], ringing.shape[1])  # beyond, the transform is padding
        ringing[:, :size] += pieces[:, :size]
        audio = ringing[:, : self._hop].copy()
        ringing[:, : -self._hop] = ringing[:, self._hop :]
        ringing[:, -self._hop :] = 0.0
        self._tails[numbers] = ringing
        return audio


def _voices_of(processor: Processor, voices: int) -> _Voices:
    if isinstance(processor, Harmonic):
        return _HarmonicVoices(processor, voices)
    if isinstance(processor, FilteredNoise):
        return _NoiseVoices(processor, voices)
    if isinstance(processor, Add):
        return _AddVoices(processor)
    return _OneByOne(processor, voices)
