"""Smoothing along time by a hidden Markov model, for any estimator that gives a posterior.

As in M. Mauch and S. Dixon, "pYIN: A fundamental frequency estimator using probabilistic threshold
distributions", ICASSP 2014, states are pitches a fixed step apart, and unvoiced, which here is one state for
all. The model is TensorFlow Probability's `HiddenMarkovModel`: the extra `[hmm]`.
"""

import functools
import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.features.f0_grid import EstimatorInPieces, Instants

_GLIDE_OCTAVES = 20.0  # a second; half again as fast is all but a jump
_JUMP = 1e-3  # share of steps of pitch that may lead anywhere: notes follow one another without a glide
_SWITCH = 1.0  # a second, times that voicing begins or ends
_LEAST = 1e-5  # probability below which nothing is ruled out
_NEAR_CENTS = 50.0
_MEMORY_MIB = 1_050.0  # of TensorFlow, TensorFlow Probability, and a compiled model
_FEWEST = 512  # steps; they are filled up to this times a power of two, each of which is compiled once


@dataclass(frozen=True)
class Posterior:
    """How likely each pitch is at each instant, by what is heard there alone.

    Args:
        at: `[instants]`, samples of the sound, rising evenly, may be fractions.
        step_seconds: Time from one to the next.
        bin_hz: `[bins]`, rising evenly in log frequency.
        pitch: `[instants, bins]`, probability of each pitch if there is one; its sum over bins is 1.
        voicing: `[instants]`, 0 to 1, probability that there is a pitch.
        refine: Maps f0 in Hz `[instants]`, as exact as bins are, to the exact one; 0 where nothing is heard.
    """

    at: Array
    step_seconds: float
    bin_hz: Array
    pitch: Array
    voicing: Array
    refine: Callable[[Array], Array]


@runtime_checkable
class PosteriorEstimator(F0Estimator, Protocol):
    """An estimator that tells how likely each pitch is."""

    def posterior(self, audio: Array, sample_rate: int) -> Posterior:
        """Look at a sound `[n]` of bounded length."""
        ...


class SmoothedEstimator(EstimatorInPieces):
    """An estimator whose posterior is smoothed along time.

    The most likely sequence of states decides voicing and pitch; their posterior probabilities, given the
    whole sound, are voicing and confidence, and guess the pitch where it is unvoiced.

    Args:
        estimator: What it smooths.

    Raises:
        DdspError: If the estimator gives no posterior, or TensorFlow Probability is not installed.
    """

    def __init__(self, estimator: F0Estimator) -> None:
        if not isinstance(estimator, PosteriorEstimator):
            raise DdspError(
                "f0_smoothing: hmm needs an estimator that gives a posterior: yin-viterbi, or crepe with "
                f"weights. Received: {estimator.name}"
            )
        if any(importlib.util.find_spec(name) is None for name in ("tensorflow_probability", "tf_keras")):
            raise DdspError(
                'f0_smoothing: hmm needs TensorFlow Probability (pip install ".[train,hmm]" in a checkout of '
                "ddsp_tf); f0_smoothing: none does not"
            )
        self._estimator: PosteriorEstimator = estimator
        self.name = estimator.name
        self.context_seconds = max(1.0, estimator.context_seconds)
        self.parallel = True  # XLA is
        self.settings: dict[str, Any] = {**estimator.settings, "smoothing": "hmm"}

    def memory_mib(self, seconds: float) -> float:
        """See `F0Estimator`; 1088 MiB were measured of `yin-viterbi`, 1067 of `crepe` with tiny weights."""
        return self._estimator.memory_mib(seconds) + _MEMORY_MIB

    def _analyse(self, audio: Array, sample_rate: int) -> Instants:
        return smooth(self._estimator.posterior(audio, sample_rate))


def smooth(posterior: Posterior) -> Instants:
    """Find the most likely sequence of pitches; see `SmoothedEstimator`."""
    bins = len(posterior.bin_hz)
    bin_octaves = float(np.log2(posterior.bin_hz[-1] / posterior.bin_hz[0])) / max(1, bins - 1)
    # Of the states before anything is heard: a pitch is as likely as none, and all pitches are alike. The
    # likelihood of a state is its posterior by that prior, here times a constant.
    voiced = posterior.voicing[:, None] * posterior.pitch
    unvoiced = (1.0 - posterior.voicing[:, None]) / bins
    likelihood = np.maximum(np.concatenate([voiced, unvoiced], axis=1), _LEAST / bins)
    path, marginal = _infer(likelihood, _transitions(bins, bin_octaves, posterior.step_seconds))
    is_voiced = path < bins
    pitches = marginal[:, :bins]
    state = np.where(is_voiced, path, np.argmax(pitches, axis=1))

    reach = max(1, round(_NEAR_CENTS / 1200.0 / bin_octaves))
    near = np.clip(state[:, None] + np.arange(-reach, reach + 1), 0, bins - 1)
    weight = np.take_along_axis(posterior.pitch, near, axis=1) + 1e-9
    octaves = np.sum(weight * np.log2(posterior.bin_hz)[near], axis=1) / np.sum(weight, axis=1)
    guess_hz = posterior.refine(np.exp2(octaves))
    heard = guess_hz > 0

    voicing = 1.0 - marginal[:, bins]
    voicing = np.where(is_voiced, np.maximum(voicing, 0.5), np.minimum(voicing, 0.499)) * heard
    inside = np.abs(np.arange(bins) - state[:, None]) <= reach
    confidence = np.sum(pitches * inside, axis=1) / np.maximum(np.sum(pitches, axis=1), 1e-9)
    return Instants(posterior.at, guess_hz, is_voiced & heard, voicing, np.clip(confidence, 0.0, 1.0) * heard)


def _transitions(bins: int, bin_octaves: float, step_seconds: float) -> Array:
    """Log probabilities `[bins + 1, bins + 1]` of the next state, given one; the last is unvoiced."""
    away = np.abs(np.arange(bins)[:, None] - np.arange(bins)) * bin_octaves
    glide = np.maximum(1.0 - away / max(_GLIDE_OCTAVES * step_seconds, 1.5 * bin_octaves), 0.0)
    glide /= glide.sum(axis=1, keepdims=True)
    switch = min(0.5, _SWITCH * step_seconds)
    table = np.empty((bins + 1, bins + 1))
    table[:bins, :bins] = (1.0 - switch) * ((1.0 - _JUMP) * glide + _JUMP / bins)
    table[:bins, bins] = switch
    table[bins, :bins] = switch / bins
    table[bins, bins] = 1.0 - switch
    return np.log(table).astype(np.float32)


def _infer(likelihood: Array, transitions: Array) -> tuple[Array, Array]:
    """Most likely states `[steps]` and posterior probabilities `[steps, states]`, given likelihoods."""
    steps = len(likelihood)
    rows = np.log(likelihood) - np.log(np.max(likelihood, axis=1, keepdims=True))
    # Steps in which all states are equally likely, after the end, change nothing before it.
    filled = np.zeros(
        (_FEWEST << (max(0, steps - 1) // _FEWEST).bit_length(), likelihood.shape[1]), np.float32
    )
    filled[:steps] = rows
    path, marginal = _compiled()(filled + np.float32(-1e-6), transitions)
    return path.numpy()[:steps], marginal.numpy()[:steps]


@functools.cache
def _compiled() -> Any:
    """The inference, compiled for each number of steps and states."""
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the packages it imports: nothing a user can act on
        import tensorflow_probability as tfp

        tfd = tfp.distributions

    @tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
    def infer(log_likelihood: Any, transitions: Any) -> Any:
        steps, states = log_likelihood.shape
        # What is observed is 'this was heard', which each state makes as likely as it does.
        heard = tfd.Bernoulli(logits=log_likelihood - tf.math.log(-tf.math.expm1(log_likelihood)))
        model = tfd.HiddenMarkovModel(
            initial_distribution=tfd.Categorical(logits=tf.zeros([states])),
            transition_distribution=tfd.Categorical(logits=transitions),
            observation_distribution=heard,
            num_steps=steps,
            time_varying_observation_distribution=True,
        )
        observed = tf.ones([steps], tf.int32)
        return model.posterior_mode(observed), model.posterior_marginals(observed).probs_parameter()

    return infer
