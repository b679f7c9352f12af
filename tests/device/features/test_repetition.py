"""How well a sound repeats itself after each period: where the pitch is, at any level, in any cut."""

import numpy as np
import pytest

from ddsp_edge.errors import DdspError
from ddsp_edge.features.repetition import Repetition, pitches_hz, repetition
from ddsp_edge.frames import FrameSpec

SPEC = FrameSpec(16_000, 128)
LOW_HZ, HIGH_HZ = 60.0, 500.0
GRID_HZ = pitches_hz(LOW_HZ, HIGH_HZ)


def tone(f0_hz: float, first: int = 1, last: int = 12) -> np.ndarray:
    t = np.arange(8_000) / 16_000
    return sum(np.sin(2.0 * np.pi * k * f0_hz * t + k) / k for k in range(first, last)).astype(np.float32)


def test_the_grid_holds_the_whole_range() -> None:
    assert GRID_HZ[0] == LOW_HZ
    assert HIGH_HZ <= GRID_HZ[-1] < HIGH_HZ * 2.0 ** (1.0 / 48.0)
    np.testing.assert_allclose(GRID_HZ[48], 2.0 * LOW_HZ)


@pytest.mark.parametrize("f0_hz", [80.0, 131.0, 220.0, 415.0])
@pytest.mark.parametrize("first", [1, 2])  # also where the fundamental is missing
def test_a_tone_repeats_itself_after_its_period(f0_hz: float, first: int) -> None:
    weak = repetition(tone(f0_hz, first), SPEC, LOW_HZ, HIGH_HZ)[30, : len(GRID_HZ)]
    own = int(np.abs(GRID_HZ - f0_hz).argmin())
    above = 0.7 * f0_hz < GRID_HZ  # what repeats itself does so after two periods too
    assert abs(int(np.where(above, weak, -1.0).argmax()) - own) <= 1


def test_a_fundamental_is_heard_through_hiss() -> None:
    hiss = np.diff(np.random.default_rng(0).standard_normal(8_002), 2).astype(np.float32)
    sound = 0.1 * tone(140.0, 1, 4) + 0.1 * hiss
    weak, strong = np.split(repetition(sound, SPEC, LOW_HZ, HIGH_HZ)[30], 2)
    own = int(np.abs(GRID_HZ - 140.0).argmin())
    assert strong[own] > 0.8
    assert strong[own] > weak[own] + 0.3


def test_level_is_nothing_to_it() -> None:
    loud, soft = (repetition(gain * tone(140.0), SPEC, LOW_HZ, HIGH_HZ)[10:40] for gain in (0.5, 0.01))
    np.testing.assert_allclose(soft, loud, atol=5e-3)  # floors are 60 dB below the softer one


def test_silence_is_finite_and_alike_at_all_periods() -> None:
    found = repetition(np.zeros(4_000, np.float32), SPEC, LOW_HZ, HIGH_HZ)
    assert np.isfinite(found).all()
    assert np.abs(found[:, : len(GRID_HZ)]).max() < 0.3


def test_a_stream_gives_what_the_whole_does_bit_by_bit() -> None:
    sound = tone(140.0) + 0.01 * np.random.default_rng(1).standard_normal(8_000).astype(np.float32)
    meter = Repetition(SPEC, LOW_HZ, HIGH_HZ)
    cuts = np.sort(np.random.default_rng(2).integers(0, len(sound), 40))
    parts = [meter.push(part) for part in np.split(sound, cuts)]
    np.testing.assert_array_equal(
        np.concatenate([*parts, meter.flush()]), repetition(sound, SPEC, LOW_HZ, HIGH_HZ)
    )


@pytest.mark.parametrize(("low", "high"), [(20.0, 500.0), (60.0, 3_000.0), (200.0, 100.0)])
def test_a_range_that_cannot_be_looked_at_is_refused(low: float, high: float) -> None:
    with pytest.raises(DdspError, match="pitches must lie between"):
        Repetition(SPEC, low, high)
