"""The error of a masked sound, reckoned from powers in bands: no sound is made."""

import math

import tensorflow as tf

ERROR_FLOOR = 10.0**-3.5
"""Of the power of the target: an error below it (-35 dB) is as good as none."""
SOFTEST_TARGET = 1e-3
"""Of the power of the input, added to that of the target: a ratio to nothing would be infinite."""
POWER_EXPONENT = 0.15
"""Half of 0.3, of a magnitude: powers are compressed as loudness is."""
SPECTRUM_FLOOR = 1e-5
"""Of the mean power of the input (-50 dB): what is softer weighs nothing."""
COMPLEX_SHARE = 0.3
"""Of the compressed distance that minds phases; the rest compares magnitudes."""


def band_products(noisy: tf.Tensor, clean: tf.Tensor, means: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Mean powers of two spectra in bands, and of their product.

    Args:
        noisy: complex64 `[batch, frames, n_bins]`.
        clean: The same.
        means: float32 `[n_bins, bands]`, weights of bins in the mean of a band.

    Returns:
        `|X|^2`, `|S|^2` and `Re(S X*)`, `[batch, frames, bands]` each.
    """
    real, imaginary = tf.math.real(noisy), tf.math.imag(noisy)
    clean_real, clean_imaginary = tf.math.real(clean), tf.math.imag(clean)
    parts = (
        real * real + imaginary * imaginary,
        clean_real * clean_real + clean_imaginary * clean_imaginary,
        clean_real * real + clean_imaginary * imaginary,
    )
    return tuple(tf.matmul(part, means) for part in parts)


def compressed_terms(
    power: tf.Tensor, target: tf.Tensor, product: tf.Tensor, axes: list[int]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Distance of compressed spectra, and what is missing of the target's magnitudes.

    With magnitudes `a` and `b` and the cosine `c` of the angle between them:

        0.7 (a^0.3 - b^0.3)^2 + 0.3 (a^0.6 + b^0.6 - 2 c a^0.3 b^0.3)

    Reference: S. Braun and I. Tashev, "Data augmentation and loss normalization for deep noise suppression",
    SPECOM 2020.

    Args:
        power: Of the estimate, re the mean of the input, `[batch, ...]`.
        target: Of the target, the same.
        product: Real part of target times conjugate estimate, the same.
        axes: That are averaged.

    Returns:
        Both `[batch]`.
    """
    power, target = power + SPECTRUM_FLOOR, target + SPECTRUM_FLOOR
    log_power, log_target = tf.math.log(power), tf.math.log(target)
    a, b = tf.exp(POWER_EXPONENT * log_power), tf.exp(POWER_EXPONENT * log_target)
    cosine = (product + SPECTRUM_FLOOR) * tf.exp(-0.5 * (log_power + log_target))
    cosine = tf.minimum(cosine, 1.0)
    magnitude = tf.square(a - b)
    by_phase = a * a + b * b - 2.0 * cosine * a * b
    distance = (1.0 - COMPLEX_SHARE) * magnitude + COMPLEX_SHARE * by_phase
    missing = tf.square(tf.nn.relu(b - a))
    return tf.reduce_mean(distance, axes), tf.reduce_mean(missing, axes)


def level_db(error: tf.Tensor, target: tf.Tensor, power: tf.Tensor) -> tf.Tensor:
    """Level of an error, dB re the target; all powers, `[batch]`.

    It stays above that of `ERROR_FLOOR`, and where there is nothing but noise it is that re a target 30 dB
    below the input, of power `power`.
    """
    reference = target + SOFTEST_TARGET * power + 1e-20
    ratio = error / reference + ERROR_FLOOR
    return tf.math.log(ratio) * (10.0 / math.log(10.0))
