"""The network that voices hear pitch by, as an estimator on the frame grid."""

import json
import pickle

import numpy as np
import pytest
import soxr

from ddsp_edge.frames import FrameSpec as EdgeSpec
from ddsp_edge.shipped import shipped_models
from ddsp_edge.units import cents_between
from ddsp_edge.voice.speech_pitch import open_speech_pitch
from ddsp_tf.errors import DdspError
from ddsp_tf.features import make_f0_estimator
from ddsp_tf.features.speech_pitch import SpeechEstimator
from ddsp_tf.frames import FrameSpec
from tests.features.sounds import harmonic_sound

SPEC = FrameSpec(16_000, 64)


def spoken(seconds: float) -> np.ndarray:
    """A pitch that moves as in speech, Hz at each sample."""
    t = np.arange(int(seconds * 16_000)) / 16_000
    return 140.0 * 2.0 ** (0.3 * np.sin(2.0 * np.pi * 0.7 * t))


def test_pitch_stays_on_its_frames_beyond_the_first_piece() -> None:
    truth = spoken(34.0)
    track = SpeechEstimator().estimate(harmonic_sound(truth, 16_000), SPEC)
    assert track.f0_hz.shape == (SPEC.n_frames(len(truth)),)
    for seconds in (1, 31):  # pieces have 30 s
        frames = np.arange(seconds * 250, (seconds + 2) * 250)
        cents = 1200.0 * np.log2(track.guess_hz[frames] / truth[(frames + 1) * SPEC.hop])
        assert abs(np.median(cents)) < 10.0
        assert np.percentile(np.abs(cents), 90) < 60.0


def test_it_says_what_a_voice_hears_live() -> None:
    sound = harmonic_sound(spoken(2.0), 16_000)
    track = SpeechEstimator().estimate(sound, FrameSpec(16_000, 128))
    tracker = open_speech_pitch(shipped_models()["pitch"])
    assert tracker.spec == EdgeSpec(16_000, 128)
    live = [np.concatenate(parts) for parts in zip(tracker.push(sound), tracker.flush(), strict=True)]
    count = min(len(track.guess_hz), len(live[0]))
    np.testing.assert_allclose(track.guess_hz[: count - 1], live[0][: count - 1], rtol=1e-4)
    np.testing.assert_allclose(track.voicing[: count - 1], live[1][: count - 1], atol=1e-4)


def test_silence_is_unvoiced() -> None:
    np.testing.assert_array_equal(SpeechEstimator().estimate(np.zeros(16_000, np.float32), SPEC).f0_hz, 0.0)


def test_what_is_out_of_its_range_has_no_pitch() -> None:
    sound = harmonic_sound(np.full(16_000, 110.0), 16_000)
    assert np.median(SpeechEstimator().estimate(sound, SPEC).f0_hz) > 100.0
    assert not SpeechEstimator(f0_min_hz=150.0).estimate(sound, SPEC).f0_hz.any()


def test_a_range_that_it_does_not_know_is_refused_in_words() -> None:
    with pytest.raises(DdspError, match=r"60 to 500 Hz alone\. Received: f0_min_hz 500, f0_max_hz 900"):
        make_f0_estimator("speech", f0_min_hz=500.0, f0_max_hz=900.0)


def test_sounds_of_another_rate_have_the_same_pitch() -> None:
    audio = harmonic_sound(spoken(1.0), 16_000)
    faster = soxr.resample(audio, 16_000, 48_000).astype(np.float32)
    estimator = SpeechEstimator()
    found, again = (
        estimator.estimate(sound, FrameSpec(rate, rate // 125))
        for sound, rate in ((audio, 16_000), (faster, 48_000))
    )
    both = (found.f0_hz > 0.0) & (again.f0_hz > 0.0)
    assert both.sum() > 0.95 * (found.f0_hz > 0.0).sum()
    assert np.abs(cents_between(again.f0_hz[both], found.f0_hz[both])).max() < 5.0


def test_it_can_be_sent_to_a_process_and_recorded() -> None:
    estimator = make_f0_estimator("speech", f0_min_hz=70.0, f0_max_hz=400.0)
    sound = harmonic_sound(spoken(1.0), 16_000)
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.estimate(sound, SPEC).f0_hz, estimator.estimate(sound, SPEC).f0_hz)
    assert json.loads(json.dumps(estimator.settings)) == estimator.settings
