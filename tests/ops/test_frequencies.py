"""Frequency heads, and the way between harmonics and sinusoids."""

import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.ops import (
    frequencies_sigmoid,
    frequencies_softmax,
    harmonic_to_sinusoidal,
    sinusoidal_to_harmonic,
)


def test_sigmoid_head_equals_its_definition_and_stays_in_range():
    raw = np.array([-1e4, -20.0, -2.0, 0.0, 3.0, 20.0, 1e4])
    got = frequencies_sigmoid(tf.constant(raw, tf.float32), 20.0, 8000.0).numpy()
    sigmoid = 0.5 * (1.0 + np.tanh(raw / 2))
    np.testing.assert_allclose(got, 20.0 * (8000.0 / 20.0) ** sigmoid, rtol=1e-5)
    assert got[3] == pytest.approx(400.0, rel=1e-6)
    assert got.min() >= 20.0 * (1 - 1e-6)
    assert got.max() <= 8000.0 * (1 + 1e-6)


def test_softmax_head_equals_its_definition():
    raw = np.random.default_rng(0).normal(size=[2, 5, 3, 11])
    share = np.exp(raw) / np.exp(raw).sum(axis=-1, keepdims=True)
    notes = 69.0 + 12.0 * np.log2(np.geomspace(30.0, 5000.0, 11) / 440.0)
    want = 440.0 * 2.0 ** ((share @ notes - 69.0) / 12.0)  # the mean over MIDI notes
    got = frequencies_softmax(tf.constant(raw, tf.float32), 30.0, 5000.0)
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_softmax_head_reaches_each_pitch_of_its_grid_and_has_a_gradient():
    raw = tf.eye(5) * 50.0
    np.testing.assert_allclose(frequencies_softmax(raw, 100.0, 1600.0), [100, 200, 400, 800, 1600], rtol=1e-5)
    raw = tf.zeros([5])
    with tf.GradientTape() as tape:
        tape.watch(raw)
        hz = frequencies_softmax(raw, 100.0, 1600.0)
    assert float(hz) == pytest.approx(400.0, rel=1e-6)
    # d hz / d raw_i = hz * p_i * (log f_i - mean log)
    want = 400.0 * 0.2 * np.log(2.0) * np.array([-2, -1, 0, 1, 2])
    np.testing.assert_allclose(tape.gradient(hz, raw), want, rtol=1e-4, atol=1e-4)


def test_harmonics_become_sinusoids_and_come_back():
    rng = np.random.default_rng(1)
    amplitude = rng.uniform(0.1, 1.0, [2, 6, 1])
    distribution = rng.uniform(size=[2, 6, 12])
    distribution /= distribution.sum(axis=-1, keepdims=True)
    f0_hz = rng.uniform(80.0, 400.0, [2, 6, 1])
    controls = [tf.constant(x, tf.float32) for x in (amplitude, distribution, f0_hz)]
    amplitudes, frequencies_hz = harmonic_to_sinusoidal(*controls)
    np.testing.assert_allclose(amplitudes, amplitude * distribution, rtol=1e-5)
    np.testing.assert_allclose(frequencies_hz, f0_hz * np.arange(1, 13), rtol=1e-5)
    back = sinusoidal_to_harmonic(amplitudes, frequencies_hz, controls[2], 12)
    np.testing.assert_allclose(back[0], amplitude, rtol=1e-5)
    np.testing.assert_allclose(back[1], distribution, rtol=1e-4, atol=1e-7)


def test_sinusoids_go_to_their_nearest_harmonic_with_their_energy():
    """Against a plain loop, frame by frame."""
    rng = np.random.default_rng(2)
    n_harmonics = 8
    f0_hz = rng.uniform(100.0, 300.0, [2, 5, 1])
    frequencies_hz = rng.uniform(0.0, 12 * 300.0, [2, 5, 40])
    amplitudes = rng.uniform(size=[2, 5, 40])
    amplitude, distribution = sinusoidal_to_harmonic(
        *(tf.constant(x, tf.float32) for x in (amplitudes, frequencies_hz, f0_hz)), n_harmonics
    )
    got = (amplitude * distribution).numpy()
    for frame in np.ndindex(2, 5):
        energies = np.zeros(n_harmonics)
        for a, f in zip(amplitudes[frame], frequencies_hz[frame], strict=True):
            number = round(f / f0_hz[frame][0])
            if 1 <= number <= n_harmonics:
                energies[number - 1] += a**2
        np.testing.assert_allclose(got[frame], np.sqrt(energies), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(tf.reduce_sum(distribution, axis=-1), 1.0, rtol=1e-5)


def test_what_is_near_no_harmonic_is_left_out_and_silence_is_no_nan():
    amplitudes, f0_hz = tf.ones([1, 3, 4]), tf.constant([[[100.0], [100.0], [0.0]]])
    frequencies_hz = tf.constant([[[49.0, 351.0, 1e9, -100.0], [51.0, 349.0, 251.0, 100.0], [100.0] * 4]])
    with tf.GradientTape() as tape:
        tape.watch(amplitudes)
        amplitude, distribution = sinusoidal_to_harmonic(amplitudes, frequencies_hz, f0_hz, 3)
        loss = tf.reduce_sum(amplitude) + tf.reduce_sum(tf.square(distribution))
    got = (amplitude * distribution).numpy()[0]
    np.testing.assert_allclose(got, [[0, 0, 0], [np.sqrt(2), 0, np.sqrt(2)], [0, 0, 0]], atol=1e-6)
    gradient = tape.gradient(loss, amplitudes).numpy()
    assert np.isfinite(gradient).all()
    np.testing.assert_array_equal(gradient[0, [0, 2]], 0.0)
    assert np.all(gradient[0, 1] > 0)
