"""Other mixtures of the same clean sound and noise, reckoned from powers in bands."""

import math
from collections.abc import Sequence

import tensorflow as tf

_CURVES = 4  # cosines over the bands that a colour is made of


def remixed(
    products: Sequence[tf.Tensor], level_db: float, colour_db: float, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Mix anew what is wanted and what is not, each under another gain in every band.

    A mixture `X = S + N` is known by `|X|^2`, `|S|^2` and `Re(S X*)`, averaged over the bins of a band. They
    hold `|N|^2` and `Re(S N*)`, and so those of `X' = g S + h N` for any gains `g` and `h` that are constant
    within a band: the mixture need not be made, nor transformed.

    Args:
        products: `|X|^2`, `|S|^2` and `Re(S X*)`, `[batch, frames, bands]` each.
        level_db: Float >= 0, how much louder or softer noise gets at most, dB.
        colour_db: Float >= 0, how far smooth curves over the bands, one of clean sound and one of noise, go
            up and down at most, dB.
        seed: int32 `[2]`.

    Returns:
        The same three of the new mixtures.
    """
    power, target, product = products
    batch, bands = tf.shape(power)[0], power.shape[-1]
    drawn = tf.random.stateless_uniform([batch, 1 + 2 * _CURVES], seed, -1.0, 1.0)
    level = drawn[:, tf.newaxis, :1] * level_db
    curves = tf.reshape(drawn[:, 1:], [batch, 2, _CURVES]) * (colour_db / _CURVES)
    place = (tf.range(bands, dtype=tf.float32) + 0.5)[tf.newaxis] * (math.pi / bands)
    colours = tf.matmul(curves, tf.cos(tf.range(1.0, _CURVES + 1.0)[:, tf.newaxis] * place))
    wanted, unwanted = _linear(colours[:, :1]), _linear(colours[:, 1:] + level)
    crossed = product - target
    noise = tf.nn.relu(power - 2.0 * product + target)
    target, crossed = target * wanted * wanted, crossed * wanted * unwanted
    mixture = tf.nn.relu(target + 2.0 * crossed + noise * unwanted * unwanted)
    return mixture, target, target + crossed


def _linear(gain_db: tf.Tensor) -> tf.Tensor:
    return tf.exp(gain_db * (math.log(10.0) / 20.0))
