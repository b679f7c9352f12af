"""What a voice hears of a stream: the same in any cut, everything of one frame, as late as it says."""

import numpy as np
import pytest

from ddsp_edge.features.log_mel import LogMel, log_mel, mel_weights, window_samples
from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.features.pitch import PitchTracker
from ddsp_edge.frames import FrameSpec
from ddsp_edge.voice.hearing import Hearing

SPEC, AHEAD = FrameSpec(16_000, 128), 5


def speech(seconds=2.0):
    rng = np.random.default_rng(0)
    t = np.arange(int(seconds * 16_000)) / 16_000
    voiced = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 30)) * (np.sin(5 * t) > -0.3)
    return (0.1 * voiced + 0.003 * rng.standard_normal(len(t))).astype(np.float32)


def test_white_noise_has_its_power_in_every_band():
    noise = 0.1 * np.random.default_rng(1).standard_normal(16_000 * 20).astype(np.float32)
    bands = np.log(np.mean(np.exp(log_mel(noise, SPEC)), axis=0))
    np.testing.assert_allclose(bands, np.log(0.01), atol=0.1)  # 2,500 windows


def test_a_tone_is_loudest_in_the_band_that_it_lies_in():
    for hz in (200.0, 1000.0, 4000.0):
        tone = 0.1 * np.sin(2 * np.pi * hz * np.arange(16_000) / 16_000)
        loudest = int(log_mel(tone, SPEC)[50].argmax())
        weights = mel_weights(16_000)[:, loudest]
        centre = float(weights @ np.fft.rfftfreq(512, 1 / 16_000))
        assert abs(centre / hz - 1.0) < 0.12


def test_bands_of_a_stream_are_those_of_the_whole():
    sound, meter = speech(), LogMel(SPEC)
    cuts = np.sort(np.random.default_rng(2).integers(0, len(sound), 60))
    parts = [meter.push(part) for part in np.split(sound, cuts)]
    np.testing.assert_array_equal(np.concatenate([*parts, meter.flush()]), log_mel(sound, SPEC))


def test_a_warp_moves_all_bands_alike():
    hz = np.fft.rfftfreq(512, 1 / 16_000)
    plain, warped = (hz @ mel_weights(16_000, warp) for warp in (1.0, 1.1))
    ratio = warped[10:36] / plain[10:36]
    np.testing.assert_allclose(ratio, 1.1, atol=0.02)


@pytest.mark.parametrize("at_once", [1, 100, 128, 5000])
def test_pitch_and_loudness_belong_to_the_frame_that_content_speaks_of(at_once):
    sound = speech()
    hearing = Hearing(SPEC, AHEAD, PitchTracker(SPEC, 60.0, 500.0))
    limit = len(sound) if at_once > 1 else 4000
    found = [hearing.push(sound[i : i + at_once]) for i in range(0, limit, at_once)]
    if at_once == 1:
        bands = np.concatenate([part.log_mel for part in found if len(part.log_mel)])
        np.testing.assert_array_equal(bands, log_mel(sound, SPEC)[: len(bands)])
        return
    found.append(hearing.flush())
    found = [part for part in found if len(part.log_mel)]
    names = ("log_mel", "f0_hz", "loudness_db")
    bands, pitch, level = (np.concatenate([getattr(part, name) for part in found]) for name in names)
    frames = len(sound) // SPEC.hop
    assert len(bands) == len(pitch) == len(level) == frames + AHEAD + 1
    np.testing.assert_array_equal(pitch[:AHEAD], 0.0)
    np.testing.assert_array_equal(level[:AHEAD], -80.0)
    np.testing.assert_allclose(level[AHEAD : AHEAD + frames], loudness_db(sound, SPEC), atol=1e-3)
    voiced = pitch[AHEAD : AHEAD + frames] > 0
    assert np.abs(pitch[AHEAD : AHEAD + frames][voiced] / 140.0 - 1.0).max() < 0.03
    whole = log_mel(np.concatenate([sound, np.zeros((AHEAD + 1) * SPEC.hop, np.float32)]), SPEC)
    np.testing.assert_array_equal(bands, whole)


def test_a_frame_is_known_when_its_latency_is_over():
    sound, hearing = speech(), Hearing(SPEC, AHEAD, PitchTracker(SPEC, 60.0, 500.0))
    assert hearing.latency_samples == window_samples(16_000) // 2 + AHEAD * SPEC.hop
    known = 0
    for i, sample in enumerate(sound[:4000], 1):
        known += len(hearing.push(np.array([sample])).log_mel)
        complete = (i - hearing.latency_samples) // SPEC.hop  # frames whose own sample is so long ago
        assert known >= AHEAD + complete if complete > 0 else True
    assert known <= AHEAD + 4000 // SPEC.hop
