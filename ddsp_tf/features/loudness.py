"""Loudness in TensorFlow: the definition of `ddsp_edge.features.loudness`, with a gradient."""

import math

import numpy as np
import tensorflow as tf

from ddsp_edge.features.loudness import POWER_FLOOR, spectrum_weights, window_size
from ddsp_edge.fourier import hann
from ddsp_tf.frames import FrameSpec
from ddsp_tf.ops.arguments import Arguments, check_spec


def loudness_db(audio: tf.Tensor, spec: FrameSpec) -> tf.Tensor:
    """Measure A-weighted loudness on the frame grid.

    Equal to `ddsp_edge.features.loudness.loudness_db` within 1e-3 dB. Differentiable everywhere: in silence
    the floor's gradient is 0.

    Args:
        audio: Samples `[batch, samples]`, full scale 1; computed in float32. Batch and length may be
            symbolic.
        spec: The frame grid.

    Returns:
        float32 `[batch, samples // hop]`, dB, -80 and up; frame `i` is centred on sample `(i + 1) * hop`.

    Raises:
        DdspError: If an argument is not as above.
    """
    spec = check_spec("loudness_db", spec)
    audio = Arguments("loudness_db", tf.float32)("audio", audio, "batch", "samples")
    size = window_size(spec.sample_rate)
    n_samples = audio.shape[1] if audio.shape[1] is not None else tf.shape(audio)[1]
    n_frames = n_samples // spec.hop
    first = spec.frame_sample(0) - size // 2  # first sample of the first window
    # One window of zeros after the end is enough for the last frame, whatever the length is.
    padded = tf.pad(audio[:, max(0, first) :], [[0, 0], [max(0, -first), size]])
    windows = tf.signal.frame(padded, size, spec.hop)[:, :n_frames]
    spectrum = tf.signal.rfft(windows * tf.constant(hann(size), tf.float32))
    power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
    weights = tf.constant(spectrum_weights(spec.sample_rate), tf.float32)
    mean_square = tf.linalg.matvec(power, weights)
    return tf.math.log(mean_square + np.float32(POWER_FLOOR)) * np.float32(10.0 / math.log(10.0))
