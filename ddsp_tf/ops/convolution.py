"""Convolution by FFT: constant and frame by frame, with what is left over carried on."""

from typing import Any

import tensorflow as tf

from ddsp_tf.arguments import check_integer
from ddsp_tf.errors import DdspError
from ddsp_tf.ops.arguments import Arguments, Hops
from ddsp_tf.ops.compiled import first_order


def fft_size(at_least: int) -> int:
    """Smallest number not below `at_least` whose only factors are 2, 3, 5 and 7.

    Raises:
        DdspError: If `at_least` is no positive integer.
    """
    at_least = check_integer("fft_size", "at_least", at_least, 1)
    sizes = {1}
    for factor in (3, 5, 7, 2):
        for size in list(sizes):
            while size < at_least:
                size *= factor
                sizes.add(size)
    return min(size for size in sizes if size >= at_least)


def convolve_causal(
    audio: tf.Tensor, impulse_response: tf.Tensor, history: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Convolve with an impulse response, sample for sample in step with the input.

    Args:
        audio: `[batch, samples]`.
        impulse_response: `[taps]`, or `[batch, taps]` for one of its own for each example; tap 0 is the
            direct path.
        history: `[batch, taps - 1]`, the samples before the first one; None is silence.

    Returns:
        Audio `[batch, samples]`, and the history for the next block.

    Raises:
        DdspError: If a shape is not as above.
    """
    take = Arguments("convolve_causal")
    audio = take("audio", audio, "batch", "samples")
    impulse_response = take("impulse_response", impulse_response)
    each = impulse_response.shape.rank == 2
    if not each and impulse_response.shape.rank != 1:
        raise DdspError(
            "convolve_causal: impulse_response must be [taps] or [batch, taps]. "
            f"Received: shape {impulse_response.shape}"
        )
    take.check_shape("impulse_response", impulse_response.shape, ["batch", "taps"] if each else ["taps"])
    taps = take.known("impulse_response", "taps")
    if history is not None:
        history = take("history", history, "batch", taps - 1)
    length = None if audio.shape[1] is None else taps - 1 + audio.shape[1]  # with the history
    if length is None:
        length = taps - 1 + tf.shape(audio)[1]
        longest = tf.maximum(length, taps)  # empty audio has one sample less than there are taps
        bits = tf.math.ceil(
            tf.math.log(tf.cast(longest, tf.float64)) / tf.math.log(tf.constant(2.0, tf.float64))
        )
        size = tf.bitwise.left_shift(1, tf.cast(bits, tf.int32))
    else:
        size = fft_size(max(length, taps))
    # Wrap-around falls on the first taps - 1 samples, which are cut off. The transform pads no empty batch.
    if history is None:
        padded = tf.pad(audio, [[0, 0], [taps - 1, size - length]])
    else:
        padded = tf.pad(tf.concat([history, audio], axis=1), [[0, 0], [0, size - length]])
    response = tf.pad(impulse_response, [[0, 0]] * (impulse_response.shape.rank - 1) + [[0, size - taps]])
    filtered = _circular(padded, response, size)[:, taps - 1 : length]
    filtered = tf.ensure_shape(filtered, audio.shape)
    return filtered, padded[:, length - (taps - 1) : length]


def _circular(audio: tf.Tensor, response: tf.Tensor, size: tf.Tensor | int) -> tf.Tensor:
    """Circular convolution of `[batch, size]` with `[size]` or `[batch, size]`.

    Its gradients take the spectra that there are already, and two transforms back; those that TensorFlow
    derives take half as long again.
    """

    @tf.custom_gradient
    def run(audio: tf.Tensor, response: tf.Tensor) -> tuple[tf.Tensor, Any]:
        audio_spectrum, response_spectrum = (tf.signal.rfft(x, [size]) for x in (audio, response))

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            spectrum = tf.signal.rfft(upstream, [size])
            by_response = spectrum * tf.math.conj(audio_spectrum)
            if response.shape.rank == 1:
                by_response = tf.reduce_sum(by_response, axis=0)
            by_audio = spectrum * tf.math.conj(response_spectrum)
            return [tf.signal.irfft(x, [size]) for x in (by_audio, by_response)]

        filtered = tf.signal.irfft(audio_spectrum * response_spectrum, [size])
        return filtered, first_order(gradient, audio, response)

    return run(audio, response)


def convolve_frames(
    audio: tf.Tensor, impulse_responses: tf.Tensor, hop: int, tail: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Convolve every hop of audio with an impulse response of its own; tails overlap and add.

    Args:
        audio: `[batch, frames * hop]`.
        impulse_responses: `[batch, frames, taps]`, causal.
        hop: Integer, samples a frame.
        tail: `[batch, taps - 1]`, what the block before left over; None is silence.

    Returns:
        Audio `[batch, frames * hop]`, and the tail for the next block.

    Raises:
        DdspError: If a shape is not as above, or the hop no positive integer.
    """
    hop = check_integer("convolve_frames", "hop", hop, 1)
    take = Arguments("convolve_frames")
    audio = take("audio", audio, "batch", Hops(hop))
    impulse_responses = take("impulse_responses", impulse_responses, "batch", "frames", "taps")
    taps = take.known("impulse_responses", "taps")
    if tail is not None:
        tail = take("tail", tail, "batch", taps - 1)
    size = fft_size(hop + taps - 1)
    shape = tf.shape(impulse_responses)
    hops = tf.reshape(audio, [shape[0], shape[1], hop])
    spectra = tf.signal.rfft(hops, [size]) * tf.signal.rfft(impulse_responses, [size])
    filtered = tf.signal.irfft(spectra, [size])[..., : hop + taps - 1]
    joined = tf.signal.overlap_and_add(filtered, hop)  # [batch, frames * hop + taps - 1]
    n_samples = shape[1] * hop
    if tail is not None:
        joined += tf.pad(tail, [[0, 0], [0, n_samples]])
    return tf.ensure_shape(joined[:, :n_samples], audio.shape), joined[:, n_samples:]
