"""The classic library's algorithms, plainly: what `processors.py` measures against.

The order of operations of magenta/ddsp (2022) written anew for today's TensorFlow: every control is brought
to audio rate, phases are running sums for each partial, filters are FFTs of padded frames, and gradients are
whatever TensorFlow derives.
"""

import math

import keras
import tensorflow as tf


def upsample_window(frames: tf.Tensor, hop: int) -> tf.Tensor:
    """`[batch, frames, channels]` to audio rate by overlapping Hann windows."""
    frames = tf.concat([frames, frames[:, -1:]], axis=1)
    window = tf.signal.hann_window(2 * hop)
    pieces = tf.transpose(frames, [0, 2, 1])[..., tf.newaxis] * window
    return tf.transpose(tf.signal.overlap_and_add(pieces, hop), [0, 2, 1])[:, hop:-hop]


def upsample_linear(frames: tf.Tensor, hop: int) -> tf.Tensor:
    """`[batch, frames, channels]` to audio rate by linear interpolation."""
    size = [frames.shape[1] * hop, 1]
    method = tf.compat.v1.image.ResizeMethod.BILINEAR
    return tf.compat.v1.image.resize(frames[:, :, tf.newaxis], size, method=method)[:, :, 0]


def exp_sigmoid(x: tf.Tensor) -> tf.Tensor:
    """Scale raw outputs, with the power function."""
    return 2.0 * tf.sigmoid(x) ** math.log(10.0) + 1e-7


def harmonic(
    f0_hz: tf.Tensor, amplitude: tf.Tensor, distribution: tf.Tensor, hop: int, sample_rate: int
) -> tf.Tensor:
    """Oscillator bank: frequencies and amplitudes of all partials at audio rate, one running sum each."""
    numbers = tf.range(1, distribution.shape[-1] + 1, dtype=tf.float32)
    frequencies = upsample_linear(f0_hz * numbers, hop)
    amplitudes = upsample_window(amplitude * distribution, hop)
    amplitudes = tf.where(frequencies >= sample_rate / 2.0, tf.zeros_like(amplitudes), amplitudes)
    phases = tf.cumsum(frequencies * (2.0 * math.pi / sample_rate), axis=1)
    return tf.reduce_sum(amplitudes * tf.sin(phases), axis=-1)


def sinusoidal(frequencies_hz: tf.Tensor, amplitudes: tf.Tensor, hop: int, sample_rate: int) -> tf.Tensor:
    """Oscillator bank of free sinusoids."""
    phases = tf.cumsum(upsample_linear(frequencies_hz, hop) * (2.0 * math.pi / sample_rate), axis=1)
    return tf.reduce_sum(upsample_window(amplitudes, hop) * tf.sin(phases), axis=-1)


def wavetable(
    f0_hz: tf.Tensor, amplitude: tf.Tensor, tables: tf.Tensor, hop: int, sample_rate: int
) -> tf.Tensor:
    """One table `[points]`, read at every sample by its linear hat over all points."""
    points = tables.shape[-1]
    phases = tf.cumsum(upsample_linear(f0_hz, hop) / sample_rate, axis=1) % 1.0
    places = tf.range(points + 1, dtype=tf.float32)
    hats = tf.nn.relu(1.0 - tf.abs(phases * points - places))
    samples = tf.linalg.matvec(hats, tf.concat([tables, tables[:1]], axis=0))
    return upsample_window(amplitude, hop)[..., 0] * samples


def fir_filter(audio: tf.Tensor, magnitudes: tf.Tensor, hop: int) -> tf.Tensor:
    """Audio through windowed impulse responses, frame by frame."""
    taps = 2 * (magnitudes.shape[-1] - 1)
    zero_phase = tf.signal.irfft(tf.complex(magnitudes, tf.zeros_like(magnitudes)))
    windowed = tf.signal.fftshift(zero_phase, axes=-1) * tf.signal.hann_window(taps)
    return convolve_frames(tf.signal.frame(audio, hop, hop), windowed, hop, taps // 2)


def next_power_of_two(n: int) -> int:
    """The smallest power of two not below `n`."""
    return 1 << (n - 1).bit_length()


def filtered_noise(magnitudes: tf.Tensor, hop: int) -> tf.Tensor:
    """White noise through windowed impulse responses, frame by frame."""
    batch, frames, _ = magnitudes.shape
    return fir_filter(tf.random.uniform([batch, frames * hop], -1.0, 1.0), magnitudes, hop)


def convolve_frames(audio: tf.Tensor, responses: tf.Tensor, hop: int, delay: int) -> tf.Tensor:
    """Multiply spectra of frames, overlap and add, and cut off the filters' delay."""
    size = next_power_of_two(audio.shape[-1] + responses.shape[-1] - 1)
    product = tf.signal.rfft(audio, [size]) * tf.signal.rfft(responses, [size])
    joined = tf.signal.overlap_and_add(tf.signal.irfft(product), hop)
    return joined[:, delay : delay + audio.shape[1] * hop]


def reverb(audio: tf.Tensor, response: tf.Tensor) -> tf.Tensor:
    """One impulse response, copied for every sound of the batch; the dry sound is added."""
    masked = tf.concat([tf.zeros([1]), response[1:]], axis=0)
    responses = tf.tile(masked[tf.newaxis], [audio.shape[0], 1])
    wet = convolve_frames(audio[:, tf.newaxis], responses[:, tf.newaxis], audio.shape[1], 0)
    return wet[:, : audio.shape[1]] + audio


def spectral_loss(target: tf.Tensor, audio: tf.Tensor, sizes: tuple[int, ...]) -> tf.Tensor:
    """Six spectrograms of each, compared as magnitudes and as logarithms."""
    loss = 0.0
    for size in sizes:
        spectra = [tf.abs(tf.signal.stft(x, size, size // 4, size, pad_end=True)) for x in (target, audio)]
        loss += tf.reduce_mean(tf.abs(spectra[0] - spectra[1]))
        logs = [tf.math.log(tf.maximum(s, 1e-5)) for s in spectra]
        loss += tf.reduce_mean(tf.abs(logs[0] - logs[1]))
    return loss


class Decoder(keras.layers.Layer):
    """GRU 512 between stacks of three dense layers of 512."""

    def __init__(self, harmonics: int, bands: int) -> None:
        super().__init__()
        self.stacks = [self._stack() for _ in range(2)]
        self.gru = keras.layers.GRU(512, return_sequences=True)
        self.out = self._stack()
        self.head = keras.layers.Dense(1 + harmonics + bands)
        self.sizes = [1, harmonics, bands]

    def _stack(self) -> keras.Sequential:
        layers: list[keras.layers.Layer] = []
        for _ in range(3):
            layers += [keras.layers.Dense(512), keras.layers.LayerNormalization(), keras.layers.LeakyReLU()]
        return keras.Sequential(layers)

    def call(self, f0_scaled: tf.Tensor, loudness_scaled: tf.Tensor) -> list[tf.Tensor]:
        """Raw amplitude, distribution and magnitudes."""
        hidden = tf.concat(
            [stack(x) for stack, x in zip(self.stacks, (f0_scaled, loudness_scaled), strict=True)], axis=-1
        )
        return tf.split(self.head(self.out(tf.concat([self.gru(hidden), hidden], -1))), self.sizes, axis=-1)
