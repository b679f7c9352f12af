"""The refinement of a coarse f0."""

import numpy as np
import pytest

from ddsp_tf.features import period


def test_how_many_windows_are_looked_at_together_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    t = np.arange(24_000) / 24_000
    sound = np.sin(2.0 * np.pi * (200.0 * t + 30.0 * t**2)) + 0.1 * rng.standard_normal(len(t))
    centres = np.arange(len(t) // 192) * 192
    coarse = (200.0 + 60.0 * t[centres]) * rng.uniform(0.995, 1.005, len(centres))
    coarse[::7] = 0.0
    found = []
    for samples in (1 << 30, 1 << 17, 1):
        monkeypatch.setattr(period, "_AT_ONCE", samples)
        found.append(period.refine_f0(sound, 24_000, centres, 1536, coarse, 20.0)[0])
    assert np.any(found[0] != coarse)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
