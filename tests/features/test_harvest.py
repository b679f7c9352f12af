"""Harvest on the frame grid, against sounds whose pitch is known exactly."""

import importlib.util
import json
import pickle

import numpy as np
import pytest

from ddsp_tf.errors import DdspError
from ddsp_tf.features import make_f0_estimator
from ddsp_tf.features.harvest import HarvestEstimator
from ddsp_tf.frames import FrameSpec
from tests.features.sounds import best_lag, cents_off, glide, harmonic_sound

INSTALLED = importlib.util.find_spec("pyworld") is not None
needs_package = pytest.mark.skipif(not INSTALLED, reason="the package pyworld is not installed")
SPEC = FrameSpec(16_000, 128)


@needs_package
def test_pitch_stays_on_its_frames_beyond_the_first_piece() -> None:
    truth = glide(35.0, 16_000)
    track = HarvestEstimator().estimate(harmonic_sound(truth, 16_000), SPEC)
    assert track.f0_hz.shape == (SPEC.n_frames(len(truth)),)
    for seconds in (1, 31):  # pieces have 30 s
        frames = np.arange(seconds * 125, (seconds + 3) * 125)
        assert abs(best_lag(track.f0_hz, truth, frames, SPEC.hop)) <= SPEC.hop // 2
        assert np.median(cents_off(track.f0_hz[frames], truth[(frames + 1) * SPEC.hop])) < 5.0


@needs_package
def test_silence_is_unvoiced() -> None:
    track = HarvestEstimator().estimate(np.zeros(16_000, np.float32), SPEC)
    np.testing.assert_array_equal(track.f0_hz, 0.0)


@needs_package
def test_it_can_be_sent_to_a_process_and_recorded() -> None:
    estimator = make_f0_estimator("harvest", f0_min_hz=60.0, f0_max_hz=500.0)
    sound = harmonic_sound(np.full(16_000, 220.0), 16_000)
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.estimate(sound, SPEC).f0_hz, estimator.estimate(sound, SPEC).f0_hz)
    assert json.loads(json.dumps(estimator.settings)) == estimator.settings


@pytest.mark.skipif(INSTALLED, reason="the package pyworld is installed")
def test_without_its_package_it_is_refused_in_words() -> None:
    with pytest.raises(DdspError, match=r"\[train,world\]"):
        make_f0_estimator("harvest")
