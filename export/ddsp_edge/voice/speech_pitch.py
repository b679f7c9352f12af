"""The pitch of speech by a network: in soft, hoarse and fast speech it hears more than repetition tells."""

from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ddsp_edge.card import Card
from ddsp_edge.errors import DdspError
from ddsp_edge.features.log_mel import N_MELS, LogMel
from ddsp_edge.features.log_mel import NAME as LOG_MEL
from ddsp_edge.features.repetition import HIGHEST_HZ, WINDOW_SECONDS, Repetition, pitches_hz
from ddsp_edge.features.repetition import NAME as REPETITION
from ddsp_edge.frames import FrameSpec
from ddsp_edge.model.file import ModelFile, read_model_file
from ddsp_edge.model.step_model import StepModel
from ddsp_edge.units import Array

NAME = "SpeechPitch"
"""How a card names this definition."""
VOICED_FROM = 0.4
"""Probability of a pitch from where on there is one: taken for none, words are whispered."""
TASK = "pitch"
_LOWEST_HZ, _HIGHEST_HZ = 2.0 / WINDOW_SECONDS, HIGHEST_HZ / 2.0
_NEAR = 3  # pitches of the grid on either side of the likeliest that have a say
_MAX_AHEAD = 50
_MOST = 80.0  # that an exponential is taken of


class Network(Protocol):
    """What gives logits: a `ddsp_edge.StepModel`, or a model that is being trained."""

    def reset(self) -> None:
        """Forget everything."""

    def process(self, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """Take frames `[frames, size]` that follow those before; give `pitches` of as many."""


def read_pitches(logits: Array, grid_hz: Array) -> tuple[Array, Array]:
    """Pitch and voicing of logits.

    The pitch is the mean of those near the likeliest, in log frequency, weighted by their probabilities, as
    CREPE reads it (Kim et al., ICASSP 2018).

    Args:
        logits: `[frames, pitches + 1]`, the last one that of no pitch.
        grid_hz: `[pitches]`, rising evenly in log frequency.

    Returns:
        Pitch, Hz, of every frame, voiced or not, and voicing, float32 `[frames]` each: the probability of a
        pitch, its odds scaled so that one of 0.4 is 0.5, from where on there is one.
    """
    pitches, none = logits[:, :-1], logits[:, -1]
    highest = pitches.max(axis=1, initial=-np.inf)
    shares = np.exp(pitches - highest[:, np.newaxis])  # of the pitches among themselves: 1 for the likeliest
    near = pitches.argmax(axis=1)[:, np.newaxis] + np.arange(-_NEAR, _NEAR + 1)
    inside = (near >= 0) & (near < len(grid_hz))
    weights = np.where(inside, np.take_along_axis(shares, np.clip(near, 0, len(grid_hz) - 1), axis=1), 0.0)
    place = (weights * near).sum(axis=1) / weights.sum(axis=1)
    f0_hz = grid_hz[0] * (grid_hz[1] / grid_hz[0]) ** place
    lead = none - highest - np.log(shares.sum(axis=1))  # of no pitch
    lead += np.log(VOICED_FROM / (1.0 - VOICED_FROM))
    voicing = 1.0 / (1.0 + np.exp(np.minimum(lead, _MOST)))
    return f0_hz.astype(np.float32), voicing.astype(np.float32)


class SpeechPitch:
    """Follow the pitch of a stream of speech, frame by frame, as `ddsp_edge.PitchTracker` does.

    Args:
        network: What gives the logits; it is reset.
        spec: The frame grid.
        f0_min_hz: Lowest pitch of its grid, Hz.
        f0_max_hz: Highest, Hz.
        ahead: Integer, frames that it waits before it speaks of one.

    Attributes:
        latency_samples: Samples after the one that a frame stands for until its pitch is known.
    """

    def __init__(
        self, network: Network, spec: FrameSpec, f0_min_hz: float, f0_max_hz: float, ahead: int
    ) -> None:
        self._network, self.spec, self._ahead = network, spec, ahead
        self._repetition = Repetition(spec, f0_min_hz, f0_max_hz)
        self._mel = LogMel(spec)
        self.latency_samples = self._repetition.latency_samples + ahead * spec.hop
        self.reset()

    @cached_property
    def _grid_hz(self) -> Array:
        return self._repetition.pitches_hz

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0."""
        self._network.reset()
        self._repetition.reset()
        self._mel.reset()
        self._bands: Array = np.zeros((0, N_MELS), np.float32)  # that wait for the longer window
        self._skip = self._ahead

    def push(self, audio: npt.ArrayLike) -> tuple[Array, Array]:
        """Add samples `[n]`; return pitch, Hz, and voicing, 0 to 1, of the frames that are known now."""
        return self._read(self._repetition.push(audio), self._mel.push(audio))

    def flush(self) -> tuple[Array, Array]:
        """End the stream; return those of its last frames."""
        silence = np.zeros(self._ahead * self.spec.hop, np.float32)
        parts = [self.push(silence), self._read(self._repetition.flush(), self._mel.flush())]
        f0_hz, voicing = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return f0_hz, voicing

    def _read(self, repetition: Array, bands: Array) -> tuple[Array, Array]:
        self._bands = np.concatenate([self._bands, bands])
        count = len(repetition)
        now, self._bands = self._bands[:count], self._bands[count:]
        logits = self._network.process(repetition=repetition, log_mel=now)["pitches"]
        drop = min(self._skip, count)
        self._skip -= drop
        return read_pitches(logits[drop:], self._grid_hz)


def open_speech_pitch(path: str | Path | ModelFile[Card], runtime: str = "auto") -> SpeechPitch:
    """Open a model file to follow pitch with.

    Args:
        path: A `.tflite` of the task `pitch`, or what `read_model_file` made of it.
        runtime: `"auto"`, `"litert"` or `"numpy"`.

    Raises:
        DdspError: If the file cannot be used, is of another task, or its card cannot be right.
    """
    file: ModelFile[Card] = path if isinstance(path, ModelFile) else read_model_file(path)
    card, origin = file.card, "the model" if isinstance(path, ModelFile) else str(path)
    if card.task != TASK:
        raise DdspError(f"{origin} holds a model of the task {card.task!r}, not one that hears pitch")
    ahead = card.about.get("lookahead_frames")
    if type(ahead) is not int or not 0 <= ahead <= _MAX_AHEAD:
        raise DdspError(f"{origin}: lookahead_frames must be 0 to {_MAX_AHEAD}. Received: {str(ahead)[:40]}")
    for name, definition in (("repetition", REPETITION), ("log_mel", LOG_MEL)):
        told = card.extractors.get(name, {}).get("name")
        if told != definition:
            raise DdspError(
                f"{origin}: {name} must be measured as {definition}. Received: {str(told)[:40]!r}"
            )
    low, high = (_hertz(card.extractors["repetition"].get(name)) for name in ("f0_min_hz", "f0_max_hz"))
    if not (low and high):
        raise DdspError(
            f"{origin}: its pitches, f0_min_hz to f0_max_hz, must lie within {_LOWEST_HZ:g} to "
            f"{_HIGHEST_HZ:g} Hz"
        )
    if not high >= 2.0 * low:
        raise DdspError(f"{origin}: its pitches must span an octave. Received: {low:g} to {high:g} Hz")
    count = len(pitches_hz(low, high))
    shapes = {name: port.shape for name, port in {**card.inputs, **card.outputs}.items()}
    wanted = {"repetition": (1, 2 * count), "log_mel": (1, N_MELS), "pitches": (1, count + 1)}
    if set(card.inputs) != {"repetition", "log_mel"} or shapes != wanted:
        raise DdspError(
            f"{origin}: of {count} pitches, as its range has them, it must take repetition [1, {2 * count}] "
            f"and log_mel [1, {N_MELS}], and give pitches [1, {count + 1}]"
        )
    return SpeechPitch(StepModel(file, runtime), card.spec, low, high, ahead)


def _hertz(value: Any) -> float:
    """A pitch that can be looked for; 0 where it is none."""
    right = type(value) in (int, float) and _LOWEST_HZ <= value <= _HIGHEST_HZ
    return float(value) if right else 0.0
