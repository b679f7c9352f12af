"""Distances of magnitude spectra, and their gradient, fast on a CPU: under XLA, by one transform back instead
of a chain of derivatives.

One compiled function a resolution: together they would not fit a processor's cache (measured: 1.6 times
slower).
"""

from typing import Any

import numpy as np
import tensorflow as tf

from ddsp_tf.ops.compiled import compiled, first_order
from ddsp_tf.ops.frames import overlap_add
from ddsp_tf.ops.spectra import hann, magnitude_spectrogram, magnitudes, windowed_spectra


def spectral_distances(
    target: tf.Tensor, audio: tf.Tensor, fft_size: int, epsilon: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean distance of magnitudes, and of their logarithms, at one resolution with 75 % overlap.

    Args:
        target: `[batch, samples]`.
        audio: `[batch, samples]`.
        fft_size: Integer, a multiple of 4, window length in samples.
        epsilon: Float > 0, added to magnitudes inside the logarithm.

    Returns:
        Two tensors `[batch]`.
    """
    wanted, got = (magnitude_spectrogram(y, fft_size, fft_size // 4) for y in (target, audio))
    logs = tf.math.log((got + epsilon) / (wanted + epsilon))
    return tuple(tf.reduce_mean(tf.abs(d), axis=[1, 2]) for d in (got - wanted, logs))


def weighted_spectral_distance(
    target: tf.Tensor,
    audio: tf.Tensor,
    fft_size: int,
    epsilon: float,
    magnitude_weight: float,
    log_magnitude_weight: float,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The sum of both `spectral_distances` under weights, for training: compiled for every new shape.

    First derivatives of the sum reach both signals.

    Args:
        target: `[batch, samples]`.
        audio: `[batch, samples]`.
        fft_size: Integer, a multiple of 4, window length in samples.
        epsilon: Float > 0, added to magnitudes inside the logarithm.
        magnitude_weight: Float >= 0.
        log_magnitude_weight: Float >= 0.

    Returns:
        The sum, `[batch]`, and its two parts, `[2, batch]`, which are there to be looked at: they have no
        gradient.
    """
    settings = {
        "fft_size": fft_size,
        "epsilon": epsilon,
        "weights": (float(magnitude_weight), float(log_magnitude_weight)),
    }

    @tf.custom_gradient
    def run(target: tf.Tensor, audio: tf.Tensor) -> tuple[list[tf.Tensor], Any]:
        parts, slope = _distance_and_slope(target, audio, **settings)

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            upstream = upstream[:, tf.newaxis]
            # A graph leaves out the target's, unless somebody asks for it.
            _, target_slope = _distance_and_slope(*map(tf.stop_gradient, (audio, target)), **settings)
            return [upstream * target_slope, upstream * slope]

        of_sum = first_order(gradient, target, audio)
        return [tf.reduce_sum(parts, axis=0), parts], lambda upstream, _: of_sum(upstream)

    distance, parts = run(target, audio)
    return distance, tf.stop_gradient(parts)


@compiled
def _distance_and_slope(
    target: tf.Tensor, audio: tf.Tensor, fft_size: int, epsilon: float, weights: tuple[float, float]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Both weighted distances, `[2, batch]`, and the slope of their sum by the audio, `[batch, samples]`."""
    wanted = magnitude_spectrogram(target, fft_size, fft_size // 4)
    spectra = windowed_spectra(audio, fft_size, fft_size // 4)
    got = magnitudes(
        spectra
    )  # by a root: a product would be fused with the difference and leave its rounding
    difference = got - wanted
    count = tf.cast(tf.shape(got)[1] * tf.shape(got)[2], tf.float32)
    parts, by_magnitude = [tf.zeros(tf.shape(audio)[:1])] * 2, tf.zeros([])
    magnitude_weight, log_magnitude_weight = weights
    if magnitude_weight:
        parts[0] = magnitude_weight / count * tf.reduce_sum(tf.abs(difference), axis=[1, 2])
        by_magnitude += magnitude_weight
    if log_magnitude_weight:
        logs = tf.abs(tf.math.log((got + epsilon) / (wanted + epsilon)))
        parts[1] = log_magnitude_weight / count * tf.reduce_sum(logs, axis=[1, 2])
        by_magnitude += log_magnitude_weight / (got + epsilon)
    # A magnitude's derivative by its spectrum is the spectrum over the magnitude.
    scale = tf.sign(difference) * by_magnitude / got * (_bins_in_inverse(fft_size) / count)
    bins = tf.complex(tf.math.real(spectra) * scale, tf.math.imag(spectra) * scale)
    return tf.stack(parts), _adjoint(bins, fft_size, tf.shape(audio)[1])


def _bins_in_inverse(fft_size: int) -> np.ndarray:
    """What makes the inverse real transform the adjoint: it divides by the size and takes bins twice."""
    factors = np.full(fft_size // 2 + 1, fft_size / 2.0, np.float32)
    factors[[0, -1]] = fft_size
    return factors


def _adjoint(bins: tf.Tensor, fft_size: int, n_samples: tf.Tensor) -> tf.Tensor:
    """From the bins of windows with 75 % overlap to samples, `[batch, samples]`."""
    windows = tf.signal.irfft(bins, [fft_size]) * hann(fft_size)
    hop = fft_size // 4
    return overlap_add(windows, hop)[:, fft_size - hop :][:, :n_samples]
