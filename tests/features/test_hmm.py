"""Smoothing by a hidden Markov model: against the sums and products written out, and on sounds."""

import importlib.util
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.features import make_f0_estimator
from ddsp_tf.features.f0_estimators import f0_estimator_as_recorded
from ddsp_tf.features.hmm import Posterior, _infer, _transitions, smooth
from ddsp_tf.frames import FrameSpec
from tests.features.sounds import cents_off, harmonic_sound

WEIGHTS = Path(os.environ.get("DDSP_TEST_DATA", "absent")) / "crepe" / "model-tiny.h5.bz2"
INSTALLED = all(importlib.util.find_spec(name) for name in ("tensorflow_probability", "tf_keras"))
needs_package = pytest.mark.skipif(not INSTALLED, reason="TensorFlow Probability is not installed")
BIN_HZ = 55.0 * np.exp2(np.arange(301) / 60.0)


def posterior(pitch_bins: Array, voicing: Array, width: float = 1.5) -> Posterior:
    """One clear pitch at each instant, 10 ms apart."""
    pitch = np.exp(-(((np.arange(len(BIN_HZ)) - pitch_bins[:, None]) / width) ** 2)) + 1e-6
    pitch /= np.sum(pitch, axis=1, keepdims=True)
    return Posterior(np.arange(len(pitch_bins)) * 160.0, 0.01, BIN_HZ, pitch, voicing, lambda f0_hz: f0_hz)


@needs_package
def test_states_are_those_of_the_equations() -> None:
    rng = np.random.default_rng(0)
    steps, bins = 40, 12
    likelihood = rng.uniform(0.01, 1.0, (steps, bins + 1))
    log_table = _transitions(bins, 1.0 / 60.0, 0.01)
    table = np.exp(log_table.astype(np.float64))
    np.testing.assert_allclose(table.sum(axis=1), 1.0, atol=1e-6)  # float32 logarithms

    best, came_from = np.log(likelihood[0]), []
    forward, backward = [likelihood[0]], [np.ones(bins + 1)]
    for t in range(1, steps):
        reached = best[:, None] + np.log(table)
        came_from.append(reached.argmax(axis=0))
        best = reached.max(axis=0) + np.log(likelihood[t])
        forward.append((forward[-1] @ table) * likelihood[t])
    for t in range(steps - 1, 0, -1):
        backward.append(table @ (likelihood[t] * backward[-1]))
    expected_path = [int(best.argmax())]
    for pointers in reversed(came_from):
        expected_path.append(int(pointers[expected_path[-1]]))
    expected = np.array(forward) * np.array(backward[::-1])

    path, marginal = _infer(likelihood, log_table)
    np.testing.assert_array_equal(path, expected_path[::-1])
    # float32 over 40 steps
    np.testing.assert_allclose(marginal, expected / expected.sum(axis=1, keepdims=True), atol=1e-4)


@needs_package
def test_a_glitch_of_an_octave_is_mended_and_a_gap_keeps_its_pitch_as_a_guess() -> None:
    bins = 120.0 + 10.0 * np.sin(np.arange(200) / 20.0)
    truth_hz = 55.0 * np.exp2(bins / 60.0)
    voicing = np.full(200, 0.95)
    voicing[100:110] = 0.02
    heard, wrong = posterior(bins, voicing), posterior(bins + 60.0, voicing)
    heard.pitch[50:52] = 0.7 * wrong.pitch[50:52] + 0.3 * heard.pitch[50:52]
    heard.pitch[100:110] = 1.0 / len(BIN_HZ)
    found = smooth(heard)
    np.testing.assert_array_equal(found.voiced[:100], True)
    assert not np.any(found.voiced[100:110])
    assert np.all(found.voiced[110:])
    assert np.max(cents_off(found.guess_hz[:100], truth_hz[:100])) < 3.0
    # In the gap nothing but its two ends tells the pitch, which glides by 4 bins meanwhile.
    assert np.max(cents_off(found.guess_hz[100:110], truth_hz[100:110])) < 100.0
    assert np.all((found.voicing >= 0.5) == found.voiced)
    assert np.min(found.confidence[:48]) > 0.9


@needs_package
def test_a_leap_is_followed() -> None:
    bins = np.repeat([100.0, 180.0], 100)
    found = smooth(posterior(bins, np.full(200, 0.95)))
    assert np.max(cents_off(found.guess_hz, 55.0 * np.exp2(bins / 60.0))) < 3.0


@needs_package
def test_an_estimator_may_be_smoothed_and_says_so() -> None:
    spec = FrameSpec(16_000, 64)
    estimator = make_f0_estimator("auto", f0_min_hz=100.0, f0_max_hz=800.0, smoothing="hmm")
    assert estimator.name == "yin-viterbi"
    assert json.loads(json.dumps(estimator.settings))["smoothing"] == "hmm"
    tone = harmonic_sound(np.full(16_000, 220.0), 16_000)
    noise = 0.1 * np.random.default_rng(1).standard_normal(16_000).astype(np.float32)
    track = pickle.loads(pickle.dumps(estimator)).estimate(np.concatenate([tone, noise]), spec)
    assert np.max(cents_off(track.f0_hz[20:235], np.full(215, 220.0))) < 2.0
    assert np.mean(track.f0_hz[270:480] > 0) < 0.05
    assert np.min(track.voicing[20:235]) > 0.9
    recorded = {"name": estimator.name, **estimator.settings}
    again = f0_estimator_as_recorded(recorded)
    assert {"name": again.name, **again.settings} == recorded


@needs_package
@pytest.mark.skipif(
    not WEIGHTS.exists(), reason="DDSP_TEST_DATA names no folder with crepe/model-tiny.h5.bz2"
)
def test_crepe_may_be_smoothed() -> None:
    estimator = make_f0_estimator("crepe", crepe_weights=WEIGHTS, smoothing="hmm")
    tone = harmonic_sound(np.full(16_000, 220.0), 16_000)
    silence = np.zeros(16_000, np.float32)
    track = estimator.estimate(np.concatenate([tone, silence]), FrameSpec(16_000, 64))
    assert np.max(cents_off(track.f0_hz[20:235], np.full(215, 220.0))) < 2.0
    assert not np.any(track.f0_hz[270:])


def test_what_gives_no_posterior_and_unknown_smoothing_are_refused() -> None:
    with pytest.raises(DdspError, match=r"gives a posterior.*Received: pyin"):
        make_f0_estimator("pyin", smoothing="hmm")
    with pytest.raises(DdspError, match="none, hmm"):
        make_f0_estimator("auto", smoothing="median")


@pytest.mark.skipif(INSTALLED, reason="TensorFlow Probability is installed")
def test_without_its_package_it_is_refused_in_words() -> None:
    with pytest.raises(DdspError, match=r"\[train,hmm\]"):
        make_f0_estimator("auto", smoothing="hmm")
