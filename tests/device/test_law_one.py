"""Law 1 on the device: every processor, cut into any blocks, gives the samples of a float64 oracle."""

import itertools

import numpy as np
import pytest

from ddsp_edge.frames import FrameSpec
from ddsp_edge.synthesis.filtered_noise import FilteredNoise
from ddsp_edge.synthesis.harmonic import Harmonic
from ddsp_edge.synthesis.mixing import Mix
from ddsp_edge.synthesis.reverb import Reverb
from tests import oracle

HARMONICS, BANDS, TAPS = 30, 17, 700
HOPS, RATES = (1, 64, 80, 192, 320, 441), (16_000, 44_100, 48_000)


def in_blocks(process, frames, seed, **controls):
    """Render blocks of random lengths; controls are `[frames, ...]`."""
    edges = np.sort(np.random.default_rng(seed).integers(1, frames, 6))
    parts = [
        process(**{name: value[start:stop] for name, value in controls.items()})
        for start, stop in itertools.pairwise([0, *edges, frames])
        if stop > start
    ]
    return np.concatenate(parts)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hop", HOPS)
def test_any_blocks_give_the_samples_of_the_oracle(hop, rate):
    spec = FrameSpec(rate, hop)
    frames = max(20, 2000 // hop)
    rng = np.random.default_rng(hop + rate)
    f0_hz = 200.0 * 2.0 ** rng.uniform(-1.0, 1.0, (frames, 1))
    shares = rng.random((frames, HARMONICS)) * (f0_hz * np.arange(1, HARMONICS + 1) < rate / 2)
    shares /= shares.sum(axis=1, keepdims=True)
    amplitude, level = rng.random((2, frames, 1))
    magnitudes = rng.random((frames, BANDS))
    noise = rng.uniform(-1.0, 1.0, (frames, hop))
    response = rng.normal(size=TAPS) * np.exp(-np.arange(TAPS) / 100.0) / 10.0

    harmonic = in_blocks(
        Harmonic(spec, HARMONICS).process, frames, 1, amplitude=amplitude, distribution=shares, f0_hz=f0_hz
    )
    want_harmonic = oracle.harmonic(f0_hz[:, 0], amplitude * shares, rate, hop)
    np.testing.assert_allclose(harmonic, want_harmonic, atol=1e-5)  # the law asks for 1e-4

    filters = FilteredNoise(spec, BANDS)
    hiss = in_blocks(
        lambda magnitudes, noise: filters.process(magnitudes=magnitudes, noise=noise.ravel()),
        frames,
        2,
        magnitudes=magnitudes,
        noise=noise,
    )
    want_hiss = oracle.filtered_noise(magnitudes, noise.ravel(), hop)
    np.testing.assert_allclose(hiss, want_hiss, atol=1e-5)

    balance = Mix(spec)
    mixed = in_blocks(
        lambda a, b, level: balance.process(audio_0=a.ravel(), audio_1=b.ravel(), level=level),
        frames,
        3,
        a=harmonic.reshape(frames, hop),
        b=hiss.reshape(frames, hop),
        level=level,
    )
    before = np.concatenate([level[:1], level[:-1]])
    weight = (before + oracle.fade(hop) * (level - before)).ravel()
    want_mixed = weight * want_harmonic + (1.0 - weight) * want_hiss
    np.testing.assert_allclose(mixed, want_mixed, atol=1e-5)

    room = Reverb(spec, response)
    wet = in_blocks(lambda a: room.process(audio=a.ravel()), frames, 4, a=mixed.reshape(frames, hop))
    np.testing.assert_allclose(wet, oracle.reverb(want_mixed, response), atol=1e-5)
