"""Filters designed from what a network predicts."""

import tensorflow as tf


def impulse_responses_from_magnitudes(magnitudes: tf.Tensor) -> tf.Tensor:
    """Design linear-phase FIR filters by the window method.

    Args:
        magnitudes: `[..., bands]`, gains at `bands` frequencies equally spaced from 0 to Nyquist.

    Returns:
        `[..., 2 * (bands - 1)]`: causal impulse responses under a periodic Hann window, delayed by
        `bands - 1` samples (their group delay); tap 0 is zero.
    """
    taps = 2 * (magnitudes.shape[-1] - 1)
    zero_phase = tf.signal.irfft(tf.complex(magnitudes, tf.zeros_like(magnitudes)), [taps])
    return tf.roll(zero_phase, taps // 2, axis=-1) * tf.signal.hann_window(taps, periodic=True)
