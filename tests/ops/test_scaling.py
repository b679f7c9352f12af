"""Scale functions against their formulas in float64 and against each other."""

import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf import ops

RAW = np.concatenate([np.linspace(-12.0, 12.0, 241), [-30.0, 30.0]])


def slope(function, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x).numpy()


@pytest.mark.parametrize(("max_value", "exponent"), [(2.0, 10.0), (1.0, 3.0), (0.5, 100.0)])
def test_exp_sigmoid_is_the_power_of_a_sigmoid(max_value, exponent):
    want = max_value * (1.0 / (1.0 + np.exp(-RAW))) ** np.log(exponent) + 1e-7
    given = {"max_value": max_value, "exponent": exponent}
    np.testing.assert_allclose(ops.exp_sigmoid(tf.constant(RAW), **given), want, rtol=1e-12)
    single = ops.exp_sigmoid(tf.constant(RAW, tf.float32), **given)
    np.testing.assert_allclose(single, want, rtol=2e-5)  # an exponent of up to 140 in float32


@pytest.mark.parametrize(("max_value", "exponent"), [(2.0, 10.0), (1.0, 3.0)])
def test_the_inverse_gives_back_what_was_squashed(max_value, exponent):
    raw = np.linspace(-5.0, 8.0, 50)
    given = {"max_value": max_value, "exponent": exponent}
    squashed = ops.exp_sigmoid(tf.constant(raw), **given)
    np.testing.assert_allclose(ops.inverse_exp_sigmoid(squashed, **given), raw, atol=1e-9)


def test_the_inverse_is_finite_where_no_output_would_lead():
    raw = ops.inverse_exp_sigmoid(tf.constant([-1.0, 0.0, 2.0, 5.0]))
    assert np.isfinite(raw).all()
    assert raw[0] == raw[1] < raw[2] == raw[3]


def test_signed_exp_sigmoid_is_odd_bounded_and_fine_around_zero():
    values = ops.signed_exp_sigmoid(tf.constant(RAW), max_value=1.5, exponent=20.0).numpy()
    log = np.log(20.0)
    np.testing.assert_allclose(values, 1.5 * np.sinh(log * np.tanh(RAW / 2)) / np.sinh(log), rtol=1e-12)
    np.testing.assert_allclose(values[:241], -values[:241][::-1], atol=1e-12)
    assert (np.diff(values[:241]) > 0).all()
    assert np.abs(values).max() <= 1.5
    at = slope(lambda x: ops.signed_exp_sigmoid(x, exponent=20.0), np.array([0.0, 2.0]))
    assert 0.0 < at[0] < at[1]


def test_sigmoid_between_reaches_from_end_to_end():
    values = ops.sigmoid_between(tf.constant([-40.0, 0.0, 40.0]), -3.0, 5.0)
    np.testing.assert_allclose(values, [-3.0, 1.0, 5.0], atol=1e-6)


@pytest.mark.parametrize(
    "function", [ops.exp_sigmoid, ops.signed_exp_sigmoid, lambda x: ops.sigmoid_between(x, 20.0, 30.0)]
)
def test_slopes_equal_differences(function):
    x, step = np.linspace(-6.0, 6.0, 25), 1e-5
    differences = (function(tf.constant(x + step)) - function(tf.constant(x - step))) / (2 * step)
    np.testing.assert_allclose(slope(function, x), differences, rtol=1e-6, atol=1e-9)
