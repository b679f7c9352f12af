"""A bank of sinusoids with free frequencies and exact phase."""

import math
from typing import NamedTuple

import tensorflow as tf

from ddsp_tf.frames import FrameSpec
from ddsp_tf.ops.frames import crossfade_window, previous_frames
from ddsp_tf.ops.oscillators import fundamental_phase


class SinusoidState(NamedTuple):
    """What a bank of sinusoids carries from one block to the next.

    Attributes:
        frequencies_hz: `[batch, sinusoids]`, frequencies of the last frame, Hz.
        amplitudes: `[batch, sinusoids]`, amplitudes of the last frame.
        phase_cycles: `[batch, sinusoids]` float64, phases at the end, in [0, 1).
    """

    frequencies_hz: tf.Tensor
    amplitudes: tf.Tensor
    phase_cycles: tf.Tensor


def sinusoidal_oscillator(
    frequencies_hz: tf.Tensor, amplitudes: tf.Tensor, spec: FrameSpec, state: SinusoidState | None = None
) -> tuple[tf.Tensor, SinusoidState]:
    """Sum sinusoids, each of which has a moving frequency of its own.

    `audio[n] = sum_k a_k[n] sin(2 pi phase_k[n])`: additive synthesis (R. J. McAulay, T. F. Quatieri,
    "Speech Analysis/Synthesis Based on a Sinusoidal Representation", IEEE Trans. ASSP 34(4), 1986), where
    each phase integrates its frequency moving linearly from frame to frame and `a_k` moves along a raised
    cosine. Memory grows with samples x sinusoids; where the frequencies are multiples of one another,
    `harmonic_oscillator` does the same in less.

    Args:
        frequencies_hz: `[batch, frames, sinusoids]`, Hz.
        amplitudes: `[batch, frames, sinusoids]`, linear; mask them above Nyquist first.
        spec: The frame grid.
        state: From the block before; None starts all phases at 0, holding frame 0.

    Returns:
        Audio `[batch, frames * hop]` and the state for the next block.
    """
    shape = tf.shape(frequencies_hz)
    batch, frames, sinusoids = shape[0], shape[1], frequencies_hz.shape[2]
    if state is None:
        start = tf.zeros([batch, sinusoids], tf.float64)
        before_hz = before = None
    else:
        before_hz, before, start = state

    def by_sinusoid(x: tf.Tensor) -> tf.Tensor:  # [batch, frames, sinusoids] -> [batch * sinusoids, frames]
        return tf.reshape(tf.transpose(x, [0, 2, 1]), [-1, frames])

    cycles, end = fundamental_phase(
        by_sinusoid(frequencies_hz),
        by_sinusoid(previous_frames(frequencies_hz, before_hz)),
        tf.reshape(start, [-1]),
        spec,
    )
    fraction = tf.cast(cycles - tf.floor(cycles), tf.float32)
    sines = tf.reshape(tf.sin((2.0 * math.pi) * fraction), [batch, sinusoids, frames, spec.hop])
    earlier = previous_frames(amplitudes, before)
    # Summed under both frames' amplitudes first, so that only two such sums need the window.
    falling = tf.einsum("bkfn,bfk->bfn", sines, earlier)
    rising = tf.einsum("bkfn,bfk->bfn", sines, amplitudes)
    audio = falling + (rising - falling) * crossfade_window(spec.hop)
    end = tf.reshape(end, [batch, sinusoids])
    return tf.reshape(audio, [batch, -1]), SinusoidState(frequencies_hz[:, -1], amplitudes[:, -1], end)
