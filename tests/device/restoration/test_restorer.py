"""A stream is restored the same however it is cut, at any rate, and comes back from anything."""

import numpy as np
import pytest

from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.restoration.bands import Bands
from ddsp_edge.restoration.restorer import Restorer
from tests.device.restoration.networks import Constant, Drawn, Follower, masked

BANDS = Bands(FrameSpec(16_000, 128), 64, 32)


def sound(n, channels=1, seed=0):
    return (np.random.default_rng(seed).standard_normal((n, channels)) * 0.1).astype(np.float32)


def whole(restorer, audio, block=10_000):
    """Restored sound, and sound as it was, of all blocks."""
    restorer.reset()
    parts = [restorer.push(audio[i : i + block]) for i in range(0, len(audio), block)]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_gains_of_one_give_the_sound_back_as_late_as_declared(rate, channels):
    restorer = Restorer(Constant(1.0), BANDS, rate, channels)
    audio = sound(rate // 2, channels)
    restored, before = whole(restorer, audio)
    late = restorer.latency_samples
    np.testing.assert_allclose(restored[late:], audio[: len(restored) - late], atol=1e-6)
    np.testing.assert_array_equal(before[late:], audio[: len(restored) - late])
    assert not before[:late].any()
    assert late / rate == pytest.approx(0.024, rel=0.01)


def test_it_is_the_definition_in_float64():
    audio = sound(16_000)
    restored, _ = whole(Restorer(Drawn(BANDS), BANDS), audio)
    drawn = Drawn(BANDS).process(log_power=np.zeros((125, BANDS.count), np.float32))["gains"]
    np.testing.assert_allclose(
        restored[:, 0], masked(audio[:, 0].astype(np.float64), drawn, BANDS), atol=1e-5
    )


@pytest.mark.parametrize("block", [1, 77, 128, 129, 4_096, 100_000])
def test_any_cut_into_blocks_gives_the_same(block):
    audio = sound(3_000 if block == 1 else 40_000, 2, seed=5)
    restorer = Restorer(Follower(BANDS), BANDS, 48_000, 2)
    wanted, _ = whole(restorer, audio, len(audio))
    given, _ = whole(restorer, audio, block)
    np.testing.assert_allclose(given, wanted, atol=1e-6)


def test_channels_have_the_same_gains():
    audio = sound(16_000)
    both = np.concatenate([audio, 0.25 * audio], axis=1)
    restored, _ = whole(Restorer(Follower(BANDS), BANDS, channels=2), both)
    np.testing.assert_allclose(restored[:, 1], 0.25 * restored[:, 0], atol=1e-7)


@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_the_network_hears_the_same_at_every_rate(rate):
    """A sine and white noise of one density give the powers that they have at the rate of the model."""

    class Heard(Constant):
        def process(self, *, log_power):
            self.last = log_power
            return super().process(log_power=log_power)

    def heard(at):
        network = Heard(1.0)
        n = at // 2
        noise = np.random.default_rng(1).standard_normal(n) * 0.01 * np.sqrt(at / 16_000)
        audio = 0.3 * np.sin(2 * np.pi * 1_000 * np.arange(n) / at) + noise
        Restorer(network, BANDS, at).push(audio)
        return network.last[10:].mean(axis=0)

    bins = slice(0, 60)  # below 2 kHz
    np.testing.assert_allclose(
        heard(rate)[bins], heard(16_000)[bins], atol=1.2
    )  # of 5 dB scatter in 50 frames


def test_strength_is_a_dial_whose_dry_way_is_as_late():
    audio = sound(8_000)
    full, before = whole(Restorer(Follower(BANDS), BANDS), audio)
    half, _ = whole(Restorer(Follower(BANDS), BANDS, strength=0.25), audio)
    none, _ = whole(Restorer(Follower(BANDS), BANDS, strength=0.0), audio)
    np.testing.assert_allclose(half, 0.25 * full + 0.75 * before, atol=1e-6)
    np.testing.assert_allclose(none, before, atol=1e-6)


def test_silence_stays_silence_and_what_is_no_number_is_silence():
    restorer = Restorer(Follower(BANDS), BANDS)
    quiet, _ = whole(restorer, np.zeros((4_000, 1), np.float32))
    assert not quiet.any()
    audio = sound(16_000)
    spoilt = audio.copy()
    spoilt[5_000:5_100] = np.nan
    spoilt[5_100:5_110] = np.inf
    given, _ = whole(restorer, spoilt)
    assert np.isfinite(given).all()
    mended = audio.copy()
    mended[5_000:5_110] = 0.0
    np.testing.assert_allclose(given, whole(restorer, mended)[0], atol=1e-6)


def test_what_cannot_be_is_refused():
    with pytest.raises(DdspError, match="channels must be 1 to 64"):
        Restorer(Constant(1.0), BANDS, channels=0)
    with pytest.raises(DdspError, match=r"strength must lie within 0 to 1. Received: 1.5"):
        Restorer(Constant(1.0), BANDS, strength=1.5)
    with pytest.raises(DdspError, match=r"must be \[samples, 2\]. Received shape: \[100\]"):
        Restorer(Constant(1.0), BANDS, channels=2).push(np.zeros(100))
