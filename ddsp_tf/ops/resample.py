"""From frame rate to audio rate, by several kinds of interpolation, for hops of any size and any length.

Frame `i` stands for sample `(i + 1) * hop`; the samples of hop `i` lie between frame `i - 1` and frame `i`,
and the first hop holds frame 0 (`ddsp_tf.frames`).
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from ddsp_tf.arguments import check_choice, check_integer
from ddsp_tf.ops.arguments import Arguments
from ddsp_tf.ops.frames import rising_window

METHODS = ("nearest", "linear", "cubic", "window")


def frames_to_samples(frames: tf.Tensor, hop: int, method: str = "window") -> tf.Tensor:
    """Bring controls from frame rate to audio rate, in one piece.

    Args:
        frames: `[batch, frames, channels]`.
        hop: Integer > 0, samples a frame.
        method: How to go from frame to frame. `"nearest"` jumps half way, a sample in the very middle
            being the later frame's; `"linear"` is a straight line; `"cubic"` is the spline of E. Catmull
            and R. Rom, "A class of local interpolating splines", 1974, which is smooth and may overshoot,
            and holds the last frame after the end; `"window"` is the sum of frames under overlapping Hann
            windows of two hops, what `crossfade` does.

    Returns:
        `[batch, frames * hop, channels]`.

    Raises:
        DdspError: If there is no such method, the hop is no positive integer, or the shape is not as above.
    """
    delay = resampling_delay(method)
    frames = Arguments("frames_to_samples")("frames", frames, "batch", "frames", "channels")
    held = tf.concat([frames, *([frames[:, -1:]] * delay)], axis=1)
    return stream_frames_to_samples(held, hop, method)[0][:, delay * hop :]


def resampling_delay(method: str) -> int:
    """Frames by which `stream_frames_to_samples` is late: 1 for `"cubic"`, which looks ahead, else 0.

    Raises:
        DdspError: If there is no such method.
    """
    return 1 if check_choice("resampling", "method", method, METHODS) == "cubic" else 0


def resample(frames: tf.Tensor, n_samples: int, method: str = "window") -> tf.Tensor:
    """Stretch controls to any number of samples, a multiple of the number of frames or not.

    Frame `i` stands for sample `(i + 1) * n_samples / frames`, a fraction where that is none; before frame 0
    its value is held. With `n_samples = frames * hop` this is `frames_to_samples`. There is no filter against
    aliasing: with fewer samples than frames, what lies between the samples is passed over. It needs the whole
    sequence; for blocks there is `stream_frames_to_samples`.

    Args:
        frames: `[batch, frames, channels]`.
        n_samples: Integer > 0.
        method: As in `frames_to_samples`.

    Returns:
        `[batch, n_samples, channels]`.

    Raises:
        DdspError: If there is no such method, the number is no positive integer, or the shape is not as
            above.
    """
    ahead = resampling_delay(method)
    n_samples = check_integer("resample", "n_samples", n_samples, 1)
    frames = Arguments("resample")("frames", frames, "batch", "frames", "channels")
    # In integers: a sample that stands for a frame is that frame, however long the sequence is.
    places = tf.range(n_samples, dtype=tf.int64) * tf.cast(tf.shape(frames)[1], tf.int64)
    later, part = places // n_samples, tf.cast(places % n_samples, tf.float64) / n_samples
    weights = _weights_at(part, method)
    extended = tf.concat([*([frames[:, :1]] * (1 + ahead)), frames, *([frames[:, -1:]] * ahead)], axis=1)
    parts = [
        tf.gather(extended, later + i, axis=1) * tf.cast(weight, frames.dtype)[:, tf.newaxis]
        for i, weight in enumerate(weights)
    ]
    return tf.add_n(parts)


def stream_frames_to_samples(
    frames: tf.Tensor, hop: int, method: str = "window", state: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Bring one block of controls from frame rate to audio rate.

    Any cut into blocks gives the samples of one piece, `resampling_delay(method) * hop` samples late.

    Args:
        frames: `[batch, frames, channels]`.
        hop: Integer > 0, samples a frame.
        method: As in `frames_to_samples`.
        state: From the block before; None starts anew, holding frame 0.

    Returns:
        `[batch, frames * hop, channels]`, and the state: `[batch, 1, channels]`, the last frame, or for
        `"cubic"` the last three.

    Raises:
        DdspError: If there is no such method, the hop is no positive integer, or a shape is not as above.
    """
    weights = _weights(hop, method)
    before = len(weights) - 1
    take = Arguments("stream_frames_to_samples")
    frames = take("frames", frames, "batch", "frames", "channels")
    if state is not None:
        state = take("state", state, "batch", before, "channels")
    else:
        state = tf.repeat(frames[:, :1], before, axis=1)
    n_frames = tf.shape(frames)[1]
    extended = tf.concat([state, frames], axis=1)
    neighbours = tf.stack([extended[:, i : i + n_frames] for i in range(before + 1)])
    samples = tf.einsum("tn,tbfc->bfnc", tf.constant(weights, frames.dtype), neighbours)
    shape = [tf.shape(frames)[0], -1, frames.shape[2]]
    return tf.reshape(samples, shape), extended[:, -before:]


def catmull_rom_weights(place: Any) -> list[Any]:
    """Weights of four neighbours under the spline of Catmull and Rom.

    Args:
        place: Array or tensor in 0 to 1, the place between the second and the third neighbour.

    Returns:
        Four of the kind and shape of `place`, which sum to 1; at 0 the second alone is 1.
    """
    return [
        ((2.0 - place) * place - 1.0) * place / 2.0,
        ((3.0 * place - 5.0) * place * place + 2.0) / 2.0,
        ((4.0 - 3.0 * place) * place + 1.0) * place / 2.0,
        (place - 1.0) * place * place / 2.0,
    ]


def _weights(hop: int, method: str) -> npt.NDArray[np.float64]:
    """Weights of neighbouring frames, the earliest first, for each sample of a hop: `[neighbours, hop]`."""
    resampling_delay(method)  # refuses what it does not know
    hop = check_integer("frames_to_samples", "hop", hop, 1)
    place = np.arange(hop) / hop
    if method == "cubic":
        return np.stack(catmull_rom_weights(place))
    later = {
        "nearest": np.where(place < 0.5, 0.0, 1.0),
        "linear": place,
        "window": rising_window(hop),
    }[method]
    return np.stack([1.0 - later, later])


def _weights_at(place: tf.Tensor, method: str) -> list[tf.Tensor]:
    """The same for places in 0 to 1 between a frame and the next."""
    if method == "cubic":
        return catmull_rom_weights(place)
    if method == "nearest":
        later = tf.cast(place >= 0.5, place.dtype)
    else:
        later = place if method == "linear" else 0.5 - 0.5 * tf.cos(math.pi * place)
    return [1.0 - later, later]
