"""The resampler of streams: any blocks, the right time, no aliases, against analytic tones."""

import numpy as np
import pytest

from ddsp_edge.live.resampler import Resampler

RATES = [
    (48_000, 16_000),
    (16_000, 48_000),
    (44_100, 16_000),
    (16_000, 44_100),
    (44_100, 48_000),
    (8_000, 48_000),
]


def tone(f_hz, rate, seconds=0.2):
    return np.sin(2 * np.pi * f_hz * np.arange(int(seconds * rate)) / rate).astype(np.float32)


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_a_tone_keeps_its_level_and_its_time(rate_in, rate_out):
    for share in (0.05, 0.3, 0.75):
        f_hz = share * min(rate_in, rate_out) / 2
        out = Resampler(rate_in, rate_out).process(tone(f_hz, rate_in))
        want = tone(f_hz, rate_out, 0.3)[: len(out)]
        edge = 40 * max(1, rate_out // rate_in)  # where silence before the tone is heard
        np.testing.assert_allclose(out[edge:], want[edge:], atol=1e-3, rtol=0)  # -60 dB


@pytest.mark.parametrize(("rate_in", "rate_out"), [(48_000, 16_000), (44_100, 16_000)])
def test_what_the_lower_rate_cannot_hold_is_gone(rate_in, rate_out):
    for f_hz in (9_000, 12_000, 20_000):
        out = Resampler(rate_in, rate_out).process(tone(f_hz, rate_in))
        assert np.abs(out[50:]).max() < 2e-3


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_any_blocks_give_the_samples_of_one_call_as_soon_as_is_declared(rate_in, rate_out):
    sound = np.random.default_rng(0).uniform(-1, 1, 6000).astype(np.float32)
    whole = Resampler(rate_in, rate_out)
    want = whole.process(sound)
    # The last output is the last whose time is followed by half the taps.
    last = (len(want) - 1) * rate_in / rate_out
    assert last + whole.half_taps < len(sound) <= last + whole.half_taps + rate_in / rate_out + 1
    for size in (1, 7, 480, 1024):
        stream = Resampler(rate_in, rate_out)
        found = np.concatenate([stream.process(sound[i : i + size]) for i in range(0, len(sound), size)])
        np.testing.assert_allclose(found, want, atol=1e-6, rtol=0)
