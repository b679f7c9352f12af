"""Fundamental frequency: what an estimator is, and how one is chosen.

No TensorFlow is imported here: `prepare` runs estimators in worker processes, and pYIN needs none.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError, did_you_mean
from ddsp_tf.frames import FrameSpec

ESTIMATORS = ("auto", "pyin", "swift-f0", "crepe", "yin-viterbi")
"""Names of estimators."""
SMOOTHINGS = ("none", "hmm")
"""What may be done to a track along time, besides what the estimator does."""


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


def make_f0_estimator(
    name: str,
    *,
    f0_min_hz: float = 55.0,
    f0_max_hz: float = 2000.0,
    crepe_weights: Path | None = None,
    smoothing: str = "none",
) -> F0Estimator:
    """Build an estimator.

    Args:
        name: `"yin-viterbi"`, `"pyin"`, `"swift-f0"`, `"crepe"`, or `"auto"`, which is `"yin-viterbi"`.
        f0_min_hz: Lowest fundamental frequency looked for, Hz.
        f0_max_hz: Highest fundamental frequency looked for, Hz.
        crepe_weights: Weights file (`model-*.h5` or `.h5.bz2`) of `"crepe"`, which is the `crepe` package
            without it; refused with any other name.
        smoothing: `"hmm"` for a hidden Markov model along time, of an estimator that gives a posterior
            (`"yin-viterbi"`, and `"crepe"` with weights); it needs TensorFlow Probability.

    Raises:
        DdspError: If the name is unknown, the range is empty, the weights cannot be read or are of no use,
            `"crepe"` has neither weights nor the package, `"swift-f0"` no package, or smoothing is not
            possible.
    """
    if smoothing not in SMOOTHINGS:
        raise DdspError(f"f0_smoothing must be one of {', '.join(SMOOTHINGS)}. Received: {smoothing!r}")
    if smoothing == "hmm":
        from ddsp_tf.features.hmm import SmoothedEstimator

        return SmoothedEstimator(
            make_f0_estimator(name, f0_min_hz=f0_min_hz, f0_max_hz=f0_max_hz, crepe_weights=crepe_weights)
        )
    if name not in ESTIMATORS:
        raise DdspError(
            f"f0 must be one of {', '.join(ESTIMATORS)}. Received: {name!r}.{did_you_mean(name, ESTIMATORS)}"
        )
    if not 20.0 <= f0_min_hz < f0_max_hz <= 8000.0:  # also refuses NaN
        raise DdspError(
            f"f0_min_hz and f0_max_hz must rise within 20 to 8000 Hz. Received: {f0_min_hz}, {f0_max_hz}"
        )
    if crepe_weights is not None and name != "crepe":
        raise DdspError(
            f"the weights of CREPE (--crepe-weights {crepe_weights}) are of use to the pitch estimator crepe "
            f"alone. Received: {name}. Leave them out, or name crepe (--f0 crepe)"
        )
    if name in ("auto", "yin-viterbi"):
        from ddsp_tf.features.yin_viterbi import YinViterbiEstimator

        return YinViterbiEstimator(f0_min_hz, f0_max_hz)
    if name == "pyin":
        from ddsp_tf.features.pyin import PyinEstimator

        return PyinEstimator(f0_min_hz, f0_max_hz)
    if name == "swift-f0":
        from ddsp_tf.features.swift_f0 import SwiftF0Estimator

        return SwiftF0Estimator(f0_min_hz, f0_max_hz)
    if crepe_weights is not None:
        from ddsp_tf.features.crepe import CrepeEstimator

        return CrepeEstimator(Path(crepe_weights), f0_min_hz, f0_max_hz)
    from ddsp_tf.features.crepe_package import CrepePackageEstimator

    return CrepePackageEstimator(f0_min_hz, f0_max_hz)


def f0_estimator_as_recorded(recorded: dict[str, Any], crepe_weights: Path | None = None) -> F0Estimator:
    """Make the estimator that a dataset or a model names, so that it meets the pitch it was trained on.

    Args:
        recorded: Name and settings as a dataset or a model keeps them.
        crepe_weights: Published CREPE weights, which are not kept with them; refused where the estimator is
            another.

    Returns:
        The estimator; what `"auto"` is in place of CREPE where its weights are needed and not given. Compare
        `.name`.

    Raises:
        DdspError: If none is recorded, or as `make_f0_estimator`.
    """
    if not isinstance(recorded.get("name"), str):
        raise DdspError("the f0 estimator that was used is not recorded: prepare and train again")
    limits = {k: float(recorded[k]) for k in ("f0_min_hz", "f0_max_hz") if k in recorded}
    name = recorded["name"]
    if recorded.get("implementation") == "keras" and crepe_weights is None:
        name = "auto"
    smoothing = recorded.get("smoothing", "none") if name == recorded["name"] else "none"
    return make_f0_estimator(name, crepe_weights=crepe_weights, smoothing=smoothing, **limits)
