"""SwiftF0 on the frame grid, against sounds whose pitch is known exactly."""

import importlib.util
import json
import pickle

import numpy as np
import pytest

from ddsp_tf.errors import DdspError
from ddsp_tf.features import make_f0_estimator
from ddsp_tf.features.swift_f0 import SwiftF0Estimator
from ddsp_tf.frames import FrameSpec
from tests.features.sounds import best_lag, cents_off, glide, harmonic_sound

INSTALLED = importlib.util.find_spec("swift_f0") is not None
needs_package = pytest.mark.skipif(not INSTALLED, reason="the package swift-f0 is not installed")


@needs_package
@pytest.mark.parametrize(("sample_rate", "hop"), [(16_000, 64), (44_100, 147)])
def test_pitch_stays_on_its_frames_through_a_minute_of_glide(sample_rate: int, hop: int) -> None:
    truth = glide(60.0, sample_rate)
    spec = FrameSpec(sample_rate, hop)
    track = SwiftF0Estimator().estimate(harmonic_sound(truth, sample_rate), spec)
    assert track.f0_hz.shape == track.voicing.shape == (spec.n_frames(len(truth)),)
    rate = sample_rate / hop
    for seconds in (1, 32, 55):  # 32 s lies beyond the first piece of 30 s
        frames = np.arange(int(seconds * rate), int((seconds + 4) * rate))
        assert abs(best_lag(track.f0_hz, truth, frames, hop)) <= hop // 2
        assert np.median(cents_off(track.f0_hz[frames], truth[(frames + 1) * hop])) < 5.0


@needs_package
@pytest.mark.parametrize("f0_hz", [110.0, 440.0, 880.0])
def test_steady_tones_are_within_three_cents(f0_hz: float) -> None:
    track = SwiftF0Estimator().estimate(harmonic_sound(np.full(16_000, f0_hz), 16_000), FrameSpec(16_000, 64))
    assert np.max(cents_off(track.f0_hz[20:-20], np.full(210, f0_hz))) < 3.0


@needs_package
@pytest.mark.parametrize("level", [0.0, 0.3])
def test_silence_and_a_constant_are_unvoiced(level: float) -> None:
    track = SwiftF0Estimator().estimate(np.full(16_000, level, np.float32), FrameSpec(16_000, 64))
    np.testing.assert_array_equal(track.f0_hz, 0.0)


@needs_package
def test_it_can_be_sent_to_a_process_and_recorded() -> None:
    estimator = make_f0_estimator("swift-f0")
    sound, spec = harmonic_sound(np.full(16_000, 220.0), 16_000), FrameSpec(16_000, 64)
    expected = estimator.estimate(sound, spec)  # the network is open now
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.estimate(sound, spec).f0_hz, expected.f0_hz)
    assert json.loads(json.dumps(estimator.settings)) == estimator.settings


@pytest.mark.skipif(INSTALLED, reason="the package swift-f0 is installed")
def test_without_its_package_it_is_refused_in_words() -> None:
    with pytest.raises(DdspError, match=r"\[train,swift\]"):
        make_f0_estimator("swift-f0")
