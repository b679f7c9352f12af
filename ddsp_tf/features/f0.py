"""Fundamental frequency: what a track is, and what estimates one."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec


def _not_given() -> Array:
    return np.zeros(0, np.float32)


@dataclass(frozen=True)
class F0Track:
    """Fundamental frequency on a frame grid, all of it float32 `[frames]`.

    Args:
        f0_hz: Hz; 0 where the sound has no pitch.
        voicing: 0 to 1, the probability that there is a pitch as the estimator sees it; from about 0.5 on
            `f0_hz` is not 0.
        confidence: 0 to 1, how sure the estimator is that `guess_hz` is the pitch, if there is one: how
            alike two periods are for `yin-viterbi` and `pyin`, the network's activation for `crepe` and
            `swift-f0`, the posterior probability of the pitches within 50 cents where a hidden Markov model
            smooths. If not given, the voicing.
        guess_hz: Hz, the likeliest pitch of every frame, voiced or not; 0 where there is nothing to go by. It
            is `f0_hz` where that is not 0. If not given, `f0_hz`.
    """

    f0_hz: Array
    voicing: Array
    confidence: Array = field(default_factory=_not_given)
    guess_hz: Array = field(default_factory=_not_given)

    def __post_init__(self) -> None:
        if len(self.confidence) == 0:
            object.__setattr__(self, "confidence", self.voicing)
        if len(self.guess_hz) == 0:
            object.__setattr__(self, "guess_hz", self.f0_hz)


class F0Estimator(Protocol):
    """Estimates the fundamental frequency of a monophonic sound.

    Estimators can be pickled and hold no open resources, so a process pool can carry them. Memory does
    not grow with the length of the sound beyond what the result itself takes.

    Attributes:
        name: Short name, as recorded in datasets and models.
        settings: Everything that the result depends on besides the sound; goes into JSON.
        context_seconds: How much sound before and after a passage changes the track inside it.
        parallel: Whether it uses all cores by itself, so that a second process of it would gain nothing.
    """

    name: str
    settings: dict[str, Any]
    context_seconds: float
    parallel: bool

    def memory_mib(self, seconds: float) -> float:
        """Resident memory, MiB, of a process that tracks sounds of this length, as far as it is not the
        sound's: with Python and all that the estimator loads.
        """
        ...

    def estimate(self, audio: Array, spec: FrameSpec) -> F0Track:
        """Track a sound.

        Args:
            audio: Samples `[n]` at `spec.sample_rate`, full scale 1.
            spec: The frame grid of the result.

        Returns:
            A track of exactly `n // hop` frames; frame `i` stands for sample `(i + 1) * hop`.
        """
        ...
