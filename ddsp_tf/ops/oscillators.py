"""Harmonic oscillators with exact phase."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ddsp_tf.arguments import check_integer
from ddsp_tf.frames import FrameSpec
from ddsp_tf.ops.arguments import LEADING, Arguments, check_spec
from ddsp_tf.ops.frames import previous_frames
from ddsp_tf.ops.harmonic_sum import sum_of_harmonics


class HarmonicState(NamedTuple):
    """What a harmonic oscillator carries from one block to the next.

    Attributes:
        f0_hz: `[batch]`, fundamental frequency of the last frame, Hz.
        amplitudes: `[batch, harmonics]`, amplitudes of the last frame.
        phase_cycles: `[batch]` float64, phase of the fundamental at the end, in [0, 1).
    """

    f0_hz: tf.Tensor
    amplitudes: tf.Tensor
    phase_cycles: tf.Tensor


NYQUIST_FADE = 0.02
"""Share of the band below Nyquist over which a rising harmonic is faded out."""


def nyquist_fade(f0_hz: tf.Tensor, n_harmonics: int, sample_rate: int) -> tf.Tensor:
    """Gain that silences the harmonics that a sample rate cannot carry.

    The project's one definition of Nyquist masking: in each frame the gain of harmonic `k` is 1 up to
    2 % below Nyquist, falls linearly with `k * f0_hz`, and is 0 from Nyquist on. It is continuous, so a
    vibrato does not click, and executions that differ in the last bit of `f0_hz` agree. A negative
    frequency is a sine turned over; it aliases no less, and fades like the positive one.

    Args:
        f0_hz: `[..., 1]`, Hz; with `n_harmonics` of 1 any shape, each frequency for itself.
        n_harmonics: Integer > 0.
        sample_rate: Integer, Hz.

    Returns:
        `[..., n_harmonics]` in 0 to 1.

    Raises:
        DdspError: If an argument is not as above.
    """
    n_harmonics = check_integer("nyquist_fade", "n_harmonics", n_harmonics, 1)
    sample_rate = check_integer("nyquist_fade", "sample_rate", sample_rate, 1)
    f0_hz = Arguments("nyquist_fade")("f0_hz", f0_hz, *(() if n_harmonics == 1 else (LEADING, 1)))
    nyquist = sample_rate / 2
    # A constant: a range of floats would stay an operator of its own in an exported graph.
    numbers = tf.constant(np.arange(1, n_harmonics + 1), f0_hz.dtype)
    return tf.clip_by_value((nyquist - tf.abs(f0_hz) * numbers) / (NYQUIST_FADE * nyquist), 0.0, 1.0)


def fundamental_phase(
    f0_hz: tf.Tensor, previous_f0_hz: tf.Tensor, start_cycles: tf.Tensor, spec: FrameSpec
) -> tuple[tf.Tensor, tf.Tensor]:
    """Integrate a fundamental frequency that moves linearly between frames.

    In float64, in closed form within a hop, so it is exact over any length.

    Args:
        f0_hz: `[batch, frames]`, Hz.
        previous_f0_hz: `[batch, frames]`, Hz, each frame's predecessor.
        start_cycles: `[batch]` float64, phase before the first sample.
        spec: The frame grid.

    Returns:
        Phase of each sample in cycles, float64 `[batch, frames, hop]`, not wrapped, and the phase after the
        last one, float64 `[batch]` in [0, 1).

    Raises:
        DdspError: If a shape is not as above.
    """
    spec = check_spec("fundamental_phase", spec)
    take = Arguments("fundamental_phase")
    f0_hz = take.own("f0_hz", f0_hz, "batch", "frames")
    previous_f0_hz = take.own("previous_f0_hz", previous_f0_hz, "batch", "frames")
    start_cycles = take("start_cycles", start_cycles, "batch", dtype=tf.float64)
    earlier = tf.cast(previous_f0_hz, tf.float64) / spec.sample_rate
    later = tf.cast(f0_hz, tf.float64) / spec.sample_rate
    advance = 0.5 * spec.hop * (earlier + later)
    ends = start_cycles[:, tf.newaxis] + tf.cumsum(advance, axis=1)
    starts = ends - advance
    n = tf.range(spec.hop, dtype=tf.float64)
    cycles = (
        starts[..., tf.newaxis]
        + earlier[..., tf.newaxis] * n
        + (later - earlier)[..., tf.newaxis] * (n * n / (2 * spec.hop))
    )
    last = ends[:, -1]
    return cycles, last - tf.floor(last)


def harmonic_oscillator(
    f0_hz: tf.Tensor, amplitudes: tf.Tensor, spec: FrameSpec, state: HarmonicState | None = None
) -> tuple[tf.Tensor, HarmonicState]:
    """Sum harmonics of a moving fundamental frequency.

    `audio[n] = sum_k a_k[n] sin(2 pi k phase[n])` (Engel et al. 2020, equation 1), where the phase
    integrates `f0_hz` moving linearly from frame to frame and `a_k` moves along a raised cosine.

    Args:
        f0_hz: float32 `[batch, frames, 1]`, Hz.
        amplitudes: float32 `[batch, frames, harmonics]`, linear; mask them above Nyquist first.
        spec: The frame grid.
        state: From the block before; None starts at phase 0, holding frame 0.

    Returns:
        Audio `[batch, frames * hop]` and the state for the next block.

    Raises:
        DdspError: If a shape is not as above, or the state is that of something else.
    """
    spec = check_spec("harmonic_oscillator", spec)
    take = Arguments("harmonic_oscillator", tf.float32)
    f0_hz = take("f0_hz", f0_hz, "batch", "frames", 1)
    amplitudes = take("amplitudes", amplitudes, "batch", "frames", "harmonics")
    take.known("amplitudes", "harmonics")
    parts = (["batch"], None), (["batch", "harmonics"], None), (["batch"], tf.float64)
    state = take.state(state, HarmonicState, *parts)
    f0_hz = f0_hz[..., 0]
    start = tf.zeros([tf.shape(f0_hz)[0]], tf.float64) if state is None else state.phase_cycles
    phase, end = fundamental_phase(
        f0_hz, previous_frames(f0_hz, None if state is None else state.f0_hz), start, spec
    )
    earlier = previous_frames(amplitudes, None if state is None else state.amplitudes)
    audio = sum_of_harmonics(phase, earlier, amplitudes)
    audio = tf.reshape(audio, [tf.shape(f0_hz)[0], -1])
    return audio, HarmonicState(f0_hz[:, -1], amplitudes[:, -1], end)
