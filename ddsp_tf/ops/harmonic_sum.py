"""The sum of harmonics and its gradients, fast on a CPU: XLA loops in which nothing of size
samples x harmonics is ever stored. A loop's variables keep the shape they begin with, also where one
argument's shape is known before the call and another's is not. Where a trip has two results they are one
complex number: XLA computes on a CPU what leads to a result anew for each of them.

Phases are integers in which a cycle is 2^32: whole multiples of them wrap by themselves and stay exact,
where float32 would multiply its rounding error by the number of the harmonic. Frames are the last axis
inside, so that every step works on long rows.
"""

import math

import numpy as np
import tensorflow as tf

from ddsp_tf.ops.compiled import compiled, first_order
from ddsp_tf.ops.frames import crossfade_window

_HARMONICS_AT_ONCE = 10  # in one trip of a loop; measured best of 5, 10 and 20 on a CPU
_SAMPLES_AT_ONCE = 16

# Least squares over the range, weighted by x - x^3, in float64; off by 6e-8 at most.
_SINE = (
    3.141592470360396,
    -2.0261127779311017,
    0.5239630036462002,
    -0.0748505793247943,
    0.006123204087622901,
    0.00037220636236832624,
    -0.0002942944542380819,
)


@tf.custom_gradient
def sum_of_harmonics(phase_cycles: tf.Tensor, earlier: tf.Tensor, later: tf.Tensor) -> tf.Tensor:
    """Sum harmonics whose amplitudes move from one frame to the next within each hop.

    `audio[n] = sum_k ((1 - w[n]) earlier_k + w[n] later_k) sin(2 pi k phase[n])` with the raised cosine `w`
    of `crossfade_window`. Gradients reach all three arguments.

    Args:
        phase_cycles: float64 `[batch, frames, hop]`, phase of the fundamental.
        earlier: `[batch, frames, harmonics]`, amplitudes at the beginning of each hop.
        later: `[batch, frames, harmonics]`, amplitudes at its end.

    Returns:
        `[batch, frames, hop]`.
    """
    turns = turns_from_cycles(phase_cycles)
    sources = [phase_cycles, earlier, later]
    # An outer tape must not look into the XLA loops: their gradient is below.
    earlier, later = tf.stop_gradient(earlier), tf.stop_gradient(later)
    sizes = {"hop": phase_cycles.shape[-1], "harmonics": later.shape[-1]}

    def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
        by_phase = upstream * _horner(turns, _numbered(earlier), _numbered(later), **sizes)[1]
        by_earlier, by_later = _correlate(turns, upstream, **sizes)
        by_cycles = tf.cast((2.0 * math.pi) * by_phase, tf.float64)
        return [by_cycles, by_earlier, by_later]

    return _horner(turns, earlier, later, **sizes)[0], first_order(gradient, *sources)


def turns_from_cycles(cycles: tf.Tensor) -> tf.Tensor:
    """Phase, or phase a sample, in float64 cycles to int32, a cycle being 2^32."""
    fraction = cycles - tf.floor(cycles)
    return tf.cast(tf.cast(fraction * 2.0**32, tf.int64), tf.int32)  # the cast wraps


def _numbered(amplitudes: tf.Tensor) -> tf.Tensor:
    """Amplitudes times the numbers of their harmonics: the derivative by the phase."""
    return amplitudes * np.arange(1, amplitudes.shape[-1] + 1, dtype=np.float32)


def _sine(turns: tf.Tensor) -> tf.Tensor:
    """Sine of a phase in turns."""
    return sine_of_half_turns(tf.cast(turns, tf.float32) * 2.0**-31)


def sine_of_half_turns(x: tf.Tensor) -> tf.Tensor:
    """Sine of `pi x`, `x` in -1 to 1, by a polynomial: XLA on a CPU has no vector sine. Error below 3e-7.

    The polynomial in `x^2` is that of `sin(pi x) / (x - x^3)`, which has no zero left in the range: it needs
    no folding to a quarter of a turn.
    """
    square = x * x
    series = tf.fill(tf.shape(square), tf.constant(_SINE[-1], x.dtype))
    for coefficient in _SINE[-2::-1]:
        series = series * square + coefficient
    return series * (x - x * square)


@compiled
def _horner(
    turns: tf.Tensor, earlier: tf.Tensor, later: tf.Tensor, hop: int, harmonics: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Sums of sines and of cosines, `[batch, frames, hop]` each.

    Horner's rule in the powers of `exp(2 pi i phase)`, the highest harmonic first; the crossfade is a
    multiplication and an addition for each harmonic and sample. The rounding error of a power grows with it,
    so there are two levels: a few harmonics in powers of the wave, and these groups in powers of its
    `at_once`-th power, which is computed anew from the phase. A loud 100th harmonic is so within 4e-6; in
    one level it was off by 2.3e-5.
    """
    at_once = min(_HARMONICS_AT_ONCE, harmonics)
    trips = -(-harmonics // at_once)
    padding = [[trips * at_once - harmonics, 0], [0, 0], [0, 0]]

    def by_harmonic(amplitudes: tf.Tensor) -> tf.Tensor:  # [harmonics, batch, frames], the highest first
        return tf.pad(tf.transpose(amplitudes, [2, 0, 1])[::-1], padding)

    start, rise = by_harmonic(earlier), by_harmonic(later - earlier)
    window = crossfade_window(hop)[:, tf.newaxis]
    turns = tf.transpose(turns, [0, 2, 1])
    sine, cosine = _sine(turns), _sine(turns + 2**30)
    leap_sine, leap_cosine = _sine(turns * at_once), _sine(turns * at_once + 2**30)
    zero = tf.zeros_like(sine)

    def trip(i: tf.Tensor, both: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        real, imaginary = tf.math.real(both), tf.math.imag(both)
        group_real = group_imaginary = zero
        for j in range(at_once):
            k = i * at_once + j
            group_real += start[k][:, tf.newaxis] + rise[k][:, tf.newaxis] * window
            group_real, group_imaginary = (
                group_real * cosine - group_imaginary * sine,
                group_real * sine + group_imaginary * cosine,
            )
        real, imaginary = (
            real * leap_cosine - imaginary * leap_sine + group_real,
            real * leap_sine + imaginary * leap_cosine + group_imaginary,
        )
        return i + 1, tf.ensure_shape(tf.complex(real, imaginary), zero.shape)

    _, both = tf.while_loop(
        lambda i, _: i < trips, trip, [tf.constant(0), tf.complex(zero, zero)], maximum_iterations=trips
    )
    both = tf.transpose(both, [0, 2, 1])
    return tf.math.imag(both), tf.math.real(both)


@compiled
def _correlate(turns: tf.Tensor, signal: tf.Tensor, hop: int, harmonics: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Correlate each hop of a signal with the sines, under `1 - w` and under `w`.

    The gradient of the sum by its two sets of amplitudes, `[batch, frames, harmonics]` each.
    """
    at_once = max(n for n in range(1, _SAMPLES_AT_ONCE + 1) if hop % n == 0)
    numbers = tf.range(1, harmonics + 1)[:, tf.newaxis]
    window = crossfade_window(hop)
    turns, signal = tf.transpose(turns, [2, 0, 1]), tf.transpose(signal, [2, 0, 1])

    def trip(i: tf.Tensor, both: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        whole, rising = tf.math.real(both), tf.math.imag(both)
        for j in range(at_once):
            n = i * at_once + j
            part = _sine(turns[n][:, tf.newaxis] * numbers) * signal[n][:, tf.newaxis]
            whole += part
            rising += window[n] * part
        return i + 1, tf.ensure_shape(tf.complex(whole, rising), zero.shape)

    shape = tf.shape(turns)
    zero = tf.zeros([shape[1], harmonics, shape[2]], tf.complex64)
    trips = hop // at_once
    _, both = tf.while_loop(lambda i, _: i < trips, trip, [tf.constant(0), zero], maximum_iterations=trips)
    whole, rising = tf.math.real(both), tf.math.imag(both)
    return tf.transpose(whole - rising, [0, 2, 1]), tf.transpose(rising, [0, 2, 1])
