"""The complex surrogate of Hayes et al. 2022: gradient descent finds a frequency through it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.ops import damped_sinusoids, inside_unit_circle, surrogate_frequency_hz

SAMPLE_RATE, N_SAMPLES, STEPS = 16000, 64, 8000
STARTS_HZ = np.linspace(250.0, 7750.0, 30)


def test_surrogate_is_the_real_part_of_the_powers():
    z = np.array([0.9 * np.exp(0.3j), np.exp(2.5j), 0.99 * np.exp(-1.0j), -0.5, 1.0])
    got = damped_sinusoids(tf.constant(z.real, tf.float32), tf.constant(z.imag, tf.float32), 50)
    want = np.cumprod(np.concatenate([np.ones([5, 1]), np.repeat(z[:, None], 49, 1)], axis=1), axis=1).real
    np.testing.assert_allclose(got, want, atol=2e-5)  # 50 times the rounding of a float32 angle


def test_gradient_is_that_of_the_powers():
    """d Re(z^n) / d Re(z) = Re(n z^(n-1)), and by Im(z) its negative imaginary part."""
    z, weights = 0.95 * np.exp(0.7j), np.random.default_rng(0).normal(size=20)
    real, imaginary = tf.constant(z.real, tf.float64), tf.constant(z.imag, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch([real, imaginary])
        value = tf.reduce_sum(damped_sinusoids(real, imaginary, 20) * weights)
    slope = np.sum(weights[1:] * np.arange(1, 20) * z ** np.arange(19))
    got = tape.gradient(value, [real, imaginary])
    np.testing.assert_allclose(got, [slope.real, -slope.imag], rtol=1e-9)


def test_numbers_are_pulled_inside_the_unit_circle_and_zero_is_no_nan():
    z = np.array([0.0, 0.3j, -1.0, 5.0 - 5.0j])
    real, imaginary = tf.constant(z.real, tf.float32), tf.constant(z.imag, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([real, imaginary])
        inside = inside_unit_circle(real, imaginary)
        total = tf.reduce_sum(damped_sinusoids(*inside, 10))
    got = inside[0].numpy() + 1j * inside[1].numpy()
    np.testing.assert_allclose(np.abs(got), np.tanh(np.abs(z)), atol=1e-6)
    np.testing.assert_allclose(np.angle(got[1:]), np.angle(z[1:]), atol=1e-6)
    assert np.isfinite(tape.gradient(total, [real, imaginary])).all()


def descend(variables, render, target):
    """Adam on the mean squared error of waveforms, from all starts at once."""
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.PolynomialDecay(1e-2, STEPS, 0.0))
    optimizer.build(variables)

    @tf.function
    def run():
        for _ in tf.range(STEPS):
            with tf.GradientTape() as tape:
                error = tf.reduce_sum(tf.reduce_mean(tf.square(render() - target), axis=-1))
            values = [v.value for v in variables]
            optimizer.apply(tape.gradient(error, values), variables)

    run()


@pytest.mark.parametrize("target_hz", [2500.0, 4329.0])
def test_gradient_descent_recovers_a_frequency_where_the_plain_oscillator_fails(target_hz):
    """From 30 starts over the whole band; the plain oscillator stays in the minimum where it starts."""
    radians = 2.0 * np.pi / SAMPLE_RATE
    n = tf.range(N_SAMPLES, dtype=tf.float32)
    target = tf.constant(np.cos(target_hz * radians * np.arange(N_SAMPLES)), tf.float32)

    plain = keras.Variable(STARTS_HZ * radians, dtype="float32")
    descend([plain], lambda: tf.cos(plain.value[:, tf.newaxis] * n), target)
    plain_hz = plain.numpy() / radians

    real = keras.Variable(np.cos(STARTS_HZ * radians), dtype="float32")
    imaginary = keras.Variable(np.sin(STARTS_HZ * radians), dtype="float32")
    descend([real, imaginary], lambda: damped_sinusoids(real.value, imaginary.value, N_SAMPLES), target)
    found_hz = surrogate_frequency_hz(real.value, imaginary.value, SAMPLE_RATE).numpy()

    # The plain error has minima about every 1 / 64 of the sample rate, 250 Hz: one start is in the right one.
    assert np.sum(np.abs(plain_hz - target_hz) < 1.0) <= 2
    assert np.abs(plain_hz - STARTS_HZ).max() < 250.0
    np.testing.assert_allclose(found_hz, target_hz, atol=1.0)
