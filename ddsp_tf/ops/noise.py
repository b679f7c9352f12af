"""Random signals."""

from typing import Any

import tensorflow as tf

from ddsp_tf.arguments import check_integer
from ddsp_tf.errors import DdspError

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

    Raises:
        DdspError: If an argument is not as above.
    """
    batch, n_samples = _count("batch", batch), _count("n_samples", n_samples)
    seed = _checked_seed(seed)
    count = -(-n_samples // _SAMPLES_A_NUMBER)
    bits = tf.random.stateless_uniform([batch, count], seed, None, None, tf.int64)
    levels = tf.cast(tf.bitcast(bits, tf.int16), tf.float32)
    return tf.reshape((levels + 0.5) / 2.0**15, [batch, count * _SAMPLES_A_NUMBER])[:, :n_samples]


def _count(name: str, value: Any) -> Any:
    """A number of things: an integer, or a tensor of one."""
    if not isinstance(value, tf.Tensor):
        return check_integer("white_noise", name, value, 0)
    if not value.dtype.is_integer or value.shape.rank not in (None, 0):
        raise DdspError(
            f"white_noise: {name} must be an integer. "
            f"Received: {value.dtype.name} of shape {tuple(value.shape)}"
        )
    return value


def _checked_seed(seed: Any) -> tf.Tensor:
    try:
        tensor = tf.convert_to_tensor(seed)
    except (TypeError, ValueError):
        tensor = None
    if tensor is None or not tensor.dtype.is_integer or not tensor.shape.is_compatible_with([2]):
        raise DdspError(f"white_noise: seed must be two integers. Received: seed={seed!r}")
    return tensor
