"""Spectra of sound."""

import numpy as np
import tensorflow as tf

from ddsp_tf.arguments import check_integer
from ddsp_tf.errors import DdspError
from ddsp_tf.ops.arguments import Arguments
from ddsp_tf.ops.frames import cut_windows

_SMALLEST_POWER = 1e-20  # the square root's gradient has a pole at 0


def hann(size: int) -> np.ndarray:
    """Periodic Hann window, float32 `[size]`."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)


def windowed_spectra(audio: tf.Tensor, fft_size: int, hop: int) -> tf.Tensor:
    """Short-time Fourier transform with a periodic Hann window, not normalised.

    The signal is padded with `fft_size - hop` zeros before and as many or up to `hop - 1` more after it, so
    that every sample, the first and the last too, lies in the same number of windows.

    Args:
        audio: float32 samples `[batch, samples]`; batch and length may be symbolic.
        fft_size: Integer, window length in samples.
        hop: Integer, samples between windows; it divides `fft_size`.

    Returns:
        complex64 `[batch, windows, fft_size // 2 + 1]`, with
        `windows = ceil(samples / hop) + fft_size / hop - 1`.
    """
    n_samples = audio.shape[1] if audio.shape[1] is not None else tf.shape(audio)[1]
    overlap = fft_size - hop
    padded = tf.pad(audio, [[0, 0], [overlap, overlap + (-n_samples) % hop]])
    return tf.signal.rfft(cut_windows(padded, fft_size, hop) * hann(fft_size))


def magnitude_spectrogram(audio: tf.Tensor, fft_size: int, hop: int) -> tf.Tensor:
    """Magnitudes of `windowed_spectra`, 1e-10 and up; a full-scale sine in a bin has `fft_size / 4`.

    Args:
        audio: float32 samples `[batch, samples]`; batch and length may be symbolic.
        fft_size: Integer >= 2, window length in samples.
        hop: Integer, samples between windows; it divides `fft_size`.

    Returns:
        float32 `[batch, windows, fft_size // 2 + 1]`.

    Raises:
        DdspError: If an argument is not as above.
    """
    owner = "magnitude_spectrogram"
    fft_size = check_integer(owner, "fft_size", fft_size, 2)
    hop = check_integer(owner, "hop", hop, 1, fft_size)
    if fft_size % hop:
        raise DdspError(
            f"{owner}: hop must divide fft_size, or samples would lie in unequally many windows. "
            f"Received: fft_size={fft_size}, hop={hop}"
        )
    audio = Arguments(owner, tf.float32)("audio", audio, "batch", "samples")
    return magnitudes(windowed_spectra(audio, fft_size, hop))


def magnitudes(spectra: tf.Tensor) -> tf.Tensor:
    """Magnitudes of complex spectra, 1e-10 and up; their gradient is finite everywhere."""
    power = tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))
    return tf.sqrt(tf.maximum(power, _SMALLEST_POWER))
