"""The complex short-time Fourier transform, and its exact inverse."""

import numpy as np
import tensorflow as tf

from ddsp_tf.errors import DdspError


def stft(audio: tf.Tensor, fft_size: int, hop: int) -> tf.Tensor:
    """Short-time Fourier transform under the square root of a periodic Hann window.

    The signal is padded as in `magnitude_spectrogram`: every sample lies in `fft_size / hop` windows.

    Args:
        audio: float32 `[batch, samples]`; batch and length may be symbolic.
        fft_size: Integer, window length in samples.
        hop: Integer, samples between windows; `fft_size` is a multiple of it, at least twice.

    Returns:
        complex64 `[batch, windows, fft_size // 2 + 1]`, `windows = ceil(samples / hop) + fft_size / hop - 1`.
    """
    check_overlap(fft_size, hop)
    n_samples = audio.shape[1] if audio.shape[1] is not None else tf.shape(audio)[1]
    overlap = fft_size - hop
    padded = tf.pad(audio, [[0, 0], [overlap, overlap + (-n_samples) % hop]])
    return spectra_of_windows(padded, fft_size, hop)


def inverse_stft(spectra: tf.Tensor, fft_size: int, hop: int, n_samples: int | tf.Tensor) -> tf.Tensor:
    """Undo `stft`.

    Of spectra that were changed and no longer are those of any signal, this is the signal whose spectra are
    nearest in mean square (D. Griffin, J. Lim, "Signal Estimation from Modified Short-Time Fourier
    Transform", IEEE Trans. ASSP 32, 1984).

    Args:
        spectra: complex64 `[batch, windows, fft_size // 2 + 1]`.
        fft_size: Integer, as in `stft`.
        hop: Integer, as in `stft`.
        n_samples: Integer, length of the signal.

    Returns:
        float32 `[batch, n_samples]`.
    """
    check_overlap(fft_size, hop)
    overlap = fft_size - hop
    return overlap_add_spectra(spectra, fft_size, hop)[:, overlap : overlap + n_samples]


def spectra_of_windows(audio: tf.Tensor, fft_size: int, hop: int) -> tf.Tensor:
    """Spectra of the windows that lie wholly in a signal, unpadded.

    Args:
        audio: float32 `[batch, samples]`.
        fft_size: Integer, window length in samples.
        hop: Integer, samples between windows.

    Returns:
        complex64 `[batch, (samples - fft_size) // hop + 1, fft_size // 2 + 1]`.
    """
    return tf.signal.rfft(tf.signal.frame(audio, fft_size, hop) * _window(fft_size))


def overlap_add_spectra(spectra: tf.Tensor, fft_size: int, hop: int) -> tf.Tensor:
    """Transform windows back, weigh and add them up.

    Args:
        spectra: complex64 `[batch, windows, fft_size // 2 + 1]`.
        fft_size: Integer, window length in samples.
        hop: Integer, samples between windows.

    Returns:
        float32 `[batch, (windows - 1) * hop + fft_size]`; exact where all `fft_size / hop` windows overlap.
    """
    # The squares of the windows, Hann windows, sum to half the number that overlap.
    scale = np.float32(2.0 * hop / fft_size)
    windows = tf.signal.irfft(spectra, [fft_size]) * (_window(fft_size) * scale)
    return tf.signal.overlap_and_add(windows, hop)


def check_overlap(fft_size: int, hop: int) -> None:
    """Refuse windows that do not add up to a constant.

    Raises:
        DdspError: If `fft_size` is no multiple of `hop`, at least twice.
    """
    if hop < 1 or fft_size < 2 * hop or fft_size % hop:
        raise DdspError(
            "fft_size must be a multiple of hop, at least twice. "
            f"Received: fft_size={fft_size!r}, hop={hop!r}"
        )


def _window(size: int) -> np.ndarray:
    """Square root of a periodic Hann window, which is half a sine."""
    return np.sin(np.pi * np.arange(size) / size).astype(np.float32)
