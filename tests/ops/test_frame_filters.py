"""Filters from magnitudes, frame by frame, against the plain formulation and against float64."""

import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.ops.convolution import convolve_frames
from ddsp_tf.ops.filters import impulse_responses_from_magnitudes
from ddsp_tf.ops.frame_filters import filter_frames

# Transforms of even and of odd size, fewer and more taps than a hop has samples.
SIZES = [(64, 65, 20), (1, 5, 30), (80, 33, 7), (441, 2, 3), (3, 4, 9), (7, 65, 30)]


def _oracle(audio: np.ndarray, magnitudes: np.ndarray, hop: int) -> np.ndarray:
    """Each hop through `numpy.convolve` with a windowed inverse transform, float64 `[samples + taps - 1]`."""
    frames, bands = magnitudes.shape
    taps = 2 * (bands - 1)
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(taps) / taps)
    out = np.zeros(frames * hop + taps - 1)
    for i in range(frames):
        response = np.roll(np.fft.irfft(magnitudes[i].astype(np.float64), taps), taps // 2) * window
        part = np.convolve(audio[i * hop : (i + 1) * hop].astype(np.float64), response)
        out[i * hop : i * hop + len(part)] += part
    return out


@pytest.mark.parametrize(("hop", "bands", "frames"), SIZES)
def test_audio_tail_and_gradients_equal_the_plain_formulation(hop: int, bands: int, frames: int) -> None:
    rng = np.random.default_rng(hop)
    audio = tf.constant(rng.normal(size=[2, frames * hop]), tf.float32)
    magnitudes = tf.constant(rng.uniform(size=[2, frames, bands]), tf.float32)
    tail = tf.constant(rng.normal(size=[2, 2 * bands - 3]), tf.float32)

    def plain(audio: tf.Tensor, magnitudes: tf.Tensor, hop: int, tail: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return convolve_frames(audio, impulse_responses_from_magnitudes(magnitudes), hop, tail)

    results = []
    for function in (plain, filter_frames):
        with tf.GradientTape() as tape:
            tape.watch([audio, magnitudes, tail])
            filtered, left = function(audio, magnitudes, hop, tail)
            value = tf.reduce_sum(tf.sin(filtered)) + tf.reduce_sum(left**2)
        results.append([filtered, left, *tape.gradient(value, [audio, magnitudes, tail])])
    for expected, received in zip(*results, strict=True):
        bound = 2e-6 * max(1.0, float(tf.reduce_max(tf.abs(expected))))  # float32 transforms
        np.testing.assert_allclose(received, expected, atol=bound)
    silent = filter_frames(audio, magnitudes, hop)
    expected = np.stack([_oracle(*pair, hop) for pair in zip(audio.numpy(), magnitudes.numpy(), strict=True)])
    np.testing.assert_allclose(np.concatenate(silent, axis=1), expected, atol=3e-6)  # float32
