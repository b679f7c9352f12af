"""Interpolation of tracks: never across a gap or a step."""

import numpy as np

from ddsp_tf.features.f0_grid import interpolate_f0


def test_glides_are_interpolated_in_log_frequency() -> None:
    f0_hz, voicing = interpolate_f0(
        np.array([0.0, 100.0]), np.array([400.0, 420.0]), np.array([0.2, 0.8]), np.array([50.0, 25.0])
    )
    # float32 results
    np.testing.assert_allclose(f0_hz, [np.sqrt(400.0 * 420.0), 400.0 * (420.0 / 400.0) ** 0.25], rtol=1e-6)
    np.testing.assert_allclose(voicing, [0.5, 0.35], rtol=1e-6)


def test_gaps_and_steps_take_the_nearer_instant() -> None:
    at = np.array([0.0, 10.0, 20.0, 30.0])
    f0_hz = np.array([200.0, 0.0, 200.0, 400.0])
    wanted = np.array([4.0, 6.0, 14.0, 16.0, 24.0, 26.0])
    result, _ = interpolate_f0(at, f0_hz, np.ones(4), wanted)
    np.testing.assert_array_equal(result, np.float32([200.0, 0.0, 0.0, 200.0, 200.0, 400.0]))


def test_the_ends_hold_and_one_instant_is_enough() -> None:
    result, _ = interpolate_f0(np.array([5.0]), np.array([300.0]), np.ones(1), np.array([-4.0, 5.0, 99.0]))
    np.testing.assert_array_equal(result, np.float32([300.0, 300.0, 300.0]))
