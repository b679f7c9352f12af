"""The sum of free sinusoids and its gradients, fast on a CPU: XLA loops in which nothing of size
samples x sinusoids is ever stored. How phases and loops are kept, `ddsp_tf.ops.harmonic_sum` says.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from ddsp_tf.ops.compiled import compiled, first_order
from ddsp_tf.ops.frames import crossfade_window
from ddsp_tf.ops.harmonic_sum import sine_of_half_turns, turns_from_cycles

_SINUSOIDS_AT_ONCE = 3  # in one trip of a loop; more take longer to compile and save nothing
_SAMPLES_AT_ONCE = 4


class _Phases(NamedTuple):
    """Phases of all samples of a hop, `[batch, frames, sinusoids]` each: a parabola in its sample `n`.

    `start + n (slope + n bend)` in turns of 2^-32 cycle, which wrap by themselves; the rests of `slope` and
    `bend`, in cycles, are what whole turns leave out.
    """

    start: tf.Tensor
    slope: tf.Tensor
    bend: tf.Tensor
    slope_rest: tf.Tensor
    bend_rest: tf.Tensor

    def at(self, n: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Turns and rest of sample `n`; the phases and `n` broadcast."""
        place = tf.cast(n, tf.float32)
        turns = self.start + n * (self.slope + n * self.bend)
        return turns, place * (self.slope_rest + place * self.bend_rest)


def sum_of_sinusoids(
    start_cycles: tf.Tensor,
    frequencies: Sequence[tf.Tensor],
    amplitudes: Sequence[tf.Tensor],
    hop: int,
) -> tf.Tensor:
    """Sum sinusoids whose frequencies and amplitudes move from one frame to the next within each hop.

    `audio[n] = sum_k ((1 - w[n]) a_k + w[n] b_k) sin(2 pi phase_k[n])` with the raised cosine `w` of
    `crossfade_window`, and `phase_k[n] = start_k + f_k n + (g_k - f_k) n^2 / (2 hop)`. Gradients reach
    all tensors.

    Args:
        start_cycles: float64 `[batch, frames, sinusoids]`, phase at the beginning of each hop.
        frequencies: `f` and `g`, at the beginning and at the end of each hop, cycles a sample; float64
            `[batch, frames, sinusoids]`.
        amplitudes: `a` and `b`, at the beginning and at the end of each hop; float32 `[batch, frames,
            sinusoids]`.
        hop: Integer, samples a frame.

    Returns:
        float32 `[batch, frames, hop]`.
    """

    @tf.custom_gradient
    def run(*tensors: tf.Tensor) -> tf.Tensor:
        # An outer tape must not look into the XLA loops: their gradients are below.
        start, f, g, a, b = (tf.stop_gradient(x) for x in tensors)
        bend = (g - f) / (2.0 * hop)  # cycles per square of a sample
        slope_turns, bend_turns = turns_from_cycles(f), turns_from_cycles(bend)
        rests = _rest(f, slope_turns), _rest(bend, bend_turns)
        phases = _Phases(turns_from_cycles(start), slope_turns, bend_turns, *rests)
        sizes = {"hop": hop, "sinusoids": b.shape[-1]}

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            *by_phase, by_a, by_b = _correlate(phases, a, b, upstream, **sizes)
            by_start, by_ramp, by_curve = (tf.cast(2.0 * math.pi * x, tf.float64) for x in by_phase)
            return [by_start, by_ramp - by_curve, by_curve, by_a, by_b]

        return _sum(phases, a, b, **sizes), first_order(gradient, *tensors)

    return run(start_cycles, *frequencies, *amplitudes)


def _rest(cycles: tf.Tensor, turns: tf.Tensor) -> tf.Tensor:
    """What whole turns of 2^-32 cycle leave out; many samples, and their squares, would make it heard."""
    rest = cycles - tf.cast(turns, tf.float64) * 2.0**-32
    return tf.cast(rest - tf.round(rest), tf.float32)


def _sine(turns: tf.Tensor, rest_cycles: tf.Tensor) -> tf.Tensor:
    """Sine of a phase in turns and a rest."""
    cycles = tf.cast(turns, tf.float32) * 2.0**-32 + rest_cycles
    return sine_of_half_turns(2.0 * (cycles - tf.round(cycles)))


@compiled
def _sum(phases: _Phases, a: tf.Tensor, b: tf.Tensor, hop: int, sinusoids: int) -> tf.Tensor:
    """Audio `[batch, frames, hop]`; a few sinusoids at once are added to all samples."""
    at_once = min(_SINUSOIDS_AT_ONCE, sinusoids)
    trips = -(-sinusoids // at_once)

    def by_sinusoid(x: tf.Tensor) -> tf.Tensor:  # [sinusoids, batch, frames]
        return tf.pad(tf.transpose(x, [2, 0, 1]), [[0, trips * at_once - sinusoids], [0, 0], [0, 0]])

    phases = _Phases(*map(by_sinusoid, phases))
    a, change = by_sinusoid(a), by_sinusoid(b - a)
    window = crossfade_window(hop)[:, tf.newaxis]
    n = tf.range(hop)[:, tf.newaxis]
    shape = tf.shape(a)
    zero = tf.zeros([shape[1], hop, shape[2]])

    def trip(i: tf.Tensor, audio: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        for j in range(at_once):
            at = i * at_once + j
            one = _Phases(*(x[at][:, tf.newaxis] for x in phases))
            sine = _sine(*one.at(n))
            audio += (a[at][:, tf.newaxis] + change[at][:, tf.newaxis] * window) * sine
        return i + 1, tf.ensure_shape(audio, zero.shape)

    _, audio = tf.while_loop(lambda i, _: i < trips, trip, [tf.constant(0), zero], maximum_iterations=trips)
    return tf.transpose(audio, [0, 2, 1])


@compiled
def _correlate(
    phases: _Phases, a: tf.Tensor, b: tf.Tensor, upstream: tf.Tensor, hop: int, sinusoids: int
) -> tuple[tf.Tensor, ...]:
    """Gradients of the sum, `[batch, frames, sinusoids]` each.

    By the phase at the start, by the cycles that go as `n`, by those that go as `n^2 / (2 hop)` (all three
    without the factor of 2 pi), and by the amplitudes at the beginning and at the end.
    """
    at_once = max(n for n in range(1, _SAMPLES_AT_ONCE + 1) if hop % n == 0)
    trips = hop // at_once
    # [batch, sinusoids, frames]: every step works on long rows.
    phases = _Phases(*(tf.transpose(x, [0, 2, 1]) for x in phases))
    a, change = tf.transpose(a, [0, 2, 1]), tf.transpose(b - a, [0, 2, 1])
    upstream = tf.transpose(upstream, [2, 0, 1])[:, :, tf.newaxis]
    window = crossfade_window(hop)
    zero = tf.zeros_like(a)
    two = tf.complex(zero, zero)

    def trip(
        i: tf.Tensor, by_line: tf.Tensor, by_curve: tf.Tensor, by_amplitudes: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        by_start, by_ramp = tf.math.real(by_line), tf.math.imag(by_line)
        whole, rising = tf.math.real(by_amplitudes), tf.math.imag(by_amplitudes)
        for j in range(at_once):
            n = i * at_once + j
            place = tf.cast(n, tf.float32)
            turns, rest = phases.at(n)
            moving = upstream[n] * (a + change * window[n]) * _sine(turns + 2**30, rest)
            by_start += moving
            by_ramp += place * moving
            by_curve += place * place / (2.0 * hop) * moving
            part = upstream[n] * _sine(turns, rest)
            whole += part
            rising += window[n] * part
        sums = tf.complex(by_start, by_ramp), by_curve, tf.complex(whole, rising)
        return i + 1, *(tf.ensure_shape(x, zero.shape) for x in sums)

    _, by_line, by_curve, by_amplitudes = tf.while_loop(
        lambda i, *_: i < trips, trip, [tf.constant(0), two, zero, two], maximum_iterations=trips
    )
    whole, rising = tf.math.real(by_amplitudes), tf.math.imag(by_amplitudes)
    results = tf.math.real(by_line), tf.math.imag(by_line), by_curve, whole - rising, rising
    return tuple(tf.transpose(x, [0, 2, 1]) for x in results)
