"""Tracks of fundamental frequency as metrics take them."""

import math

import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.losses.terms import checked_example_weights
from ddsp_tf.ops.arguments import Arguments, as_floats


def compared_tracks(
    y_true: tf.Tensor, y_pred: tf.Tensor, owner: str
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Compare two tracks frame by frame.

    Args:
        y_true: The reference, `[batch, frames]` or `[batch, frames, 1]`, Hz, 0 where there is no pitch.
        y_pred: The estimate, the same frames.
        owner: Who asks, for errors.

    Returns:
        Distance of the estimate in semitones (float32, 0 if not both are voiced), and whether each frame is
        voiced in the reference and in the estimate; all `[batch, frames]`.

    Raises:
        DdspError: If they are no such tracks, or have different frames.
    """
    take = Arguments(owner)
    reference, estimate = (
        take(name, _frames(owner, name, y), "batch", "frames")
        for name, y in (("y_true", y_true), ("y_pred", y_pred))
    )
    voiced, found = reference > 0.0, estimate > 0.0
    both = voiced & found
    ratio = tf.where(both, estimate, 1.0) / tf.where(both, reference, 1.0)
    return tf.math.log(ratio) * (12.0 / math.log(2.0)), voiced, found


def _frames(owner: str, name: str, f0_hz: tf.Tensor) -> tf.Tensor:
    """As float32 `[batch, frames]`."""
    f0_hz = as_floats(owner, name, f0_hz, tf.float32)
    if f0_hz.shape.rank == 3 and f0_hz.shape[2] == 1:
        return f0_hz[:, :, 0]
    if f0_hz.shape.rank not in (None, 2):
        raise DdspError(
            f"{owner}: {name} must be [batch, frames] or [batch, frames, 1]. Received: shape {f0_hz.shape}"
        )
    return f0_hz


def frame_weights(counts: tf.Tensor, sample_weight: tf.Tensor | None, owner: str) -> tf.Tensor:
    """Weights of frames, float32 `[batch, frames]`: those that count, times the weights of examples.

    Args:
        counts: Boolean `[batch, frames]`.
        sample_weight: `[batch]`, or None.
        owner: Who asks, for errors.

    Raises:
        DdspError: If there is not one weight for each example.
    """
    weights = tf.cast(counts, tf.float32)
    if sample_weight is None:
        return weights
    return weights * checked_example_weights(sample_weight, counts, owner)[:, tf.newaxis]
