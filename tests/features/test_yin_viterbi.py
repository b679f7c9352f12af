"""The path through periods of several windows, against sounds whose pitch is known exactly."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ddsp_edge.files.audio_file import read_audio
from ddsp_tf.errors import DdspError
from ddsp_tf.features import make_f0_estimator
from ddsp_tf.features.yin_viterbi import YinViterbiEstimator
from ddsp_tf.frames import FrameSpec
from ddsp_tf.metrics.pitch import octave_error_rate, raw_pitch_accuracy
from tests.features.sounds import best_lag, cents_off, glide, harmonic_sound

SPEC = FrameSpec(16_000, 64)
EXACT = Path(os.environ.get("DDSP_TEST_DATA", "absent")) / "f0-exact"


@pytest.mark.parametrize(("sample_rate", "hop"), [(16_000, 64), (44_100, 147), (8_000, 40)])
def test_pitch_stays_on_its_frames_on_any_grid(sample_rate: int, hop: int) -> None:
    truth = glide(35.0, sample_rate)  # the last seconds lie beyond the first piece of 30 s
    spec = FrameSpec(sample_rate, hop)
    track = YinViterbiEstimator().estimate(harmonic_sound(truth, sample_rate, harmonics=4), spec)
    for column in (track.f0_hz, track.voicing, track.confidence, track.guess_hz):
        assert column.shape == (spec.n_frames(len(truth)),)
        assert column.dtype == np.float32
    rate = sample_rate / hop
    for seconds in (1, 28, 30):
        frames = np.arange(int(seconds * rate), int((seconds + 4) * rate))
        assert abs(best_lag(track.f0_hz, truth, frames, hop)) <= hop // 2
        # A window of 36 ms bends the vibrato's peaks by a few cents.
        assert np.max(cents_off(track.f0_hz[frames], truth[(frames + 1) * hop])) < 6.0


@pytest.mark.parametrize("f0_hz", [56.0, 110.0, 440.0, 880.0, 1950.0])
def test_steady_tones_are_within_two_cents(f0_hz: float) -> None:
    track = YinViterbiEstimator().estimate(harmonic_sound(np.full(16_000, f0_hz), 16_000), SPEC)
    # Minima are interpolated by a parabola; its error is largest where a period is a few samples long.
    assert np.max(cents_off(track.f0_hz[20:-20], np.full(210, f0_hz))) < 2.0


@pytest.mark.parametrize(("low", "high", "f0_hz"), [(25.0, 500.0, 30.9), (55.0, 4500.0, 4186.0)])
def test_the_range_may_be_that_of_a_bass_or_a_piccolo(low: float, high: float, f0_hz: float) -> None:
    sound = harmonic_sound(np.full(44_100, f0_hz), 44_100)
    track = YinViterbiEstimator(low, high).estimate(sound, FrameSpec(44_100, 441))
    assert np.max(cents_off(track.f0_hz[20:-20], np.full(60, f0_hz))) < 5.0


def test_the_range_is_kept_and_an_empty_one_refused() -> None:
    sound = harmonic_sound(np.full(16_000, 110.0), 16_000)
    voiced = YinViterbiEstimator(200.0, 800.0).estimate(sound, SPEC).f0_hz
    assert np.all((voiced == 0) | ((voiced > 195.0) & (voiced < 815.0)))
    with pytest.raises(DdspError, match="too narrow"):
        YinViterbiEstimator(1900.0, 1910.0)


def test_the_ends_of_a_note_are_guessed_where_they_are_unvoiced() -> None:
    time = np.arange(32_000) / 16_000
    note = harmonic_sound(np.full(32_000, 300.0), 16_000)
    level = np.exp(-8.0 * np.maximum(time - 0.5, 0.0)) * (time > 0.25)
    noise = 3e-3 * np.random.default_rng(0).standard_normal(32_000)
    track = YinViterbiEstimator().estimate((note * level + noise).astype(np.float32), SPEC)
    at = (np.arange(len(track.f0_hz)) + 1) * 64 / 16_000
    # The note is as loud as the noise at 1.01 s; until then its pitch is told, voiced or not.
    told = (at > 0.26) & (at < 1.0)
    assert np.all(cents_off(track.guess_hz[told], np.full(np.sum(told), 300.0)) < 50)
    assert not np.any(track.f0_hz[(at < 0.23) | (at > 1.4)])


def test_voicing_decides_and_the_guess_is_the_pitch_where_there_is_one() -> None:
    rng = np.random.default_rng(1)
    tone = harmonic_sound(np.full(16_000, 220.0), 16_000)
    sound = np.concatenate([tone, 0.1 * rng.standard_normal(16_000), tone]).astype(np.float32)
    track = YinViterbiEstimator().estimate(sound, SPEC)
    voiced = track.f0_hz > 0
    np.testing.assert_array_equal(track.guess_hz[voiced], track.f0_hz[voiced])
    assert np.all(track.guess_hz > 0)
    assert np.mean((track.voicing >= 0.5) == voiced) > 0.99  # but between two instants that differ
    assert np.mean(voiced[270:480]) < 0.05  # the noise
    tones = np.r_[20:240, 510:740]
    assert np.min(track.confidence[tones]) > 0.95
    assert np.mean(track.confidence[270:480]) < 0.5


@pytest.mark.parametrize("level", [0.0, 1e-6, 0.3])
def test_silence_and_a_constant_have_no_pitch(level: float) -> None:
    track = YinViterbiEstimator().estimate(np.full(16_000, level, np.float32), SPEC)
    for column in (track.f0_hz, track.voicing, track.confidence):
        np.testing.assert_array_equal(column, 0.0)


@pytest.mark.parametrize("n_samples", [0, 3, 63, 64, 200, 1500])
def test_sounds_shorter_than_a_window_work(n_samples: int) -> None:
    sound = harmonic_sound(np.full(n_samples, 440.0), 16_000)
    track = YinViterbiEstimator().estimate(sound, SPEC)
    assert track.f0_hz.shape == track.guess_hz.shape == (n_samples // 64,)


def test_it_travels_into_json_and_to_processes_that_need_nothing_heavy() -> None:
    estimator = make_f0_estimator("auto", f0_min_hz=80.0)
    assert json.loads(json.dumps(estimator.settings)) == estimator.settings
    sound = harmonic_sound(np.full(16_000, 220.0), 16_000)
    expected = estimator.estimate(sound, SPEC).f0_hz
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(estimator)).estimate(sound, SPEC).f0_hz, expected)
    script = (
        "import sys, numpy as np\n"
        "from ddsp_tf.features import make_f0_estimator\n"
        "from ddsp_tf.frames import FrameSpec\n"
        "make_f0_estimator('auto').estimate(np.ones(9999, np.float32), FrameSpec(16_000, 64))\n"
        "assert not {'tensorflow', 'librosa', 'numba', 'scipy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.skipif(not EXACT.is_dir(), reason="the recordings of exactly known pitch are not here")
def test_what_auto_picks_follows_recordings_of_known_pitch() -> None:
    """The bars that the project promises: 0.97, and octave errors under 2 %."""
    spec = FrameSpec(16_000, 160)
    accuracy, octaves = [], []
    for path in sorted(EXACT.glob("*.flac")):
        audio, _ = read_audio(path, 16_000)
        track = make_f0_estimator("auto").estimate(audio, spec)
        table = np.loadtxt(path.with_suffix("").with_suffix(".f0.csv"), delimiter=",", skiprows=1)
        # The truth is told every 10 ms from 0 on, which is this grid but for its first instant.
        truth = np.zeros(len(track.f0_hz))
        known = table[1 : len(truth) + 1, 1]
        truth[: len(known)] = known
        accuracy.append(raw_pitch_accuracy(truth, track.guess_hz))
        octaves.append(octave_error_rate(truth, track.f0_hz))
    assert np.mean(accuracy) >= 0.97
    assert np.mean(octaves) < 0.02
