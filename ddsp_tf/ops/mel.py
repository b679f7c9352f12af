"""Mel spectrograms and cepstra."""

import math
from functools import lru_cache

import numpy as np
import tensorflow as tf

from ddsp_tf.arguments import check_integer, check_number
from ddsp_tf.errors import DdspError
from ddsp_tf.ops.spectra import magnitude_spectrogram
from ddsp_tf.ops.units import hz_to_mel, mel_to_hz, power_to_db

_FLOOR_DB = -100.0


def mel_filterbank(
    n_mels: int, fft_size: int, sample_rate: int, low_hz: float = 0.0, high_hz: float | None = None
) -> np.ndarray:
    """Triangular filters, equally spaced in mels of Slaney's scale, each of area 1 (Slaney's normalisation).

    Args:
        n_mels: Integer >= 1, filters.
        fft_size: Integer >= 2, length of the transform in samples.
        sample_rate: Integer, Hz.
        low_hz: Float >= 0, where the first filter begins.
        high_hz: Float up to Nyquist, where the last filter ends; None: Nyquist.

    Returns:
        float32 `[fft_size // 2 + 1, n_mels]`, read-only.

    Raises:
        DdspError: If the limits leave no band, or an argument is not as above.
    """
    owner = "mel_filterbank"
    n_mels = check_integer(owner, "n_mels", n_mels, 1)
    fft_size = check_integer(owner, "fft_size", fft_size, 2)
    sample_rate = check_integer(owner, "sample_rate", sample_rate, 1)
    low_hz = check_number(owner, "low_hz", low_hz, 0.0, math.inf)
    high_hz = sample_rate / 2 if high_hz is None else check_number(owner, "high_hz", high_hz, 0.0, math.inf)
    return _mel_filterbank(n_mels, fft_size, sample_rate, low_hz, high_hz)


@lru_cache(maxsize=16)
def _mel_filterbank(
    n_mels: int, fft_size: int, sample_rate: int, low_hz: float, high_hz: float
) -> np.ndarray:
    if not 0.0 <= low_hz < high_hz <= sample_rate / 2:
        raise DdspError(
            "a mel filterbank needs "
            f"0 <= low_hz < high_hz <= sample_rate / 2 ({sample_rate / 2:g}). "
            f"Received: low_hz={low_hz!r}, high_hz={high_hz!r}"
        )
    with tf.init_scope():  # constants, in float64, also while a graph is traced
        low, high = hz_to_mel(tf.constant([low_hz, high_hz], tf.float64)).numpy()
        edges = mel_to_hz(tf.constant(np.linspace(low, high, n_mels + 2))).numpy()
    bins = np.arange(fft_size // 2 + 1)[:, np.newaxis] * (sample_rate / fft_size)
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.minimum((bins - left) / (middle - left), (right - bins) / (right - middle))
    bank = (np.maximum(triangles, 0.0) * (2.0 / (right - left))).astype(np.float32)
    bank.flags.writeable = False
    return bank


def mel_spectrogram(
    audio: tf.Tensor,
    sample_rate: int,
    fft_size: int,
    hop: int,
    n_mels: int,
    *,
    low_hz: float = 0.0,
    high_hz: float | None = None,
) -> tf.Tensor:
    """Power in mel bands. Windows and padding are those of `magnitude_spectrogram`.

    Args:
        audio: float32 `[batch, samples]`; batch and length may be symbolic.
        sample_rate: Integer, Hz.
        fft_size: Integer, window length in samples.
        hop: Integer, samples between windows; it divides `fft_size`.
        n_mels: Integer >= 1, bands.
        low_hz: Float >= 0, lower end of the first band.
        high_hz: Float up to Nyquist, upper end of the last band; None: Nyquist.

    Returns:
        float32 `[batch, windows, n_mels]`.

    Raises:
        DdspError: If an argument is not as above.
    """
    power = tf.square(magnitude_spectrogram(audio, fft_size, hop))
    return tf.matmul(power, tf.constant(mel_filterbank(n_mels, fft_size, sample_rate, low_hz, high_hz)))


def mfcc(
    audio: tf.Tensor, sample_rate: int, fft_size: int, hop: int, n_mels: int = 128, n_mfcc: int = 30
) -> tf.Tensor:
    """Mel-frequency cepstral coefficients: the orthonormal DCT-II of the mel spectrogram in dB.

    S. Davis, P. Mermelstein, "Comparison of Parametric Representations for Monosyllabic Word Recognition",
    IEEE Trans. ASSP 28, 1980. Power is held at -100 dB and above; nothing is liftered.

    Args:
        audio: float32 `[batch, samples]`; batch and length may be symbolic.
        sample_rate: Integer, Hz.
        fft_size: Integer, window length in samples.
        hop: Integer, samples between windows; it divides `fft_size`.
        n_mels: Integer >= 1, mel bands.
        n_mfcc: Integer in 1 to `n_mels`, coefficients.

    Returns:
        float32 `[batch, windows, n_mfcc]`.

    Raises:
        DdspError: If there are fewer bands than coefficients, or another argument is not as above.
    """
    n_mels = check_integer("mfcc", "n_mels", n_mels, 1)
    n_mfcc = check_integer("mfcc", "n_mfcc", n_mfcc, 1, n_mels)
    power = mel_spectrogram(audio, sample_rate, fft_size, hop, n_mels)
    level_db = power_to_db(power, _FLOOR_DB)
    k, m = np.arange(n_mfcc), np.arange(n_mels)[:, np.newaxis]
    basis = np.cos(np.pi * k * (2 * m + 1) / (2 * n_mels)) * np.where(k == 0, 1.0, math.sqrt(2.0))
    return tf.matmul(level_db, tf.constant(basis / math.sqrt(n_mels), tf.float32))
