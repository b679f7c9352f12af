"""Statistics against numpy's percentiles of the same values."""

import numpy as np
import pytest

from ddsp_tf.data.prepare.statistics import FeatureStatistics


def test_ranges_equal_percentiles_within_a_bin() -> None:
    rng = np.random.default_rng(0)
    statistics = FeatureStatistics()
    f0_hz = np.exp(rng.normal(np.log(300.0), 0.4, 20_000)).astype(np.float32)
    f0_hz[rng.random(20_000) < 0.25] = 0.0
    loudness_db = rng.uniform(-80.0, 0.0, 20_000).astype(np.float32)
    for part in range(0, 20_000, 1250):
        statistics.add(f0_hz[part : part + 1250], loudness_db[part : part + 1250])
    voiced, heard = f0_hz[f0_hz > 0], loudness_db[loudness_db > -70.0]
    f0, loudness = statistics.f0_hz_range(), statistics.loudness_db_range()
    # One bin is half a cent of f0 and 0.01 dB; percentiles interpolate between neighbours.
    assert (f0.low, f0.median, f0.high) == pytest.approx(np.percentile(voiced, [5, 50, 95]), rel=1e-3)
    wanted = np.percentile(heard, [5, 50, 95])
    assert (loudness.low, loudness.median, loudness.high) == pytest.approx(wanted, abs=0.02)
    assert statistics.voiced_share == pytest.approx(len(voiced) / 20_000)
