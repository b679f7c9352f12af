"""Level on the frame grid."""

import tensorflow as tf

from ddsp_tf.arguments import check_integer
from ddsp_tf.frames import FrameSpec
from ddsp_tf.ops.arguments import Arguments, check_spec

_SMALLEST_POWER = 1e-20  # the square root's gradient has a pole at 0


def rms(audio: tf.Tensor, spec: FrameSpec, window_samples: int) -> tf.Tensor:
    """Root mean square around each frame, under a rectangular window; outside the signal is silence.

    Args:
        audio: float32 `[batch, samples]`; batch and length may be symbolic.
        spec: The frame grid.
        window_samples: Integer >= 1, length of the window.

    Returns:
        float32 `[batch, samples // hop]`, linear, 1e-10 and up; frame `i` is centred on sample `(i + 1) *
        hop`.

    Raises:
        DdspError: If the window is empty, or another argument not as above.
    """
    window_samples = check_integer("rms", "window_samples", window_samples, 1)
    spec = check_spec("rms", spec)
    audio = Arguments("rms", tf.float32)("audio", audio, "batch", "samples")
    n_samples = audio.shape[1] if audio.shape[1] is not None else tf.shape(audio)[1]
    first = spec.frame_sample(0) - window_samples // 2  # first sample of the first window
    # One window of zeros after the end is enough for the last frame, whatever the length is.
    padded = tf.pad(audio[:, max(0, first) :], [[0, 0], [max(0, -first), window_samples]])
    power = tf.square(tf.signal.frame(padded, window_samples, spec.hop)[:, : n_samples // spec.hop])
    return tf.sqrt(tf.maximum(tf.reduce_mean(power, axis=-1), _SMALLEST_POWER))
