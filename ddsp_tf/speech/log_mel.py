"""Log powers in mel bands of whole sounds, with a gradient; defined in `ddsp_edge.features.log_mel`."""

import numpy as np
import tensorflow as tf

from ddsp_edge.features.log_mel import POWER_FLOOR, mel_weights, window_samples
from ddsp_edge.fourier import fft_size, hann
from ddsp_tf.frames import FrameSpec


def log_mel(audio: tf.Tensor, spec: FrameSpec, weights: tf.Tensor | None = None) -> tf.Tensor:
    """Log powers in mel bands, the same as those of a stream.

    Args:
        audio: float32 `[batch, samples]`; silence is taken to be before and after it.
        spec: The frame grid.
        weights: Weights of the bins in each band, `[bins, N_MELS]`, or for each example `[batch, bins,
            N_MELS]`; None for those of the definition.

    Returns:
        float32 `[batch, samples // hop, N_MELS]`.
    """
    size = window_samples(spec.sample_rate)
    n_samples = audio.shape[1] if audio.shape[1] is not None else tf.shape(audio)[1]
    frames = n_samples // spec.hop
    first = spec.frame_sample(0) - size // 2  # sample that the window of frame 0 begins with
    before = max(0, -first)
    # Of every frame a whole window: one more never hurts.
    padded = tf.pad(audio, [[0, 0], [before, size]])[:, before + first :]
    windows = tf.signal.frame(padded, size, spec.hop)[:, :frames]
    window = hann(size)
    scaled = windows * tf.constant(np.asarray(window / np.sqrt(np.sum(window**2)), np.float32))
    spectra = tf.signal.rfft(scaled, [fft_size(size)])
    power = tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))
    if weights is None:
        weights = tf.constant(mel_weights(spec.sample_rate))
    return tf.math.log(tf.matmul(power, weights) + POWER_FLOOR)
