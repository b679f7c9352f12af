"""Random signals."""

import tensorflow as tf

_SAMPLES_A_NUMBER = 4


def white_noise(batch: tf.Tensor, n_samples: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Uniform white noise with a resolution of 16 bits and no offset.

    A random number of 64 bits gives four samples: drawing them is a good part of what filtered noise costs.

    Args:
        batch: Integer, how many signals.
        n_samples: Integer, length of each.
        seed: Two integers; the same seed gives the same noise.

    Returns:
        float32 `[batch, n_samples]` in -1 to 1, mean power 1/3.
    """
    count = -(-n_samples // _SAMPLES_A_NUMBER)
    bits = tf.random.stateless_uniform([batch, count], seed, None, None, tf.int64)
    levels = tf.cast(tf.bitcast(bits, tf.int16), tf.float32)
    return tf.reshape((levels + 0.5) / 2.0**15, [batch, count * _SAMPLES_A_NUMBER])[:, :n_samples]
