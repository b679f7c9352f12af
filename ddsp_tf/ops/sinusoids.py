"""A bank of sinusoids with free frequencies and exact phase."""

from typing import NamedTuple

import tensorflow as tf

from ddsp_tf.frames import FrameSpec
from ddsp_tf.ops.arguments import Arguments, check_spec
from ddsp_tf.ops.frames import previous_frames
from ddsp_tf.ops.sinusoid_sum import sum_of_sinusoids


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
    cosine. Where the frequencies are multiples of one another, `harmonic_oscillator` does the same in less
    time.

    Args:
        frequencies_hz: `[batch, frames, sinusoids]`, Hz; in float64 they keep their fraction over any length.
        amplitudes: float32 `[batch, frames, sinusoids]`, linear; mask them above Nyquist first.
        spec: The frame grid.
        state: From the block before; None starts all phases at 0, holding frame 0.

    Returns:
        Audio `[batch, frames * hop]` and the state for the next block.

    Raises:
        DdspError: If a shape is not as above, or the state is that of something else.
    """
    spec = check_spec("sinusoidal_oscillator", spec)
    take = Arguments("sinusoidal_oscillator", tf.float32)
    frequencies_hz = take.own("frequencies_hz", frequencies_hz, "batch", "frames", "sinusoids")
    amplitudes = take("amplitudes", amplitudes, "batch", "frames", "sinusoids")
    take.known("amplitudes", "sinusoids")
    each = ["batch", "sinusoids"]
    parts = (each, frequencies_hz.dtype), (each, None), (each, tf.float64)
    state = take.state(state, SinusoidState, *parts)
    if state is None:
        start = tf.zeros_like(frequencies_hz[:, 0], tf.float64)
        before_hz = before = None
    else:
        before_hz, before, start = state
    f, g = (
        tf.cast(x, tf.float64) / spec.sample_rate
        for x in (previous_frames(frequencies_hz, before_hz), frequencies_hz)
    )
    advance = 0.5 * spec.hop * (f + g)
    ends = start[:, tf.newaxis] + tf.cumsum(advance, axis=1)
    neighbours = previous_frames(amplitudes, before), amplitudes
    audio = sum_of_sinusoids(ends - advance, (f, g), neighbours, spec.hop)
    end = ends[:, -1] - tf.floor(ends[:, -1])
    audio = tf.reshape(audio, [tf.shape(frequencies_hz)[0], -1])
    return audio, SinusoidState(frequencies_hz[:, -1], amplitudes[:, -1], end)
