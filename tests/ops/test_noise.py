"""White noise: its level, its spectrum, its seed."""

import numpy as np
import pytest

from ddsp_tf.ops.noise import white_noise


def test_noise_is_uniform_white_and_without_offset() -> None:
    noise = white_noise(2, 400_000, [1, 2]).numpy().astype(np.float64)
    assert np.abs(noise).max() < 1.0
    # Standard errors of 400,000 samples, five of them.
    assert np.abs(noise.mean(axis=1)).max() < 5 * np.sqrt(1 / 3 / 400_000)
    assert np.mean(noise**2) == pytest.approx(1 / 3, rel=5e-3)
    histogram, _ = np.histogram(noise, 64, (-1.0, 1.0))
    assert np.abs(histogram / histogram.mean() - 1.0).max() < 0.05
    lags = [np.mean(noise[:, :-lag] * noise[:, lag:]) * 3 for lag in range(1, 9)]
    assert np.abs(lags).max() < 5 / np.sqrt(800_000)
    assert abs(np.mean(noise[0] * noise[1]) * 3) < 5 / np.sqrt(400_000)


@pytest.mark.parametrize("n_samples", [1, 3, 4, 441])
def test_any_length_will_do_and_a_seed_repeats(n_samples: int) -> None:
    noise = white_noise(3, n_samples, [5, 6])
    assert noise.shape == (3, n_samples)
    np.testing.assert_array_equal(noise, white_noise(3, n_samples, [5, 6]))
    assert not np.array_equal(noise, white_noise(3, n_samples, [5, 7]))
