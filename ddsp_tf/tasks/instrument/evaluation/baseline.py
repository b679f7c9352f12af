"""What a model has to beat: the instrument's mean spectrum at the right pitch and loudness."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.fourier import hann
from ddsp_edge.units import Array
from ddsp_tf.data.reading import Passage
from ddsp_tf.frames import FrameSpec
from ddsp_tf.ops.oscillators import harmonic_oscillator, nyquist_fade

WINDOW_SECONDS = 0.064
"""Window in which harmonics are measured: long enough to part those of a 55 Hz tone."""

N_HARMONICS = 100


def mean_distribution(passages: Iterable[Passage], spec: FrameSpec) -> Array:
    """Measure the mean harmonic distribution of an instrument.

    In every voiced frame the amplitude of each harmonic is read off a Hann-windowed Fourier transform
    at its exact frequency; amplitudes are added over all frames and normalised.

    Args:
        passages: Training passages.
        spec: The frame grid.

    Returns:
        `[N_HARMONICS]`, sums to 1.

    Raises:
        ValueError: If no frame is voiced.
    """
    size = 2 * (round(WINDOW_SECONDS * spec.sample_rate) // 2)
    window = hann(size)
    n = np.arange(size) - size // 2
    numbers = np.arange(1, N_HARMONICS + 1)
    total = np.zeros(N_HARMONICS)
    for passage in passages:
        padded = np.pad(passage.audio.astype(np.float64), size)
        step = spec.frames_for(0.2)  # five frames a second of a long recording are plenty
        for i in np.flatnonzero(passage.voiced)[::step]:
            centre = spec.frame_sample(int(i)) + size
            part = padded[centre - size // 2 : centre + size // 2] * window
            below = numbers[numbers * passage.f0_hz[i] < 0.49 * spec.sample_rate]
            turns = np.exp(-2j * np.pi * passage.f0_hz[i] / spec.sample_rate * n)
            total[: len(below)] += _harmonic_magnitudes(part, turns, len(below))
    if not total.sum() > 0.0:
        raise ValueError("no voiced frame to measure a spectrum in")
    return total / total.sum()


def _harmonic_magnitudes(part: Array, turns: Array, count: int) -> Array:
    """Magnitudes of the Fourier transform at the first multiples of one frequency, `[count]`."""
    powers = np.cumprod(np.broadcast_to(turns, (count, len(turns))), axis=0)
    return np.abs(powers @ part)


def play_mean_spectrum(distribution: Array, f0_hz: Array, target_db: Array, spec: FrameSpec) -> Array:
    """Play one spectrum at a given pitch, with the loudness of each frame made right.

    Args:
        distribution: `[harmonics]`.
        f0_hz: `[frames]`, no zeros.
        target_db: `[frames]`, loudness to reach, dB.
        spec: The frame grid.

    Returns:
        Audio `[frames * hop]`.
    """
    fundamental = tf.constant(f0_hz[None, :, None], tf.float32)
    fade = nyquist_fade(fundamental, len(distribution), spec.sample_rate)
    shape = fade * tf.constant(distribution, tf.float32)

    def play(amplitude: Array) -> Array:
        audio, _ = harmonic_oscillator(fundamental, shape * amplitude[None, :, None].astype("float32"), spec)
        return np.asarray(audio)[0]

    amplitude = np.full(len(f0_hz), 0.1)
    for _ in range(3):  # neighbouring frames share windows, so once is not exact
        amplitude = amplitude * 10.0 ** ((target_db - loudness_db(play(amplitude), spec)) / 20.0)
        amplitude = np.clip(amplitude, 1e-6, 4.0)
    return play(amplitude)
