"""A delay line that is read between its samples."""

import tensorflow as tf

from ddsp_tf.arguments import check_choice, check_integer
from ddsp_tf.ops.arguments import Arguments

INTERPOLATIONS = ("linear", "cubic")
"""Ways to read between samples, of a delay line or of a wavetable."""
HISTORY_MARGIN = 2
"""Samples beyond the longest delay that interpolation reads."""


def fractional_delay(
    audio: tf.Tensor,
    delay_samples: tf.Tensor,
    max_delay_samples: int,
    history: tf.Tensor | None = None,
    *,
    interpolation: str = "linear",
) -> tuple[tf.Tensor, tf.Tensor]:
    """Delay a signal by a time that may change with every sample and need not be whole.

    Linear interpolation reads two samples and dulls the highest frequencies; cubic interpolation, by the
    Lagrange polynomial through four samples, dulls them less and needs a delay of at least one sample (T. I.
    Laakso et al., "Splitting the Unit Delay", IEEE Signal Processing Magazine 13, 1996). Both are exact at
    whole delays. The gradient reaches the signal and the delay.

    Args:
        audio: `[batch, samples]`.
        delay_samples: `[batch, samples]`, held within 0 (cubic: 1) to `max_delay_samples`. In float64, of
            whatever dtype the audio is, a long delay keeps its fraction.
        max_delay_samples: Integer >= 1, length of the delay line.
        history: `[batch, max_delay_samples + HISTORY_MARGIN]`, the samples before the first one; None is
            silence.
        interpolation: "linear" or "cubic".

    Returns:
        Audio `[batch, samples]`, and the history for the next block.

    Raises:
        DdspError: If there is no such interpolation, or a shape or a size is not as above.
    """
    owner = "fractional_delay"
    check_choice(owner, "interpolation", interpolation, INTERPOLATIONS)
    max_delay_samples = check_integer(owner, "max_delay_samples", max_delay_samples, 1)
    take = Arguments(owner)
    audio = take("audio", audio, "batch", "samples")
    delay_samples = take.own("delay_samples", delay_samples, "batch", "samples")
    if history is not None:
        history = take("history", history, "batch", max_delay_samples + HISTORY_MARGIN)
    length = max_delay_samples + HISTORY_MARGIN
    n_samples = tf.shape(audio)[1]
    if history is None:
        history = tf.zeros([tf.shape(audio)[0], length], audio.dtype)
    line = tf.concat([history, audio], axis=1)
    shortest = 1.0 if interpolation == "cubic" else 0.0
    delay = tf.clip_by_value(delay_samples, shortest, float(max_delay_samples))
    whole = tf.floor(delay)
    part = tf.cast(delay - whole, audio.dtype)
    place = tf.range(length, length + n_samples) - tf.cast(whole, tf.int32)

    def read(later: int) -> tf.Tensor:  # what the line held `whole + later` samples ago
        return tf.gather(line, place - later, batch_dims=1)

    if interpolation == "cubic":
        delayed = (
            -part * (part - 1) * (part - 2) / 6 * read(-1)
            + (part + 1) * (part - 1) * (part - 2) / 2 * read(0)
            - (part + 1) * part * (part - 2) / 2 * read(1)
            + (part + 1) * part * (part - 1) / 6 * read(2)
        )
    else:
        now = read(0)
        delayed = now + part * (read(1) - now)
    return tf.ensure_shape(delayed, audio.shape), line[:, n_samples:]
