"""Frequencies from network outputs, and the way between harmonics and free sinusoids."""

import math

import numpy as np
import tensorflow as tf

from ddsp_tf.arguments import check_above, check_integer
from ddsp_tf.ops.arguments import LEADING, Arguments, as_floats


def frequencies_sigmoid(raw: tf.Tensor, low_hz: float, high_hz: float) -> tf.Tensor:
    """Map each raw output to a frequency, equal steps of the sigmoid being equal intervals of pitch.

    `low_hz * (high_hz / low_hz) ** sigmoid(raw)`; a raw 0 is the geometric mean of the two ends.

    Args:
        raw: Float tensor of any shape.
        low_hz: Float > 0, Hz, where -infinity goes.
        high_hz: Float > `low_hz`, Hz, where +infinity goes.

    Returns:
        Frequencies in Hz, in the shape of `raw`.

    Raises:
        DdspError: If `raw` holds no numbers, or the range is empty.
    """
    raw = as_floats("frequencies_sigmoid", "raw", raw)
    low_hz, high_hz = _checked_range("frequencies_sigmoid", low_hz, high_hz)
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

    Raises:
        DdspError: If there are fewer than two bins, or the range is empty.
    """
    owner = "frequencies_softmax"
    low_hz, high_hz = _checked_range(owner, low_hz, high_hz)
    take = Arguments(owner)
    raw = take("raw", raw, LEADING, "bins")
    check_integer(owner, "the number of bins", take.known("raw", "bins"), 2)
    grid = np.linspace(0.0, math.log2(high_hz / low_hz), raw.shape[-1])
    octaves = tf.reduce_sum(tf.nn.softmax(tf.cast(raw, tf.float64)) * grid, axis=-1)
    return _hz_above(low_hz, octaves, raw.dtype)


def _checked_range(owner: str, low_hz: float, high_hz: float) -> tuple[float, float]:
    low_hz = check_above(owner, "low_hz", low_hz, 0.0)
    return low_hz, check_above(owner, "high_hz", high_hz, low_hz)


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

    Raises:
        DdspError: If a shape is not as above.
    """
    take = Arguments("harmonic_to_sinusoidal")
    amplitude = take("amplitude", amplitude, LEADING, 1)
    distribution = take("distribution", distribution, LEADING, "harmonics")
    f0_hz = take("f0_hz", f0_hz, LEADING, 1)
    take.known("distribution", "harmonics")
    numbers = tf.constant(np.arange(1, distribution.shape[-1] + 1), f0_hz.dtype)
    return amplitude * distribution, f0_hz * numbers


def sinusoidal_to_harmonic(
    amplitudes: tf.Tensor,
    frequencies_hz: tf.Tensor,
    f0_hz: tf.Tensor,
    n_harmonics: int,
    width: float | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Turn free sinusoids into harmonics of a given fundamental frequency.

    Each sinusoid goes to its nearest harmonic, and the energies (squared amplitudes) of those that meet
    there add. Sinusoids below half of `f0_hz`, or at or beyond half an `f0_hz` above the last harmonic,
    have no harmonic near them and are left out; so is everything where `f0_hz` is 0. Gradients reach
    the amplitudes; none reach the frequencies, of which the assignment is a step function.

    With a `width` every sinusoid counts for every harmonic, by its distance: harmonic `k` has the amplitude

        sqrt(sum_j (a_j exp(-((f_j / f0_hz - k) / width)^2))^2)

    so that a sinusoid at `k f0_hz` is taken whole, and one between two harmonics fades. Gradients then reach
    the frequencies and `f0_hz` too, and pull them towards each other (the weights are those of J. Engel et
    al., "Self-supervised Pitch Detection by Inverse Audio Synthesis", 2020, in its published code). The
    memory grows with sinusoids times harmonics.

    Args:
        amplitudes: `[..., sinusoids]`, linear, 0 and up.
        frequencies_hz: `[..., sinusoids]`, Hz.
        f0_hz: `[..., 1]`, Hz.
        n_harmonics: Integer > 0.
        width: Float > 0, at which distance, in parts of `f0_hz`, an amplitude has fallen to 1 / e; 0.1 is a
            good one. None takes the nearest.

    Returns:
        Controls of `Harmonic`: amplitude `[..., 1]`, the sum over harmonics, and distribution
        `[..., n_harmonics]`, which sums to 1, or to 0 where nothing sounds.

    Raises:
        DdspError: If an argument is not as above.
    """
    owner = "sinusoidal_to_harmonic"
    n_harmonics = check_integer(owner, "n_harmonics", n_harmonics, 1)
    take = Arguments(owner)
    amplitudes = take("amplitudes", amplitudes, LEADING, "sinusoids")
    frequencies_hz = take("frequencies_hz", frequencies_hz, LEADING, "sinusoids")
    f0_hz = take("f0_hz", f0_hz, LEADING, 1)
    take.known("amplitudes", "sinusoids")
    if width is None:
        energies = _energies_of_nearest(amplitudes, frequencies_hz, f0_hz, n_harmonics)
    else:
        width = check_above(owner, "width", width, 0.0)
        energies = _energies_by_distance(amplitudes, frequencies_hz, f0_hz, n_harmonics, width)
    sounding = energies > 0.0  # the square root's gradient has a pole at 0
    harmonics = tf.where(sounding, tf.sqrt(tf.where(sounding, energies, 1.0)), 0.0)
    amplitude = tf.reduce_sum(harmonics, axis=-1, keepdims=True)
    return amplitude, tf.math.divide_no_nan(harmonics, amplitude)


def _energies_of_nearest(
    amplitudes: tf.Tensor, frequencies_hz: tf.Tensor, f0_hz: tf.Tensor, n_harmonics: int
) -> tf.Tensor:
    """Energies `[..., n_harmonics]` of the sinusoids that are next to each harmonic."""
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
    return tf.reshape(energies, shape)[..., 1:]


def _energies_by_distance(
    amplitudes: tf.Tensor, frequencies_hz: tf.Tensor, f0_hz: tf.Tensor, n_harmonics: int, width: float
) -> tf.Tensor:
    """Energies `[..., n_harmonics]` of all sinusoids, weighed by their distance from each harmonic."""
    pitched = f0_hz > 0.0
    ratio = frequencies_hz / tf.where(pitched, f0_hz, 1.0)
    numbers = tf.constant(np.arange(1, n_harmonics + 1), ratio.dtype)
    distance = (ratio[..., tf.newaxis] - numbers) / width
    shares = tf.square(amplitudes)[..., tf.newaxis] * tf.exp(-2.0 * tf.square(distance))
    return tf.where(pitched, tf.reduce_sum(shares, axis=-2), 0.0)
