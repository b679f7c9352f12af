"""Spectra of sound."""

import numpy as np
import tensorflow as tf

_SMALLEST_POWER = 1e-20  # the square root's gradient has a pole at 0


def magnitude_spectrogram(audio: tf.Tensor, fft_size: int, hop: int) -> tf.Tensor:
    """Magnitudes of the short-time Fourier transform, with a periodic Hann window.

    Nothing is normalised: a full-scale sine in the middle of a bin has magnitude `fft_size / 4`.

    The signal is padded with `fft_size - hop` zeros before and as many or up to `hop - 1` more after it, so
    that every sample, the first and the last too, lies in the same number of windows.

    Args:
        audio: float32 samples `[batch, samples]`; batch and length may be symbolic.
        fft_size: Integer, window length in samples.
        hop: Integer, samples between windows; it divides `fft_size`.

    Returns:
        float32 `[batch, windows, fft_size // 2 + 1]`, 1e-10 and up, with
        `windows = ceil(samples / hop) + fft_size / hop - 1`.
    """
    n_samples = audio.shape[1] if audio.shape[1] is not None else tf.shape(audio)[1]
    overlap = fft_size - hop
    padded = tf.pad(audio, [[0, 0], [overlap, overlap + (-n_samples) % hop]])
    window = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(fft_size) / fft_size)).astype(np.float32)
    spectrum = tf.signal.rfft(tf.signal.frame(padded, fft_size, hop) * window)
    power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
    return tf.sqrt(tf.maximum(power, _SMALLEST_POWER))
