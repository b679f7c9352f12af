"""A stream of speech, in another person's voice."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ddsp_edge.card import Card
from ddsp_edge.errors import DdspError, did_you_mean
from ddsp_edge.frames import FrameSpec
from ddsp_edge.model.file import ModelFile, read_model_file
from ddsp_edge.model.step_model import StepModel
from ddsp_edge.units import Array
from ddsp_edge.voice.card import VoiceFacts, facts_of
from ddsp_edge.voice.hearing import Heard, Hearing
from ddsp_edge.voice.matching import MATCH, Shift
from ddsp_edge.voice.synthesis import VoiceSynthesizer
from ddsp_edge.voice.tracking import Tracker, tracker_for
from ddsp_edge.voice.voice_range import VoiceRange

_LOUDEST = 8.0  # 18 dB over full scale; what is beyond is no sound, and would overflow when squared
_GRID_FRAMES = 16
"""Frames after which what was learned of whoever speaks is used: the same in blocks of any size."""


class Network(Protocol):
    """What gives controls: a `ddsp_edge.StepModel`, or a model that is being trained."""

    def reset(self) -> None:
        """Forget everything."""

    def process(self, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """Take frames `[frames, size]` that follow those before; give controls of as many."""


class Converter:
    """Convert a stream at the rate of the model, in blocks of any size.

    The output is late: a frame is converted once what follows it for `ahead` frames was heard, and sounds
    `synthesizer.latency_samples` after that.

    Args:
        network: What gives the controls; it is reset.
        spec: The frame grid.
        facts: The voice.
        shift: What is added to pitch and loudness; None for what brings whoever speaks to the voice.
        heard: Whoever speaks, where that is known; None to learn it, unless a shift is given.
        pitch: Where no shift is given, `"keep"`, `"match"` or semitones.
        voice: Name of the voice, of several.
        seed: Seed of the noise; None for another noise every time.
        tracker: What follows pitch; it is reset. None for what the card names.

    Attributes:
        latency_samples: Integer, by which the sound that `push` gives is later than what it was given, if all
            of it comes at once.
        shift: What is added to pitch and loudness now.
    """

    def __init__(
        self,
        network: Network,
        spec: FrameSpec,
        facts: VoiceFacts,
        *,
        shift: Shift | None = None,
        heard: VoiceRange | None = None,
        pitch: str | float = MATCH,
        voice: str | None = None,
        seed: int | None = None,
        tracker: Tracker | None = None,
    ) -> None:
        self._network, self.spec, self.facts = network, spec, facts
        self._hearing = Hearing(spec, facts.ahead, tracker or tracker_for(facts, spec))
        self._synthesizer = VoiceSynthesizer(spec, facts, seed)
        self._given, self._known, self.pitch = shift, heard, pitch
        self._voice = _weights(facts, voice)
        self.latency_samples = self._hearing.latency_samples + self._synthesizer.latency_samples
        self.delay_samples = self._synthesizer.latency_samples
        """What of it the processors are the cause of."""
        self.reset()

    def reset(self) -> None:
        """Forget everything, who speaks too: the next sample is sample 0."""
        self._network.reset()
        self._hearing.reset()
        self._synthesizer.reset()
        self._range = VoiceRange() if self._known is None else self._known
        self.shift = self._given or Shift.towards(self.facts, self._range, self.pitch)
        self._unlearned: list[tuple[Array, Array]] = []
        self._left = self._skipped = 0
        self._held_hz = self.facts.f0_hz_range.median
        self._counted = 0

    def push(self, audio: npt.ArrayLike, noise: Array | None = None) -> Array:
        """Add samples `[n]`; return the hops that are known now, float32 `[hops * hop]`.

        Args:
            audio: Full scale is 1; what is not finite is silence.
            noise: White noise for the hops that come out, in place of noise that is drawn.
        """
        samples = np.asarray(audio, np.float32)
        if samples.ndim != 1:
            raise DdspError(f"A block must have one dimension. Received shape: {list(samples.shape)}")
        if not np.abs(samples).max(initial=0.0) <= _LOUDEST:  # also where it is no number
            samples = np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -_LOUDEST, _LOUDEST)
        self._left = (self._left + len(samples)) % self.spec.hop
        return self._convert(self._hearing.push(samples), noise)

    def flush(self, noise: Array | None = None) -> Array:
        """End the stream; return all that is left of it, with the ringing of its filters."""
        rest = np.zeros(-self._left % self.spec.hop, np.float32)
        first = self._hearing.push(rest)
        last = self._hearing.flush()
        both = Heard(*(np.concatenate(pair) for pair in zip(_columns(first), _columns(last), strict=True)))
        return self._convert(both, noise)

    def _convert(self, heard: Heard, noise: Array | None) -> Array:
        frames = len(heard.log_mel)
        if not frames:
            return np.zeros(0, np.float32)
        f0_hz, voiced, loudness_db = self._mapped(heard)
        inputs: dict[str, Any] = {
            "log_mel": heard.log_mel,
            "f0_hz": f0_hz,
            "voiced": voiced,
            "loudness_db": loudness_db,
        }
        if self._voice is not None:
            inputs["voice"] = np.repeat(self._voice[np.newaxis], frames, axis=0)
        controls = self._network.process(**inputs)
        drop = min(frames, self.facts.ahead - self._skipped)  # frames of nothing before the first
        self._skipped += drop
        if drop == frames:
            return np.zeros(0, np.float32)
        kept = {name: values[drop:] for name, values in controls.items()}
        return self._synthesizer.render(f0_hz[drop:], kept, noise)

    def _mapped(self, heard: Heard) -> tuple[Array, Array, Array]:
        """Pitch, held where there is none, voicing and loudness as the network takes them, `[frames, 1]`."""
        frames = len(heard.f0_hz)
        nothing = min(frames, max(0, self.facts.ahead - self._counted))
        voiced, loudness = np.zeros(frames, bool), np.empty(frames, np.float32)
        ratio = np.empty(frames)
        start = 0
        while start < frames:
            end = min(frames, start + _GRID_FRAMES - self._counted % _GRID_FRAMES)
            pitches, levels = heard.f0_hz[start:end], heard.loudness_db[start:end]
            voiced[start:end] = self._range.belongs(pitches, levels)
            ratio[start:end] = 2.0 ** (self.shift.semitones / 12.0)
            moved = levels + np.float32(self.shift.loudness_db)
            loudness[start:end] = np.where(levels <= -79.9, levels, moved)  # silence stays that
            self._learn(pitches, levels)
            start = end
        f0_hz = np.empty(frames, np.float32)
        held = self._held_hz
        for i in range(frames):
            if voiced[i]:
                held = float(heard.f0_hz[i]) * ratio[i]
            f0_hz[i] = held
        self._held_hz = held
        f0_hz[:nothing] = 0.0
        return f0_hz[:, np.newaxis], voiced.astype(np.float32)[:, np.newaxis], loudness[:, np.newaxis]

    def _learn(self, f0_hz: Array, loudness_db: Array) -> None:
        """Count frames of one cell of the grid; at its end know better who speaks."""
        self._counted += len(f0_hz)
        if self._given is not None or self._known is not None:
            return
        self._unlearned.append((f0_hz, loudness_db))
        if self._counted % _GRID_FRAMES == 0:
            pitches, levels = (np.concatenate(parts) for parts in zip(*self._unlearned, strict=True))
            self._unlearned = []
            self._range.add(pitches, levels)
            self.shift = Shift.towards(self.facts, self._range, self.pitch)


def _columns(heard: Heard) -> tuple[Array, Array, Array]:
    return (
        heard.log_mel.reshape(len(heard.f0_hz), -1) if len(heard.f0_hz) else _NO_BANDS,
        heard.f0_hz,
        (heard.loudness_db),
    )


_NO_BANDS: Array = np.zeros((0, 40), np.float32)


def _weights(facts: VoiceFacts, voice: str | None) -> Array | None:
    """Which voice, as weights; None where there is one."""
    if len(facts.voices) == 1:
        if voice not in (None, facts.voices[0]):
            raise DdspError(f"the model has one voice only: there is no choice of {voice!r}")
        return None
    name = facts.voices[0] if voice is None else voice
    if name not in facts.voices:
        hint = did_you_mean(name, list(facts.voices))
        raise DdspError(f"the model has no voice {name!r}.{hint} It has {', '.join(facts.voices)}")
    return np.array([one == name for one in facts.voices], np.float32)


def open_converter(path: str | Path | ModelFile[Card], runtime: str = "auto", **settings: Any) -> Converter:
    """Open a model file to convert with.

    Args:
        path: A `.tflite` made by `ddsp-tf export`, or what `read_model_file` made of it.
        runtime: `"auto"`, `"litert"` or `"numpy"`.
        **settings: Of `Converter`.

    Raises:
        DdspError: If the file cannot be used, is of another task, or a setting is not valid.
    """
    file = path if isinstance(path, ModelFile) else read_model_file(path)
    facts = facts_of(file.card, "the model" if isinstance(path, ModelFile) else str(path))
    network, spec = StepModel(file, runtime), file.card.spec
    if settings.get("tracker") is None:
        settings["tracker"] = tracker_for(facts, spec, runtime)
    return Converter(network, spec, facts, **settings)
