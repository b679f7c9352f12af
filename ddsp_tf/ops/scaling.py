"""Nonlinearities that turn raw network outputs into physical controls."""

import math

import tensorflow as tf


def exp_sigmoid(
    x: tf.Tensor, *, max_value: float = 2.0, exponent: float = 10.0, threshold: float = 1e-7
) -> tf.Tensor:
    """Squash to `(threshold, max_value + threshold)`, exponentially towards the lower end.

    `max_value * sigmoid(x) ** log(exponent) + threshold`, the scaling of amplitudes in DDSP (Engel et
    al. 2020, "DDSP: Differentiable Digital Signal Processing", appendix B.5). It is computed as
    `exp(-log(exponent) * softplus(-x))`, which is the same without the slow power function.

    Args:
        x: Float tensor of any shape.
        max_value: Float, upper bound.
        exponent: Float > 1, steepness towards zero.
        threshold: Float, lower bound; keeps logarithms and their gradients finite.

    Returns:
        Tensor of the shape of `x`.
    """
    return max_value * tf.exp(-math.log(exponent) * tf.nn.softplus(-x)) + threshold
