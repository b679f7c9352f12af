"""Nonlinearities that turn raw network outputs into physical controls."""

import math

import tensorflow as tf

from ddsp_tf.arguments import check_above, check_number
from ddsp_tf.ops.arguments import as_floats


def exp_sigmoid(
    x: tf.Tensor, *, max_value: float = 2.0, exponent: float = 10.0, threshold: float = 1e-7
) -> tf.Tensor:
    """Squash to `(threshold, max_value + threshold)`, exponentially towards the lower end.

    `max_value * sigmoid(x) ** log(exponent) + threshold`, the scaling of amplitudes in DDSP (Engel et
    al. 2020, "DDSP: Differentiable Digital Signal Processing", appendix B.5). It is computed as
    `exp(-log(exponent) * softplus(-x))`, which is the same without the slow power function.

    Args:
        x: Float tensor of any shape.
        max_value: Float > 0, upper bound.
        exponent: Float > 1, steepness towards zero.
        threshold: Float >= 0, lower bound; keeps logarithms and their gradients finite.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        DdspError: If the tensor holds no numbers, or a parameter is out of range.
    """
    x = as_floats("exp_sigmoid", "x", x)
    max_value, exponent, threshold = _checked("exp_sigmoid", max_value, exponent, threshold)
    return max_value * tf.exp(-math.log(exponent) * tf.nn.softplus(-x)) + threshold


def inverse_exp_sigmoid(
    y: tf.Tensor, *, max_value: float = 2.0, exponent: float = 10.0, threshold: float = 1e-7
) -> tf.Tensor:
    """Find the raw output that `exp_sigmoid` squashes to `y`: for initial biases, and to replay controls.

    Args:
        y: Float tensor of any shape; held `1e-6` of the range away from its ends, which only infinite
            outputs would reach.
        max_value: Float, as in `exp_sigmoid`.
        exponent: Float > 1, as in `exp_sigmoid`.
        threshold: Float, as in `exp_sigmoid`.

    Returns:
        Tensor of the shape of `y`.

    Raises:
        DdspError: If the tensor holds no numbers, or a parameter is out of range.
    """
    y = as_floats("inverse_exp_sigmoid", "y", y)
    max_value, exponent, threshold = _checked("inverse_exp_sigmoid", max_value, exponent, threshold)
    share = tf.clip_by_value((y - threshold) / max_value, 1e-6, 1.0 - 1e-6)
    log_sigmoid = tf.math.log(share) / math.log(exponent)
    return log_sigmoid - tf.math.log(-tf.math.expm1(log_sigmoid))


def signed_exp_sigmoid(x: tf.Tensor, *, max_value: float = 2.0, exponent: float = 10.0) -> tf.Tensor:
    """Squash to `(-max_value, max_value)`, fine around 0 and exponentially coarser towards both ends.

    `max_value * sinh(log(exponent) * tanh(x / 2)) / sinh(log(exponent))`, for what has a sign: samples of a
    wavetable, depths of modulation.

    Args:
        x: Float tensor of any shape.
        max_value: Float > 0, bound.
        exponent: Float > 1, how much coarser the ends are.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        DdspError: If the tensor holds no numbers, or a parameter is out of range.
    """
    x = as_floats("signed_exp_sigmoid", "x", x)
    max_value, exponent, _ = _checked("signed_exp_sigmoid", max_value, exponent)
    log = math.log(exponent)
    return (max_value / math.sinh(log)) * tf.sinh(log * tf.tanh(x / 2.0))


def sigmoid_between(x: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Squash to `(low, high)`, linearly around the middle; `frequencies_sigmoid` does it in equal ratios.

    Args:
        x: Float tensor of any shape.
        low: Float, lower end.
        high: Float > `low`, upper end.

    Returns:
        `low + (high - low) * sigmoid(x)`, in the shape of `x`.

    Raises:
        DdspError: If the tensor holds no numbers, or `high` is not above `low`.
    """
    x = as_floats("sigmoid_between", "x", x)
    low = check_number("sigmoid_between", "low", low, -math.inf, math.inf)
    high = check_above("sigmoid_between", "high", high, low)
    return low + (high - low) * tf.sigmoid(x)


def _checked(
    owner: str, max_value: float, exponent: float, threshold: float = 0.0
) -> tuple[float, float, float]:
    return (
        check_above(owner, "max_value", max_value, 0.0),
        check_above(owner, "exponent", exponent, 1.0),
        check_number(owner, "threshold", threshold, 0.0, math.inf),
    )
