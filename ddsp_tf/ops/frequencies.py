"""Frequencies from network outputs, and the way between harmonics and free sinusoids."""

import math

import numpy as np
import tensorflow as tf


def frequencies_sigmoid(raw: tf.Tensor, low_hz: float, high_hz: float) -> tf.Tensor:
    """Map each raw output to a frequency, equal steps of the sigmoid being equal intervals of pitch.

    `low_hz * (high_hz / low_hz) ** sigmoid(raw)`; a raw 0 is the geometric mean of the two ends.

    Args:
        raw: Float tensor of any shape.
        low_hz: Float > 0, Hz, where -infinity goes.
        high_hz: Float > `low_hz`, Hz, where +infinity goes.

    Returns:
        Frequencies in Hz, in the shape of `raw`.
    """
    octaves = math.log2(high_hz / low_hz) * tf.sigmoid(tf.cast(raw, tf.float64))
    return _hz_above(low_hz, octaves, raw.dtype)


def frequencies_softmax(raw: tf.Tensor, low_hz: float, high_hz: float) -> tf.Tensor:
    """Map raw outputs over a grid of pitches to the mean pitch under their softmax.

    The grid has equal intervals of pitch from `low_hz` to `high_hz`, both ends included, and the mean is
    taken in pitch (octaves, or MIDI notes), so that the result is a weighted geometric mean in Hz. Equal
    outputs give the geometric mean of the two ends.

    Args:
        raw: `[..., bins]`, at least two bins.
        low_hz: Float > 0, Hz of the first bin.
        high_hz: Float > `low_hz`, Hz of the last bin.

    Returns:
        Frequencies in Hz, `[...]`.
    """
    grid = np.linspace(0.0, math.log2(high_hz / low_hz), raw.shape[-1])
    octaves = tf.reduce_sum(tf.nn.softmax(tf.cast(raw, tf.float64)) * grid, axis=-1)
    return _hz_above(low_hz, octaves, raw.dtype)


def _hz_above(low_hz: float, octaves: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Frequency so many octaves (float64) above another, rounded once.

    In float32 all the way, vectorised code would round a frame one way or another with its place in a block,
    and a stream would slowly lose the phase of the same sound in one piece.
    """
    return tf.cast(low_hz * tf.exp(math.log(2.0) * octaves), dtype)


def harmonic_to_sinusoidal(
    amplitude: tf.Tensor, distribution: tf.Tensor, f0_hz: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Turn controls of `Harmonic` into controls of `Sinusoidal` that sound the same.

    Args:
        amplitude: `[..., 1]`, linear.
        distribution: `[..., harmonics]`, shares of the harmonics.
        f0_hz: `[..., 1]`, Hz.

    Returns:
        Amplitudes, linear, and frequencies in Hz, both `[..., harmonics]`.
    """
    numbers = tf.constant(np.arange(1, distribution.shape[-1] + 1), f0_hz.dtype)
    return amplitude * distribution, f0_hz * numbers


def sinusoidal_to_harmonic(
    amplitudes: tf.Tensor, frequencies_hz: tf.Tensor, f0_hz: tf.Tensor, n_harmonics: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Turn free sinusoids into harmonics of a given fundamental frequency.

    Each sinusoid goes to its nearest harmonic, and the energies (squared amplitudes) of those that meet
    there add. Sinusoids below half of `f0_hz`, or at or beyond half an `f0_hz` above the last harmonic,
    have no harmonic near them and are left out; so is everything where `f0_hz` is 0. Gradients reach
    the amplitudes; none reach the frequencies, of which the assignment is a step function.

    Args:
        amplitudes: `[..., sinusoids]`, linear, 0 and up.
        frequencies_hz: `[..., sinusoids]`, Hz.
        f0_hz: `[..., 1]`, Hz.
        n_harmonics: Integer > 0.

    Returns:
        Controls of `Harmonic`: amplitude `[..., 1]`, the sum over harmonics, and distribution
        `[..., n_harmonics]`, which sums to 1, or to 0 where nothing sounds.
    """
    pitched = f0_hz > 0.0
    ratio = tf.stop_gradient(frequencies_hz / tf.where(pitched, f0_hz, 1.0))
    number = tf.cast(tf.floor(tf.clip_by_value(ratio + 0.5, 0.0, n_harmonics + 1.0)), tf.int32)
    number = tf.where(pitched & (number <= n_harmonics), number, 0)  # place 0 takes what is left out
    sinusoids, places = amplitudes.shape[-1], n_harmonics + 1
    rows = tf.size(number) // sinusoids
    segments = tf.reshape(number, [-1, sinusoids]) + tf.range(rows)[:, tf.newaxis] * places
    energies = tf.math.unsorted_segment_sum(
        tf.reshape(tf.square(amplitudes), [-1]), tf.reshape(segments, [-1]), rows * places
    )
    shape = tf.concat([tf.shape(amplitudes)[:-1], [places]], axis=0)
    energies = tf.reshape(energies, shape)[..., 1:]
    sounding = energies > 0.0  # the square root's gradient has a pole at 0
    harmonics = tf.where(sounding, tf.sqrt(tf.where(sounding, energies, 1.0)), 0.0)
    amplitude = tf.reduce_sum(harmonics, axis=-1, keepdims=True)
    return amplitude, tf.math.divide_no_nan(harmonics, amplitude)
