"""Distances of how spectra change, and of mel spectra: further terms of the spectral loss."""

import tensorflow as tf

from ddsp_tf.ops.mel import mel_filterbank
from ddsp_tf.ops.spectra import magnitude_spectrogram


def delta_distances(target: tf.Tensor, audio: tf.Tensor, fft_size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean distance of the differences of magnitudes from window to window, and from bin to bin.

    With `S[t, k]` magnitudes: `mean |(S[t+1, k] - S[t, k]) - (S'[t+1, k] - S'[t, k])|`, and the same with
    `k + 1`. Windows are Hann, 75 % overlapped.

    Args:
        target: `[batch, samples]`.
        audio: `[batch, samples]`.
        fft_size: Integer, window length in samples.

    Returns:
        Two tensors `[batch]`: over time, and over frequency.
    """
    wanted, got = (magnitude_spectrogram(y, fft_size, fft_size // 4) for y in (target, audio))
    difference = got - wanted
    over_time = difference[:, 1:] - difference[:, :-1]
    over_frequency = difference[:, :, 1:] - difference[:, :, :-1]
    return tuple(tf.reduce_mean(tf.abs(d), axis=[1, 2]) for d in (over_time, over_frequency))


def log_mel_distance(
    target: tf.Tensor, audio: tf.Tensor, sample_rate: int, fft_size: int, n_mels: int, epsilon: float
) -> tf.Tensor:
    """Mean distance of the logarithms of magnitudes in mel bands.

    Args:
        target: `[batch, samples]`.
        audio: `[batch, samples]`.
        sample_rate: Integer, Hz.
        fft_size: Integer, window length in samples; windows are Hann, 75 % overlapped.
        n_mels: Integer, triangular bands of peak 1, equally spaced on Slaney's mel scale up to Nyquist.
        epsilon: Float > 0, added inside the logarithm.

    Returns:
        `[batch]`.
    """
    bank = mel_filterbank(n_mels, fft_size, sample_rate)
    bank = bank / bank.max(axis=0).clip(1e-12)
    wanted, got = (
        tf.matmul(magnitude_spectrogram(y, fft_size, fft_size // 4), tf.constant(bank))
        for y in (target, audio)
    )
    return tf.reduce_mean(tf.abs(tf.math.log((got + epsilon) / (wanted + epsilon))), axis=[1, 2])
