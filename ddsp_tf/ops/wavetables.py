"""Wavetable oscillators with exact phase, whose tables are band-limited anew in every frame."""

from typing import NamedTuple

import tensorflow as tf

from ddsp_tf.arguments import check_choice, check_integer
from ddsp_tf.frames import FrameSpec
from ddsp_tf.ops.arguments import Arguments, check_spec
from ddsp_tf.ops.delay import INTERPOLATIONS
from ddsp_tf.ops.frames import crossfade_window, previous_frames
from ddsp_tf.ops.oscillators import fundamental_phase
from ddsp_tf.ops.resample import catmull_rom_weights


class WavetableState(NamedTuple):
    """What a wavetable oscillator carries from one block to the next.

    Attributes:
        f0_hz: `[batch]`, fundamental frequency of the last frame, Hz.
        table: `[batch, points]`, table of the last frame.
        phase_cycles: `[batch]` float64, phase at the end, in [0, 1).
    """

    f0_hz: tf.Tensor
    table: tf.Tensor
    phase_cycles: tf.Tensor


def harmonics_of_table(table_size: int) -> int:
    """Number of harmonics that a table carries: those below half its points, where phases are still free.

    Raises:
        DdspError: If the size is no integer of 3 or more: a smaller table carries none.
    """
    table_size = check_integer("harmonics_of_table", "table_size", table_size, 3)
    return (table_size - 1) // 2


def tables_from_harmonics(
    tables: tf.Tensor, mix: tf.Tensor, gains: tf.Tensor, oversampling: int
) -> tf.Tensor:
    """Mix tables and filter the mixture, anew in every frame, in the frequency domain.

    Args:
        tables: `[tables, table_size]`, one period each, or `[batch, tables, table_size]` for tables of its
            own for each example. Their mean, which no one hears, is left out.
        mix: `[batch, frames, tables]`, linear weights.
        gains: `[batch, frames, harmonics_of_table(table_size)]`, linear gain of each harmonic.
        oversampling: Integer > 0; the result is interpolated, exactly, to so many times the points.

    Returns:
        `[batch, frames, table_size * oversampling]`, one period for each frame.

    Raises:
        DdspError: If an argument is not as above.
    """
    owner = "tables_from_harmonics"
    oversampling = check_integer(owner, "oversampling", oversampling, 1)
    take = Arguments(owner)
    tables = take("tables", tables)
    each = tables.shape.rank == 3
    take.check_shape("tables", tables.shape, [*(["batch"] if each else []), "tables", "table_size"])
    size = take.known("tables", "table_size")
    harmonics = harmonics_of_table(size)
    mix = take("mix", mix, "batch", "frames", "tables")
    gains = take("gains", gains, "batch", "frames", harmonics)
    points = size * oversampling
    spectra = tf.signal.rfft(tables)[..., 1 : harmonics + 1] * oversampling
    product = "bft,btk->bfk" if each else "bft,tk->bfk"
    real = tf.einsum(product, mix, tf.math.real(spectra)) * gains
    imaginary = tf.einsum(product, mix, tf.math.imag(spectra)) * gains
    padding = [[0, 0], [0, 0], [1, points // 2 - harmonics]]
    return tf.signal.irfft(tf.pad(tf.complex(real, imaginary), padding), [points])


def wavetable_oscillator(
    f0_hz: tf.Tensor,
    tables: tf.Tensor,
    spec: FrameSpec,
    interpolation: str = "cubic",
    state: WavetableState | None = None,
) -> tuple[tf.Tensor, WavetableState]:
    """Read one period again and again at a moving fundamental frequency.

    The phase integrates `f0_hz` moving linearly from frame to frame, and the sound moves from the table of
    one frame to that of the next along a raised cosine. Gradients reach `f0_hz` and the tables.

    Reading between points makes images of harmonic `k` at `points - k` and so on, and damps it: a
    table of many more points than its highest loud harmonic keeps both small. The loudest image of a
    harmonic with 8, 32 and 128 points a period is at -44, -83 and -120 dB for `"cubic"`, at -34, -60 and
    -84 dB for `"linear"`; the damping at 8 points is 0.04 and 0.45 dB.

    Args:
        f0_hz: float32 `[batch, frames, 1]`, Hz.
        tables: float32 `[batch, frames, points]`, one period for each frame; band-limit them first.
        spec: The frame grid.
        interpolation: `"linear"`, or `"cubic"` for the spline of Catmull and Rom.
        state: From the block before; None starts at phase 0, holding frame 0.

    Returns:
        Audio `[batch, frames * hop]` and the state for the next block.

    Raises:
        DdspError: If there is no such interpolation, a shape is not as above, or the state is that of
            something else.
    """
    owner = "wavetable_oscillator"
    check_choice(owner, "interpolation", interpolation, INTERPOLATIONS)
    spec = check_spec(owner, spec)
    take = Arguments(owner, tf.float32)
    f0_hz = take("f0_hz", f0_hz, "batch", "frames", 1)
    tables = take("tables", tables, "batch", "frames", "points")
    take.known("tables", "points")
    parts = (["batch"], None), (["batch", "points"], None), (["batch"], tf.float64)
    state = take.state(state, WavetableState, *parts)
    f0_hz = f0_hz[..., 0]
    shape = tf.shape(f0_hz)
    start = tf.zeros([shape[0]], tf.float64) if state is None else state.phase_cycles
    cycles, end = fundamental_phase(
        f0_hz, previous_frames(f0_hz, None if state is None else state.f0_hz), start, spec
    )
    earlier = previous_frames(tables, None if state is None else state.table)
    both = _read(tf.stack([earlier, tables], axis=-1), cycles, interpolation)
    falling, rising = both[..., 0], both[..., 1]
    audio = falling + (rising - falling) * crossfade_window(spec.hop)
    return tf.reshape(audio, [shape[0], -1]), WavetableState(f0_hz[:, -1], tables[:, -1], end)


def _read(tables: tf.Tensor, cycles: tf.Tensor, interpolation: str) -> tf.Tensor:
    """Read tables `[batch, frames, points, channels]` at phases `[batch, frames, hop]` in cycles."""
    points, channels = tables.shape[2], tables.shape[3]
    position = (cycles - tf.floor(cycles)) * points
    index = tf.floor(position)
    place = tf.cast(position - index, tables.dtype)  # carries the gradient; the index has none
    if interpolation == "cubic":
        offsets, weights = [-1, 0, 1, 2], catmull_rom_weights(place)
    else:
        offsets, weights = [0, 1], [1.0 - place, place]
    # The modulus closes the circle, and keeps inside it what a rounding or no number puts outside.
    places = tf.math.floormod(tf.cast(index, tf.int32)[..., tf.newaxis] + offsets, points)
    shape = tf.shape(places)
    flat = tf.reshape(places, [shape[0], shape[1], -1])
    values = tf.reshape(tf.gather(tables, flat, batch_dims=2), tf.concat([shape, [channels]], axis=0))
    return tf.einsum("bfnoc,bfno->bfnc", values, tf.stack(weights, axis=-1))
