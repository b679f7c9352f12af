"""From frames to samples: neighbours in time and the window between them.

Frame `i` stands for sample `(i + 1) * hop` (`ddsp_edge.frames`), so the samples of hop `i` lie between
frame `i - 1` and frame `i`.
"""

import math

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from ddsp_tf.arguments import check_integer
from ddsp_tf.ops.arguments import Arguments


def previous_frames(frames: tf.Tensor, before: tf.Tensor | None) -> tf.Tensor:
    """Shift frames one later in time.

    Args:
        frames: `[batch, frames, ...]`.
        before: `[batch, ...]`, the frame before the first one; None holds the first one.

    Returns:
        `[batch, frames, ...]`: for each frame the one before it.

    Raises:
        DdspError: If a shape is not as above.
    """
    take = Arguments("previous_frames")
    frames = take("frames", frames)
    rest = [f"axis {i}" for i in range(2, frames.shape.rank or 2)]
    take.check_shape("frames", frames.shape, ["batch", "frames", *rest])
    if before is not None:
        before = take("before", before, *(["batch", *rest] if frames.shape.rank else ()))
    first = frames[:, :1] if before is None else before[:, tf.newaxis]
    return tf.concat([first, frames[:, :-1]], axis=1)


def crossfade_window(hop: int) -> tf.Tensor:
    """Weight of the later frame over one hop, `[hop]`: a raised cosine that rises from 0.

    With the weight `1 - window` of the earlier frame it makes overlapping Hann windows of two hops.

    Raises:
        DdspError: If the hop is no positive integer.
    """
    hop = check_integer("crossfade_window", "hop", hop, 1)
    return tf.constant(rising_window(hop), tf.float32)


def rising_window(hop: int) -> npt.NDArray[np.float64]:
    """`crossfade_window` in float64."""
    return np.asarray(0.5 - 0.5 * np.cos(math.pi * np.arange(hop) / hop))


def crossfade(frames: tf.Tensor, before: tf.Tensor | None, hop: int) -> tf.Tensor:
    """Bring one control from frame rate to audio rate.

    Args:
        frames: `[batch, frames]`.
        before: `[batch]`, the frame before the first one; None holds the first one.
        hop: Integer, samples a frame.

    Returns:
        `[batch, frames * hop]`.

    Raises:
        DdspError: If a shape is not as above, or the hop no positive integer.
    """
    hop = check_integer("crossfade", "hop", hop, 1)
    take = Arguments("crossfade")
    frames = take("frames", frames, "batch", "frames")
    if before is not None:
        before = take("before", before, "batch")
    window = tf.constant(rising_window(hop), frames.dtype)
    earlier = previous_frames(frames, before)[..., tf.newaxis]
    samples = earlier + (frames[..., tf.newaxis] - earlier) * window
    return tf.reshape(samples, [tf.shape(frames)[0], -1])


_FEW = 8  # overlapping windows; with more, compiling a sum of so many terms takes longer than it saves


def cut_windows(audio: tf.Tensor, length: int, hop: int) -> tf.Tensor:
    """Cut overlapping windows, as `tf.signal.frame` does; faster under XLA where few overlap.

    Args:
        audio: `[batch, samples]`; what does not fill a window at the end is left out.
        length: Integer, samples a window.
        hop: Integer, samples from one window to the next.

    Returns:
        `[batch, windows, length]`.
    """
    parts = -(-length // hop)
    if parts > _FEW:
        return tf.signal.frame(audio, length, hop)
    windows = (tf.shape(audio)[1] - length) // hop + 1
    used = tf.pad(audio, [[0, 0], [0, parts * hop]])[:, : (windows + parts - 1) * hop]
    hops = tf.reshape(used, [-1, windows + parts - 1, hop])
    return tf.concat([hops[:, i : i + windows] for i in range(parts)], axis=-1)[..., :length]


def overlap_add(windows: tf.Tensor, hop: int) -> tf.Tensor:
    """Sum overlapping windows, as `tf.signal.overlap_and_add` does; faster under XLA where few overlap.

    Args:
        windows: `[batch, windows, length]`; the length is known.
        hop: Integer, samples from one window to the next.

    Returns:
        `[batch, (windows - 1) * hop + length]`.
    """
    length = windows.shape[-1]
    parts = -(-length // hop)
    if parts > _FEW:
        return tf.signal.overlap_and_add(windows, hop)
    count = tf.shape(windows)[1] + parts - 1
    # Silent windows around them, and every hop is the sum of equally many.
    padded = tf.pad(windows, [[0, 0], [parts - 1, parts - 1], [0, parts * hop - length]])
    firsts = [parts - 1 - i for i in range(parts)]
    hops = [padded[:, first : first + count, i * hop : (i + 1) * hop] for i, first in enumerate(firsts)]
    return tf.reshape(tf.add_n(hops), [-1, count * hop])[:, : (count - parts) * hop + length]
