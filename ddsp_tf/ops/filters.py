"""Filters designed from what a network predicts."""

import numpy as np
import tensorflow as tf

from ddsp_tf.arguments import check_integer
from ddsp_tf.errors import DdspError
from ddsp_tf.ops.arguments import LEADING, Arguments


def impulse_responses_from_magnitudes(magnitudes: tf.Tensor) -> tf.Tensor:
    """Design linear-phase FIR filters by the window method.

    Args:
        magnitudes: `[..., bands]`, gains at `bands` frequencies equally spaced from 0 to Nyquist.

    Returns:
        `[..., 2 * (bands - 1)]`: causal impulse responses under a periodic Hann window, delayed by
        `bands - 1` samples (their group delay); tap 0 is zero.

    Raises:
        DdspError: If there are fewer than 2 bands, or their number is not known.
    """
    take = Arguments("impulse_responses_from_magnitudes", empty=["bands"])
    magnitudes = take("magnitudes", magnitudes, LEADING, "bands")
    bands = take.known("magnitudes", "bands")
    if bands < 2:
        raise DdspError(
            f"magnitudes must be [..., bands] with 2 bands or more. Received: {tuple(magnitudes.shape)}"
        )
    taps = 2 * (bands - 1)
    zero_phase = tf.signal.irfft(tf.complex(magnitudes, tf.zeros_like(magnitudes)), [taps])
    return tf.roll(zero_phase, taps // 2, axis=-1) * tf.signal.hann_window(taps, True, magnitudes.dtype)


def lowpass_impulse_response(cutoff_hz: tf.Tensor, sample_rate: int, taps: int) -> tf.Tensor:
    """Design linear-phase low-pass filters: a sinc under a Blackman window.

    At the cutoff the gain is one half (-6 dB); the stop band lies below -70 dB, from about `2.8 *
    sample_rate / taps` above the cutoff on (window method, e.g. Oppenheim and Schafer, "Discrete-Time Signal
    Processing", section 7.5). The gain at 0 Hz is 1. The gradient reaches the cutoff.

    Args:
        cutoff_hz: `[..., 1]`, Hz, held within `sample_rate / 100,000` and Nyquist.
        sample_rate: Integer, Hz.
        taps: Odd integer >= 3, length of the filter.

    Returns:
        `[..., taps]`, delayed by `(taps - 1) / 2` samples.

    Raises:
        DdspError: If the number of taps is even or too small, or another argument not as above.
    """
    owner = "lowpass_impulse_response"
    cutoff_hz = Arguments(owner)("cutoff_hz", cutoff_hz, LEADING, 1)
    sample_rate = check_integer(owner, "sample_rate", sample_rate, 1)
    taps = check_integer(owner, "taps", taps, 3)
    if taps % 2 == 0:
        raise DdspError(f"{owner}: taps must be an odd integer, 3 or more. Received: taps={taps!r}")
    cutoff = tf.clip_by_value(cutoff_hz / sample_rate, 1e-5, 0.5)  # cycles a sample
    half = taps // 2
    n = np.arange(1, half + 1)
    window = 0.42 + 0.5 * np.cos(np.pi * n / (half + 1)) + 0.08 * np.cos(2.0 * np.pi * n / (half + 1))
    # The middle tap apart: there is no division by 0, and none by the cutoff.
    after = tf.sin(cutoff * (2.0 * np.pi * n)) * (window / (np.pi * n))
    response = tf.concat([tf.reverse(after, [-1]), 2.0 * cutoff, after], axis=-1)
    return response / tf.reduce_sum(response, axis=-1, keepdims=True)


def highpass_impulse_response(cutoff_hz: tf.Tensor, sample_rate: int, taps: int) -> tf.Tensor:
    """Design linear-phase high-pass filters: what the low-pass filter of this cutoff leaves.

    Low-pass and high-pass outputs sum to the signal, delayed. The gain at 0 Hz is 0.

    Args:
        cutoff_hz: `[..., 1]`, Hz, held within `sample_rate / 100,000` and Nyquist.
        sample_rate: Integer, Hz.
        taps: Odd integer >= 3, length of the filter.

    Returns:
        `[..., taps]`, delayed by `(taps - 1) / 2` samples.

    Raises:
        DdspError: If the number of taps is even or too small, or another argument not as above.
    """
    lowpass = lowpass_impulse_response(cutoff_hz, sample_rate, taps)
    delay = np.zeros(taps)
    delay[taps // 2] = 1.0
    return tf.constant(delay, lowpass.dtype) - lowpass
