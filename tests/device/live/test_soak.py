"""Seconds of everything going wrong at once; `tests/device/live/soak.py` plays minutes."""

import pytest

from ddsp_edge.live import LATENCIES, EffectSettings, KeySettings, LiveEffect, LiveInstrument
from tests.device.conftest import TINY
from tests.device.live.soak import soak

SECONDS = 5.0


def effect():
    settings = EffectSettings(gate=True, match_loudness=True, match_octave=True, gain_db=12.0)
    return LiveEffect(TINY, settings, seed=0, **LATENCIES["low"])


def keys():
    return LiveInstrument(TINY, 4, KeySettings(gain_db=12.0), seed=0)


@pytest.mark.parametrize(("player", "inputs"), [(effect, 1), (keys, 0)])
@pytest.mark.parametrize(("rates", "block"), [((16_000, 48_000, 44_100), 0)])
def test_a_bad_card_and_bad_input_leave_the_sound_whole(player, inputs, rates, block):
    seen = soak(player(), SECONDS, rates, block, inputs)
    assert seen["failures"] == []
    assert seen["samples_beyond_full_scale"] == 0
    assert 0.05 < seen["peak"] <= 1.0
    assert seen["reopened"] == 3
    assert seen["xruns_made"] > 0
    assert seen["xruns_counted"] == seen["xruns_made"]
    # No block and no second of sound is kept: that would be 64,000 bytes for each second.
    assert seen["memory_growth_bytes"] < 50_000
    assert seen["peak_after_panic"] < 1e-3  # -60 dB
