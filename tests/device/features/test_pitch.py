"""The pitch tracker against tones whose pitch is known."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_edge import DdspError, FrameSpec, PitchTracker, read_model_file
from ddsp_edge.features.pitch import VOICED, hold_unvoiced
from ddsp_edge.files.audio_file import read_audio
from tests import oracle
from tests.device.conftest import TINY

SPEC = FrameSpec(16_000, 128)
EXACT = Path(os.environ.get("DDSP_TEST_DATA", "absent")) / "f0-exact"


def tracked(audio, spec=SPEC, block=4096, **settings):
    tracker = PitchTracker(spec, **settings)
    parts = [tracker.push(audio[i : i + block]) for i in range(0, len(audio), block)] + [tracker.flush()]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def cents(f0_hz, truth_hz):
    return 1200 * np.log2(np.maximum(f0_hz, 1e-3) / truth_hz)


def tone(f0_hz, shares, spec=SPEC, level=0.2, noise=0.0):
    """Harmonics of a pitch `[frames]`, none above Nyquist."""
    shares = np.asarray(shares, float)
    amplitudes = shares * (f0_hz[:, None] * np.arange(1, len(shares) + 1) < 0.45 * spec.sample_rate)
    audio = level * oracle.harmonic(f0_hz, amplitudes, spec.sample_rate, spec.hop)
    return audio + noise * np.random.default_rng(0).normal(size=len(audio))


def steady(f0_hz, frames=80):
    return np.full(frames, float(f0_hz))


SPECTRA = {
    "sine": [1.0],
    "saw": 1 / np.arange(1, 20),
    "odd harmonics only": [1, 0, 0.5, 0, 0.3, 0, 0.2],
    "missing fundamental": [0, 1, 0.8, 0.6, 0.4, 0.2],
    "strong second": [0.3, 1, 0.3, 0.3, 0.2],
    "strong third": [0.3, 0.2, 1, 0.2, 0.3],
    "flat": np.ones(12),
}


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("f0_hz", [58.0, 82.4, 130.0, 261.6, 440.0, 987.0, 1900.0])
def test_tones_of_any_spectrum_have_their_pitch(spectrum, f0_hz):
    shares = SPECTRA[spectrum]
    if f0_hz > 900 and spectrum == "missing fundamental":
        pytest.skip("two or three partials far up are heard as one of them")
    f0, voicing = tracked(tone(steady(f0_hz), shares, noise=1e-4))
    inner = slice(6, -6)  # windows that lie within the tone
    assert np.abs(cents(f0[inner], f0_hz)).max() < 20
    assert (voicing[inner] >= VOICED).all()


def test_vibrato_is_followed_within_a_few_cents():
    frames = 250
    time = (np.arange(frames) + 1) * SPEC.hop / SPEC.sample_rate
    truth = 440 * 2 ** (np.sin(2 * np.pi * 5.5 * time) / 24)
    f0, _ = tracked(tone(truth, SPECTRA["saw"]))
    # a window of 36 ms averages over a fifth of a cycle of the vibrato: its depth shrinks a little
    assert np.abs(cents(f0[6:-6], truth[6:-6])).max() < 8


def test_a_glide_over_four_octaves_is_followed():
    truth = 80 * 2 ** np.linspace(0, 4, 500)
    f0, _ = tracked(tone(truth, SPECTRA["saw"], noise=1e-3))
    assert np.mean(np.abs(cents(f0[6:-6], truth[6:-6])) < 20) > 0.99


@pytest.mark.parametrize("ratio", [3 / 2, 4 / 3, 2.0, 2 / 3])
@pytest.mark.parametrize("shares", [[1.0, 0.1, 0.05], 1 / np.arange(1, 12)], ids=["flute", "saw"])
def test_after_a_legato_leap_the_new_note_is_heard_at_once(shares, ratio):
    """While both notes ring they repeat together far below either: that must not outlast the old one."""
    frames, leap, ring = 120, 60, 8
    first, second = (tone(steady(f, frames), shares) for f in (329.6, 329.6 * ratio))
    time = np.arange(frames * SPEC.hop) / SPEC.hop
    fade = np.clip((leap + ring - time) / ring, 0.0, 1.0)
    audio = first * fade + second * (time >= leap)
    f0, _ = tracked(audio)
    window = 3  # frames around one that it hears
    settled = slice(leap + ring + window + 1, -6)
    assert np.abs(cents(f0[settled], 329.6 * ratio)).max() < 50


@pytest.mark.parametrize(("sample_rate", "hop"), [(16_000, 64), (22_050, 256), (44_100, 441), (48_000, 384)])
def test_any_grid_will_do(sample_rate, hop):
    spec = FrameSpec(sample_rate, hop)
    truth = np.full(spec.frames_for(0.5), 233.0)
    f0, _ = tracked(tone(truth, SPECTRA["saw"], spec), spec)
    assert len(f0) == len(truth)
    assert np.abs(cents(f0[8:-8], 233.0)).max() < 5


def test_noise_and_silence_are_unvoiced():
    noise = 0.1 * np.random.default_rng(1).normal(size=32_000)
    _, voicing = tracked(noise)
    assert np.mean(voicing >= VOICED) < 0.05
    f0, voicing = tracked(np.zeros(16_000))
    assert (voicing < VOICED).all()
    assert np.isfinite(f0).all()


def test_a_tone_between_silences_is_voiced_where_it_sounds():
    audio = np.concatenate([np.zeros(8000), tone(steady(300, 100), SPECTRA["saw"]), np.zeros(8000)])
    _, voicing = tracked(audio)
    truth = np.zeros(len(voicing), bool)
    truth[62:162] = True
    assert np.sum((voicing >= VOICED) != truth) <= 6  # the windows at its two ends


@settings(max_examples=15, deadline=None)
@given(block=st.integers(1, 5000), lookahead=st.sampled_from([None, 0, 1, 9]))
def test_blocks_of_any_size_give_the_same(block, lookahead):
    truth = 200 * 2 ** np.linspace(0, 1, 60)
    audio = tone(truth, SPECTRA["saw"], noise=0.01)[:7500]
    whole = tracked(audio, block=len(audio), lookahead_frames=lookahead)
    parts = tracked(audio, block=block, lookahead_frames=lookahead)
    assert len(whole[0]) == SPEC.n_frames(7500)
    np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-4)


def test_a_frame_comes_as_early_as_declared():
    tracker = PitchTracker(SPEC)
    due = SPEC.frame_sample(0) + tracker.latency_samples
    audio = np.random.default_rng(0).normal(size=due).astype(np.float32)
    assert len(tracker.push(audio[:-1])[0]) == 0
    assert len(tracker.push(audio[-1:])[0]) == 1
    assert tracker.latency_samples < 0.06 * SPEC.sample_rate


def test_full_scale_and_offset_do_no_harm():
    audio = tone(steady(220), SPECTRA["saw"], level=0.02) + 0.9
    f0, _ = tracked(audio)
    assert np.abs(cents(f0[6:-6], 220.0)).max() < 5


def test_a_range_that_cannot_be_is_refused():
    with pytest.raises(DdspError, match="f0_min_hz"):
        PitchTracker(SPEC, f0_min_hz=500, f0_max_hz=100)


@pytest.mark.parametrize(("low", "high"), [(1900, 2000), (5000, 9000), (1e5, 1e6), (10, 10.001)])
def test_a_range_of_too_few_lags_is_refused(low, high):
    with pytest.raises(DdspError, match="too narrow or too high"):
        PitchTracker(SPEC, f0_min_hz=low, f0_max_hz=high)


def card_of_range(low, high):
    card = read_model_file(TINY).card
    return dataclasses.replace(card, f0_estimator={"name": "pyin", "f0_min_hz": low, "f0_max_hz": high})


def test_the_card_tells_which_pitches_to_look_for():
    tracker = PitchTracker.for_card(card_of_range(110, 880.0))
    assert (tracker.f0_min_hz, tracker.f0_max_hz) == (110, 880)


@pytest.mark.parametrize(
    ("low", "high"),
    [(None, None), ("55", "2000"), (True, 9), (np.nan, 2000.0), (2000.0, 55.0), (20, 10**400), ([], {})],
)
def test_a_card_of_no_such_range_leaves_the_usual_one(low, high):
    usual, found = PitchTracker(SPEC), PitchTracker.for_card(card_of_range(low, high))
    assert (found.f0_min_hz, found.f0_max_hz) == (usual.f0_min_hz, usual.f0_max_hz)


def test_unvoiced_frames_hold_the_last_pitch():
    held = hold_unvoiced(np.array([9.0, 100, 200, 7, 7, 300]), [False, True, True, False, False, True], 55.0)
    np.testing.assert_array_equal(held, [55, 100, 200, 200, 200, 300])
    assert hold_unvoiced(np.zeros(0), np.zeros(0, bool), 55.0).shape == (0,)


@pytest.mark.skipif(not EXACT.is_dir(), reason="the recordings of exactly known pitch are not here")
def test_recordings_of_known_pitch_are_followed():
    accuracy, octaves = [], []
    for path in sorted(EXACT.glob("*.flac")):
        audio, _ = read_audio(path, SPEC.sample_rate)
        table = np.loadtxt(path.with_suffix("").with_suffix(".f0.csv"), delimiter=",", skiprows=1)
        f0, _ = tracked(audio)
        time = (np.arange(len(f0)) + 1) * SPEC.hop / SPEC.sample_rate
        after = np.clip(np.searchsorted(table[:, 0], time), 1, len(table) - 1)
        low, high = table[after - 1], table[after]
        voiced = (low[:, 1] > 0) & (high[:, 1] > 0)
        share = (time - low[:, 0]) / (high[:, 0] - low[:, 0])
        truth = np.where(voiced, low[:, 1] + share * (high[:, 1] - low[:, 1]), 1.0)
        error = np.abs(cents(f0, truth))[voiced]
        accuracy.append(np.mean(error < 50))
        octaves.append(np.mean(np.abs(error - 1200) < 100))
    assert np.mean(accuracy) >= 0.95
    assert np.mean(octaves) < 0.02


@pytest.mark.parametrize("frames", [-1, 0.5])
def test_a_look_ahead_that_cannot_be_is_refused(frames):
    with pytest.raises(
        DdspError, match=f"lookahead_frames must be a whole number from 0. Received: {frames}"
    ):
        PitchTracker(FrameSpec(16_000, 128), lookahead_frames=frames)
