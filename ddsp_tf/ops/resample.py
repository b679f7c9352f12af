"""From frame rate to audio rate, by several kinds of interpolation, for hops of any size.

Frame `i` stands for sample `(i + 1) * hop`; the samples of hop `i` lie between frame `i - 1` and frame `i`,
and the first hop holds frame 0 (`ddsp_tf.frames`).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from ddsp_tf.errors import DdspError, did_you_mean
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
        DdspError: If there is no such method, or the hop is not a positive integer.
    """
    delay = resampling_delay(method)
    held = tf.concat([frames, *([frames[:, -1:]] * delay)], axis=1)
    return stream_frames_to_samples(held, hop, method)[0][:, delay * hop :]


def resampling_delay(method: str) -> int:
    """Frames by which `stream_frames_to_samples` is late: 1 for `"cubic"`, which looks ahead, else 0.

    Raises:
        DdspError: If there is no such method.
    """
    if method not in METHODS:
        raise DdspError(
            f"method must be one of {', '.join(METHODS)}. Received: method={method!r}."
            f"{did_you_mean(method, list(METHODS))}"
        )
    return 1 if method == "cubic" else 0


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
        DdspError: If there is no such method, or the hop is not a positive integer.
    """
    weights = _weights(hop, method)
    before = len(weights) - 1
    if state is None:
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
    if isinstance(hop, bool) or not isinstance(hop, int) or hop <= 0:
        raise DdspError(f"hop must be a positive integer. Received: hop={hop!r}")
    place = np.arange(hop) / hop
    if method == "cubic":
        return np.stack(catmull_rom_weights(place))
    later = {
        "nearest": np.where(place < 0.5, 0.0, 1.0),
        "linear": place,
        "window": rising_window(hop),
    }[method]
    return np.stack([1.0 - later, later])
