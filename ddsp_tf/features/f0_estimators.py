"""Estimators of the fundamental frequency by name.

No TensorFlow is imported here: `prepare` runs estimators in worker processes, and pYIN needs none.
"""

from pathlib import Path
from typing import Any

from ddsp_tf.errors import DdspError, did_you_mean
from ddsp_tf.features.f0 import F0Estimator

ESTIMATORS = ("auto", "pyin", "swift-f0", "crepe", "harvest", "speech", "yin-viterbi")
"""Names of estimators."""
SMOOTHINGS = ("none", "hmm")
"""What may be done to a track along time, besides what the estimator does."""


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
        name: `"yin-viterbi"`, `"pyin"`, `"swift-f0"`, `"crepe"`, `"harvest"`, `"speech"`, or `"auto"`, which
            is `"yin-viterbi"`.
        f0_min_hz: Lowest fundamental frequency looked for, Hz.
        f0_max_hz: Highest fundamental frequency looked for, Hz.
        crepe_weights: Weights file (`model-*.h5` or `.h5.bz2`) of `"crepe"`, which is the `crepe` package
            without it; refused with any other name.
        smoothing: `"hmm"` for a hidden Markov model along time, of an estimator that gives a posterior
            (`"yin-viterbi"`, and `"crepe"` with weights); it needs TensorFlow Probability.

    Raises:
        DdspError: If the name is unknown, the range is empty, the weights cannot be read or are of no use,
            `"crepe"` has neither weights nor the package, `"swift-f0"` or `"harvest"` no package, or
            smoothing is not possible.
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
    if name == "harvest":
        from ddsp_tf.features.harvest import HarvestEstimator

        return HarvestEstimator(f0_min_hz, f0_max_hz)
    if name == "speech":
        from ddsp_tf.features.speech_pitch import SpeechEstimator

        return SpeechEstimator(f0_min_hz, f0_max_hz)
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
