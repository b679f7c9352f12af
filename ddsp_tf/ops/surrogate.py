"""A stand-in for a sinusoid through which gradient descent finds its frequency.

The error between two sinusoids is full of local minima along the frequency of one of them, so that gradient
descent stays where it starts. A complex number that may leave the unit circle has a way around: where the
frequency is wrong the sinusoid dies away first, turns, and grows again where it is right.

Reference: B. Hayes, C. Saitis, G. Fazekas, "Sinusoidal Frequency Estimation by Gradient Descent", ICASSP
2023 (arXiv:2210.14476).
"""

import math

import tensorflow as tf

from ddsp_tf.arguments import check_integer
from ddsp_tf.ops.arguments import LEADING, Arguments

_SMALLEST = 1e-6  # of a magnitude; its logarithm and its angle have a pole at 0


def damped_sinusoids(real: tf.Tensor, imaginary: tf.Tensor, n_samples: int) -> tf.Tensor:
    """Real part of the powers of complex numbers: sinusoids that decay, or grow, exponentially.

    `s[n] = Re(z ** n) = |z| ** n cos(n angle(z))`, the surrogate of Hayes et al. 2022. The angle of `z`
    is the frequency in radians a sample, its magnitude the decay from one sample to the next. Training should
    start on or inside the unit circle; `inside_unit_circle` keeps a network there. The two parts are tensors
    of their own, so that any optimizer and any layer can have them; their gradients together are
    twice the conjugate Wirtinger derivative.

    Args:
        real: `[...]`, real part of `z`.
        imaginary: `[...]`, imaginary part of `z`. Numbers below 1e-6 count as 1e-6.
        n_samples: Integer > 0.

    Returns:
        `[..., n_samples]`; sample 0 is 1.

    Raises:
        DdspError: If the parts have different shapes, or the number of samples is no positive integer.
    """
    n_samples = check_integer("damped_sinusoids", "n_samples", n_samples, 1)
    real, imaginary = _parts("damped_sinusoids", real, imaginary)
    n = tf.range(n_samples, dtype=real.dtype)
    small = tf.square(real) + tf.square(imaginary) < _SMALLEST**2
    # Values move, gradients pass.
    real = real + tf.stop_gradient(tf.where(small, _SMALLEST - real, 0.0))
    imaginary = imaginary + tf.stop_gradient(tf.where(small, -imaginary, 0.0))
    decay = 0.5 * tf.math.log(tf.square(real) + tf.square(imaginary))[..., tf.newaxis]
    angle = tf.atan2(imaginary, real)[..., tf.newaxis]
    return tf.exp(n * decay) * tf.cos(n * angle)


def inside_unit_circle(real: tf.Tensor, imaginary: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Pull complex numbers smoothly inside the unit circle; angles stay.

    Args:
        real: `[...]`.
        imaginary: `[...]`.

    Returns:
        Real and imaginary parts of numbers whose magnitude is `tanh` of what it was.

    Raises:
        DdspError: If the parts have different shapes.
    """
    real, imaginary = _parts("inside_unit_circle", real, imaginary)
    magnitude = tf.sqrt(tf.maximum(tf.square(real) + tf.square(imaginary), _SMALLEST**2))
    scale = tf.tanh(magnitude) / magnitude
    return real * scale, imaginary * scale


def surrogate_frequency_hz(real: tf.Tensor, imaginary: tf.Tensor, sample_rate: int) -> tf.Tensor:
    """Frequency of `damped_sinusoids` in Hz, 0 to Nyquist.

    Conjugate numbers have the same real parts, so the sign of the angle means nothing.

    Args:
        real: `[...]`.
        imaginary: `[...]`.
        sample_rate: Integer, Hz.

    Returns:
        `[...]`, Hz.

    Raises:
        DdspError: If the parts have different shapes, or the rate is no positive integer.
    """
    sample_rate = check_integer("surrogate_frequency_hz", "sample_rate", sample_rate, 1)
    real, imaginary = _parts("surrogate_frequency_hz", real, imaginary)
    return tf.abs(tf.atan2(imaginary, real)) * (sample_rate / (2.0 * math.pi))


def _parts(owner: str, real: tf.Tensor, imaginary: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    take = Arguments(owner)
    return take("real", real, LEADING), take("imaginary", imaginary, LEADING)
