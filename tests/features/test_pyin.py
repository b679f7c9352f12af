"""pYIN on the frame grid, against sounds whose pitch is known exactly."""

import json
import pickle

import numpy as np
import pytest

from ddsp_tf.errors import DdspError
from ddsp_tf.features import make_f0_estimator
from ddsp_tf.features.pyin import PyinEstimator
from ddsp_tf.frames import FrameSpec
from tests.features.sounds import best_lag, cents_off, glide, harmonic_sound

SPEC = FrameSpec(16_000, 64)


@pytest.mark.slow
def test_pitch_stays_on_its_frames_through_a_minute_of_glide() -> None:
    truth = glide(60.0, 16_000)
    # A narrow range, because the cost grows with the square of the number of pitches.
    track = PyinEstimator(120.0, 700.0).estimate(harmonic_sound(truth, 16_000), SPEC)
    assert len(track.f0_hz) == SPEC.n_frames(len(truth))
    # 32 s lies on the far side of the 30 s pieces in which long sounds are tracked.
    for seconds in (1, 15, 32, 55):
        frames = np.arange(seconds * 250, (seconds + 4) * 250)
        assert abs(best_lag(track.f0_hz, truth, frames, SPEC.hop)) <= SPEC.hop // 2
        # A window of 64 ms bends the vibrato's peaks by some cents.
        assert np.max(cents_off(track.f0_hz[frames], truth[(frames + 1) * 64])) < 15.0


@pytest.mark.parametrize(("sample_rate", "hop"), [(44_100, 147), (48_000, 960), (8_000, 40)])
def test_any_grid_gets_its_exact_number_of_frames_in_place(sample_rate: int, hop: int) -> None:
    truth = glide(3.0, sample_rate)
    sound = np.append(harmonic_sound(truth, sample_rate, harmonics=4), np.zeros(hop - 1, np.float32))
    spec = FrameSpec(sample_rate, hop)
    track = PyinEstimator().estimate(sound, spec)
    assert track.f0_hz.shape == track.voicing.shape == (spec.n_frames(len(sound)),)
    frames = np.arange(sample_rate // (2 * hop), 5 * sample_rate // (2 * hop))
    # The slower the grid, the coarser the question "which lag fits best" may be answered: half a hop.
    assert abs(best_lag(track.f0_hz, truth, frames, hop)) <= hop // 2


def test_a_step_of_pitch_happens_at_its_frame() -> None:
    truth = np.repeat([220.0, 330.0], 16_000)
    f0_hz = PyinEstimator().estimate(harmonic_sound(truth, 16_000), SPEC).f0_hz
    low, high = cents_off(f0_hz, np.full(500, 220.0)) < 30, cents_off(f0_hz, np.full(500, 330.0)) < 30
    # Frame 249 stands for sample 16000. A window of 64 ms sees both notes for 32 ms = 8 frames each side.
    assert np.all(low[10:240])
    assert np.all(high[260:490])


@pytest.mark.parametrize("f0_hz", [58.3, 110.0, 440.0, 880.0, 1900.0])
def test_steady_tones_are_within_two_cents(f0_hz: float) -> None:
    track = PyinEstimator().estimate(harmonic_sound(np.full(16_000, f0_hz), 16_000), SPEC)
    # The autocorrelation's peak is interpolated: without that the error would be up to 10 cents.
    assert np.max(cents_off(track.f0_hz[20:-20], np.full(210, f0_hz))) < 2.0


@pytest.mark.parametrize("level", [0.0, 1e-6, 0.3])
def test_silence_and_a_constant_are_unvoiced(level: float) -> None:
    track = PyinEstimator().estimate(np.full(16_000, level, np.float32), SPEC)
    assert not np.any(track.f0_hz)
    assert not np.any(track.voicing)


def test_noise_is_mostly_unvoiced_and_a_note_ends_where_it_ends() -> None:
    noise = np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    assert np.mean(PyinEstimator().estimate(0.1 * noise, SPEC).f0_hz > 0) < 0.1
    note = harmonic_sound(np.full(16_000, 300.0), 16_000)
    f0_hz = PyinEstimator().estimate(np.pad(note, 8_000) + 1e-4 * noise, SPEC).f0_hz
    # The note fills frames 124 to 374; a window that holds half of it may count either way.
    assert np.all(f0_hz[134:364] > 0)
    assert np.mean(f0_hz[:114] > 0) < 0.1
    assert np.mean(f0_hz[384:] > 0) < 0.1


@pytest.mark.parametrize("n_samples", [0, 3, 63, 64, 200, 1500])
def test_sounds_shorter_than_a_window_work(n_samples: int) -> None:
    sound = harmonic_sound(np.full(n_samples, 440.0), 16_000)
    track = PyinEstimator().estimate(sound, SPEC)
    assert track.f0_hz.shape == (n_samples // 64,)
    assert track.f0_hz.dtype == track.voicing.dtype == np.float32


def test_an_estimator_travels_to_other_processes_and_into_json() -> None:
    estimator = pickle.loads(pickle.dumps(make_f0_estimator("auto", f0_min_hz=80.0, f0_max_hz=900.0)))
    assert estimator.name == "yin-viterbi"
    settings = json.loads(json.dumps(estimator.settings))
    assert (settings["f0_min_hz"], settings["f0_max_hz"]) == (80.0, 900.0)


def test_pitch_outside_the_range_is_not_reported() -> None:
    track = make_f0_estimator("pyin", f0_min_hz=200.0, f0_max_hz=800.0).estimate(
        harmonic_sound(np.full(16_000, 110.0), 16_000), SPEC
    )
    voiced = track.f0_hz[track.f0_hz > 0]
    assert np.all((voiced > 195.0) & (voiced < 815.0))


def test_a_wrong_name_or_range_is_refused_in_words() -> None:
    with pytest.raises(DdspError, match="Did you mean 'pyin'"):
        make_f0_estimator("pyyin")
    with pytest.raises(DdspError, match="20 to 8000 Hz"):
        make_f0_estimator("pyin", f0_min_hz=500.0, f0_max_hz=100.0)


def test_samples_that_are_not_finite_or_not_mono_are_refused() -> None:
    with pytest.raises(DdspError, match="not finite"):
        PyinEstimator().estimate(np.full(1000, np.nan, np.float32), SPEC)
    with pytest.raises(DdspError, match="one channel"):
        PyinEstimator().estimate(np.zeros((1000, 2), np.float32), SPEC)
