"""From frames to samples: neighbours in time and the window between them.

Frame `i` stands for sample `(i + 1) * hop` (`ddsp_edge.frames`), so the samples of hop `i` lie between
frame `i - 1` and frame `i`.
"""

import math

import tensorflow as tf


def previous_frames(frames: tf.Tensor, before: tf.Tensor | None) -> tf.Tensor:
    """Shift frames one later in time.

    Args:
        frames: `[batch, frames, ...]`.
        before: `[batch, ...]`, the frame before the first one; None holds the first one.

    Returns:
        `[batch, frames, ...]`: for each frame the one before it.
    """
    first = frames[:, :1] if before is None else before[:, tf.newaxis]
    return tf.concat([first, frames[:, :-1]], axis=1)


def crossfade_window(hop: int) -> tf.Tensor:
    """Weight of the later frame over one hop, `[hop]`: a raised cosine that rises from 0.

    With the weight `1 - window` of the earlier frame it makes overlapping Hann windows of two hops.
    """
    position = tf.range(hop, dtype=tf.float32) / hop
    return 0.5 - 0.5 * tf.cos(math.pi * position)


def crossfade(frames: tf.Tensor, before: tf.Tensor | None, hop: int) -> tf.Tensor:
    """Bring one control from frame rate to audio rate.

    Args:
        frames: `[batch, frames]`.
        before: `[batch]`, the frame before the first one; None holds the first one.
        hop: Integer, samples a frame.

    Returns:
        `[batch, frames * hop]`.
    """
    window = crossfade_window(hop)
    earlier = previous_frames(frames, before)[..., tf.newaxis]
    samples = earlier + (frames[..., tf.newaxis] - earlier) * window
    return tf.reshape(samples, [tf.shape(frames)[0], -1])
