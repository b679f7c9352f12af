"""The baseline is fair: it measures the right spectrum, and plays it at the right level."""

import numpy as np
import pytest

from ddsp_tf.data import Passage
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.instrument.evaluation.baseline import mean_distribution, play_mean_spectrum
from tests import oracle

SPEC = FrameSpec(16_000, 128)


def passage(f0_hz, amplitudes, frames=125, voiced=None):
    """A steady tone by the oracle, as a passage."""
    curve = np.full(frames, float(f0_hz))
    audio = oracle.harmonic(curve, np.tile(amplitudes, (frames, 1)), SPEC.sample_rate, SPEC.hop)
    voiced = np.ones(frames, bool) if voiced is None else voiced
    return Passage(
        audio.astype(np.float32),
        curve.astype(np.float32),
        voiced,
        voiced.astype(np.float32),
        np.full(frames, -20.0, np.float32),
        "tone",
        0,
    )


@pytest.mark.parametrize("f0_hz", [110.0, 233.1, 987.7])
def test_the_distribution_of_a_tone_is_measured(f0_hz):
    known = np.array([0.2, 0.1, 0.05, 0.02, 0.01])
    measured = mean_distribution([passage(f0_hz, known)], SPEC)
    assert measured.sum() == pytest.approx(1.0)
    # Of the whole: the window's side lobes leak a little into harmonics that are not there.
    np.testing.assert_allclose(measured[:5], known / known.sum(), atol=0.02)
    assert measured[5:].sum() < 0.02


def test_tones_count_by_their_strength():
    loud, quiet = np.array([0.3, 0.0]), np.array([0.0, 0.1])
    measured = mean_distribution([passage(200.0, loud), passage(300.0, quiet)], SPEC)
    np.testing.assert_allclose(measured[:2], [0.75, 0.25], atol=0.02)


def test_unvoiced_frames_do_not_count():
    half = np.arange(125) < 62
    tone = passage(200.0, np.array([0.3, 0.1]), voiced=half)
    audio = tone.audio.copy()
    audio[SPEC.n_samples(72) :] = np.random.default_rng(0).normal(size=SPEC.n_samples(125 - 72))
    noisy = Passage(audio, tone.f0_hz, half, tone.voicing, tone.loudness_db, "", 0)
    np.testing.assert_allclose(mean_distribution([noisy], SPEC)[:2], [0.75, 0.25], atol=0.02)


def test_nothing_voiced_is_refused():
    silent = passage(200.0, np.array([0.3]), voiced=np.zeros(125, bool))
    with pytest.raises(ValueError, match="no voiced frame"):
        mean_distribution([silent], SPEC)


def loudness_of_steady_tone(audio, start, stop):
    """A-weighted level of a part in which nothing changes, by IEC 61672's formula and one long FFT."""
    part = audio[start:stop].astype(np.float64) * np.hanning(stop - start)
    power = 2.0 * np.abs(np.fft.rfft(part)) ** 2 / (stop - start) / np.sum(np.hanning(stop - start) ** 2)
    f2 = np.fft.rfftfreq(stop - start, 1 / SPEC.sample_rate) ** 2
    gain = 12194**2 * f2**2 / (f2 + 20.6**2) / (f2 + 12194**2)
    gain /= np.sqrt((f2 + 107.7**2) * (f2 + 737.9**2))
    return 10 * np.log10(np.sum(power * (1.2589 * gain) ** 2))


@pytest.mark.parametrize("target_db", [-50.0, -20.0])
@pytest.mark.parametrize("f0_hz", [110.0, 440.0, 1500.0])
def test_the_mean_spectrum_is_played_at_the_loudness_wanted(f0_hz, target_db):
    shares = np.array([0.6, 0.3, 0.1])
    frames = 125
    audio = play_mean_spectrum(shares, np.full(frames, f0_hz), np.full(frames, target_db), SPEC)
    assert len(audio) == SPEC.n_samples(frames)
    assert abs(loudness_of_steady_tone(audio, 4000, 12_000) - target_db) < 0.5


def test_the_mean_spectrum_has_the_shares_wanted():
    shares = np.array([0.6, 0.3, 0.1])
    audio = play_mean_spectrum(shares, np.full(125, 250.0), np.full(125, -20.0), SPEC)
    part = audio[4000:12_000].astype(np.float64)  # 125 periods
    peaks = np.abs(np.fft.rfft(part))[[125, 250, 375]]
    np.testing.assert_allclose(peaks / peaks.sum(), shares, atol=0.005)
