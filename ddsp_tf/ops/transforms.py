"""The complex short-time Fourier transform, and its exact inverse."""

import numpy as np
import tensorflow as tf

from ddsp_tf.arguments import check_integer
from ddsp_tf.errors import DdspError
from ddsp_tf.ops.arguments import Arguments, as_complex


def stft(audio: tf.Tensor, fft_size: int, hop: int) -> tf.Tensor:
    """Short-time Fourier transform under the square root of a periodic Hann window.

    The signal is padded as in `magnitude_spectrogram`: every sample lies in `fft_size / hop` windows.

    Args:
        audio: float32 `[batch, samples]`; batch and length may be symbolic.
        fft_size: Integer, window length in samples.
        hop: Integer, samples between windows; `fft_size` is a multiple of it, at least twice.

    Returns:
        complex64 `[batch, windows, fft_size // 2 + 1]`, `windows = ceil(samples / hop) + fft_size / hop - 1`.

    Raises:
        DdspError: If an argument is not as above.
    """
    fft_size, hop = checked_overlap("stft", fft_size, hop)
    audio = Arguments("stft", tf.float32)("audio", audio, "batch", "samples")
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
        n_samples: Integer, length of the signal, at most `(windows - fft_size / hop + 1) * hop`.

    Returns:
        float32 `[batch, n_samples]`.

    Raises:
        DdspError: If an argument is not as above.
    """
    fft_size, hop = checked_overlap("inverse_stft", fft_size, hop)
    spectra = as_complex("inverse_stft", "spectra", spectra)
    take = Arguments("inverse_stft", empty=("batch",))
    take.check_shape("spectra", spectra.shape, ["batch", "windows", fft_size // 2 + 1])
    overlap = fft_size - hop
    if not isinstance(n_samples, tf.Tensor):
        windows = take.sizes.get("windows")
        longest = None if windows is None else max(0, windows * hop - overlap)
        n_samples = check_integer("inverse_stft", "n_samples", n_samples, 0, longest)
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


def checked_overlap(owner: str, fft_size: int, hop: int) -> tuple[int, int]:
    """Return the sizes of windows that add up to a constant.

    Raises:
        DdspError: If `fft_size` is no multiple of `hop`, at least twice.
    """
    fft_size = check_integer(owner, "fft_size", fft_size, 1)
    hop = check_integer(owner, "hop", hop, 1)
    if fft_size < 2 * hop or fft_size % hop:
        raise DdspError(
            f"{owner}: fft_size must be a multiple of hop, at least twice. "
            f"Received: fft_size={fft_size!r}, hop={hop!r}"
        )
    return fft_size, hop


def _window(size: int) -> np.ndarray:
    """Square root of a periodic Hann window, which is half a sine."""
    return np.sin(np.pi * np.arange(size) / size).astype(np.float32)
