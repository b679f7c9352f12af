"""A filter that changes every frame, given by its magnitudes, with gradients of its own: under XLA on a CPU
a third to two fifths of the cost of designing impulse responses and convolving with them.

A filter of zero phase has a real spectrum, and a matrix that is known beforehand leads to it from the
magnitudes. So a hop costs one transform there, one product and one transform back; the delay that makes
the filter causal is the place of the hop in its transform.
"""

import numpy as np
import tensorflow as tf

from ddsp_tf.arguments import check_integer
from ddsp_tf.errors import DdspError
from ddsp_tf.ops.arguments import Arguments, Hops
from ddsp_tf.ops.compiled import compiled, first_order
from ddsp_tf.ops.convolution import fft_size
from ddsp_tf.ops.frames import cut_windows, overlap_add

MAX_BANDS = 1025
"""Bands of a filter at most; the matrix grows with their square."""


def filter_frames(
    audio: tf.Tensor, magnitudes: tf.Tensor, hop: int, tail: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Filter every hop of audio with linear phase by the magnitudes of its frame; tails overlap and add.

    The same as `convolve_frames` with `impulse_responses_from_magnitudes`: the window method under a
    periodic Hann window, delayed by `bands - 1` samples. Gradients reach the audio and the magnitudes.

    Args:
        audio: float32 `[batch, frames * hop]`.
        magnitudes: float32 `[batch, frames, bands]`, gains at `bands` frequencies equally spaced from 0 to
            Nyquist.
        hop: Integer, samples a frame.
        tail: `[batch, 2 * bands - 3]`, what the block before left over; None is silence.

    Returns:
        Audio `[batch, frames * hop]`, and the tail for the next block.

    Raises:
        DdspError: If there are fewer than two bands or more than `MAX_BANDS`, or another shape is not as
            above.
    """
    hop = check_integer("filter_frames", "hop", hop, 1)
    take = Arguments("filter_frames", tf.float32)
    audio = take("audio", audio, "batch", Hops(hop))
    magnitudes = take("magnitudes", magnitudes, "batch", "frames", "bands")
    bands = take.known("magnitudes", "bands")
    if not 2 <= bands <= MAX_BANDS:
        raise DdspError(
            f"a filter needs 2 to {MAX_BANDS} bands. Received: magnitudes of shape {tuple(magnitudes.shape)}"
        )
    if tail is not None:
        tail = take("tail", tail, "batch", 2 * bands - 3)
    joined = _filter_and_join(audio, magnitudes, hop)
    n_samples = tf.shape(magnitudes)[1] * hop
    if tail is not None:
        joined += tf.pad(tail, [[0, 0], [0, n_samples]])
    return tf.ensure_shape(joined[:, :n_samples], audio.shape), joined[:, n_samples:]


def _filter_and_join(audio: tf.Tensor, magnitudes: tf.Tensor, hop: int) -> tf.Tensor:
    sizes = {"hop": hop, "bands": magnitudes.shape[-1]}

    @tf.custom_gradient
    def run(audio: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
        joined, spectra = _forward(audio, magnitudes, **sizes)

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            by_audio = _by_audio(upstream, tf.stop_gradient(magnitudes), **sizes)
            by_magnitudes = _by_magnitudes(upstream, spectra, **sizes)
            return [by_audio, by_magnitudes]

        return joined, first_order(gradient, audio, magnitudes)

    return run(audio, magnitudes)


@compiled
def _forward(audio: tf.Tensor, magnitudes: tf.Tensor, hop: int, bands: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Audio with the tail of the last frame, and the spectra of the hops for the gradient."""
    size, width, delay = _sizes(hop, bands)
    shape = tf.shape(magnitudes)
    hops = tf.reshape(audio, [shape[0], shape[1], hop])
    spectra = tf.signal.rfft(tf.pad(hops, [[0, 0], [0, 0], [delay, size - delay - hop]]), [size])
    filtered = _times(spectra, _gains(magnitudes, bands, size))
    joined = overlap_add(tf.signal.irfft(filtered, [size])[..., :width], hop)
    return joined[:, : tf.shape(audio)[1] + 2 * bands - 3], spectra


@compiled
def _by_audio(upstream: tf.Tensor, magnitudes: tf.Tensor, hop: int, bands: int) -> tf.Tensor:
    size, _, delay = _sizes(hop, bands)
    spectra = _spectra_of_windows(upstream, hop, bands)
    filtered = _times(spectra, _gains(magnitudes, bands, size))  # symmetric: its own adjoint
    hops = tf.signal.irfft(filtered, [size])[..., delay : delay + hop]
    return tf.reshape(hops, [tf.shape(upstream)[0], -1])


@compiled
def _by_magnitudes(upstream: tf.Tensor, spectra: tf.Tensor, hop: int, bands: int) -> tf.Tensor:
    size, _, _ = _sizes(hop, bands)
    wanted = _spectra_of_windows(upstream, hop, bands)
    real = tf.math.real(wanted) * tf.math.real(spectra) + tf.math.imag(wanted) * tf.math.imag(spectra)
    counts = np.full(size // 2 + 1, 2.0)  # a bin stands for itself and its mirror image
    counts[0] = 1.0
    if size % 2 == 0:
        counts[-1] = 1.0
    matrix = (response_matrix(bands, size) * counts / size).astype(np.float32)
    return _product(real, matrix.T)


def _spectra_of_windows(joined: tf.Tensor, hop: int, bands: int) -> tf.Tensor:
    """Spectra of what each filtered hop reaches in the sum of all."""
    size, width, _ = _sizes(hop, bands)
    padded = tf.pad(joined, [[0, 0], [0, width - (hop + 2 * bands - 3)]])
    return tf.signal.rfft(cut_windows(padded, width, hop), [size])


def _sizes(hop: int, bands: int) -> tuple[int, int, int]:
    """Size of the transforms, width of a filtered hop, delay of the filter; samples.

    What the filter does not reach is zero, so the width is whole hops where the transform has room for them.
    """
    length = hop + 2 * (bands - 1) - 1
    size = fft_size(length)
    return size, min(size, -(-length // hop) * hop), bands - 1


def response_matrix(bands: int, size: int) -> np.ndarray:
    """From magnitudes to the spectrum, on a finer grid, of the windowed zero-phase filter, which is real.

    Args:
        bands: Integer, frequencies from 0 to Nyquist at which magnitudes are given.
        size: Integer, length of the transform in samples.

    Returns:
        float32 `[bands, size // 2 + 1]`.
    """
    taps = 2 * (bands - 1)
    window = 0.5 + 0.5 * np.cos(2.0 * np.pi * np.arange(taps) / taps)
    responses = np.fft.irfft(np.eye(bands), taps) * window
    padded = np.zeros([bands, size])
    padded[:, : taps // 2] = responses[:, : taps // 2]
    padded[:, size - taps // 2 :] = responses[:, taps // 2 :]
    return np.fft.rfft(padded).real.astype(np.float32)


def _gains(magnitudes: tf.Tensor, bands: int, size: int) -> tf.Tensor:
    return _product(magnitudes, response_matrix(bands, size))


def _product(frames: tf.Tensor, matrix: np.ndarray) -> tf.Tensor:
    """One product for all frames of a batch; `tf.matmul` would make one an example."""
    shape = tf.shape(frames)
    flat = tf.matmul(tf.reshape(frames, [-1, matrix.shape[0]]), np.ascontiguousarray(matrix))
    return tf.reshape(flat, [shape[0], shape[1], matrix.shape[1]])


def _times(spectra: tf.Tensor, gains: tf.Tensor) -> tf.Tensor:
    return tf.complex(tf.math.real(spectra) * gains, tf.math.imag(spectra) * gains)
