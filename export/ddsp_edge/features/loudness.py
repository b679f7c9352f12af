"""Loudness: the A-weighted mean square of the sound around each frame, in dB.

One definition serves the device (numpy, here) and the library (TensorFlow,
`ddsp_tf.features.loudness`):

    loudness_db = 10 log10( sum_n (w[n] x_A[n])^2 / sum_n w[n]^2 + 1e-8 )

with `w` a periodic Hann window of about 32 ms centred on the frame and `x_A` the A-weighted signal
(IEC 61672-1), both applied in the frequency domain. Full scale is 1, so a full-scale sine at 1 kHz has
-3.01 dB and digital silence has -80 dB.
"""

from math import log10

import numpy as np
import numpy.typing as npt

from ddsp_edge.features.windows import CenteredWindows, WindowMeter
from ddsp_edge.fourier import hann
from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array

POWER_FLOOR = 10.0 ** (LOUDNESS_FLOOR_DB / 10.0)
DEFINITION = "A-weighted mean square, Hann 32 ms, dB re full scale, floor -80"
"""How a dataset or a model names this definition."""

_WINDOWS_AT_ONCE = 256  # bounds memory, and stays in the cache: five times faster than thousands
_DIRECT_SIZE = 512  # samples of a single window up to which sums of products are faster than a transform
_BLOCK = 65_536  # samples of a long signal that are looked at together


def window_size(sample_rate: int) -> int:
    """Window length in samples: the multiple of 64 nearest to 32 ms."""
    return max(64, 64 * round(0.032 * sample_rate / 64))


def a_weighting_power(frequencies_hz: npt.ArrayLike) -> Array:
    """Return the A-weighting as a gain on power (1 at 1 kHz), after IEC 61672-1:2013, annex E."""
    f2 = np.square(np.asarray(frequencies_hz, np.float64))
    pole_1, pole_2, pole_3, pole_4 = (x**2 for x in (20.598997, 107.65265, 737.86223, 12194.217))
    gain = pole_4 * f2**2
    gain /= (f2 + pole_1) * (f2 + pole_4) * np.sqrt((f2 + pole_2) * (f2 + pole_3))
    return np.asarray(gain**2 * 10.0**0.2)  # the standard adds 2.00 dB so that 1 kHz has 0 dB


def spectrum_weights(sample_rate: int, size: int | None = None) -> Array:
    """Weights `[bins]` that turn the squared magnitudes of a windowed `rfft` into a mean square.

    Args:
        sample_rate: Integer, Hz.
        size: Integer, window length in samples; None for that of the definition.
    """
    size = size or window_size(sample_rate)
    window = hann(size)
    weights = a_weighting_power(np.fft.rfftfreq(size, 1.0 / sample_rate))
    return np.asarray(weights * _two_sided(size) / (size * np.sum(window**2)))


class LoudnessMeter(WindowMeter):
    """Measure the loudness of a stream, frame by frame: float32 `[frames]`, dB.

    Args:
        spec: The frame grid.
        size: Integer > 0, window length in samples; None for that of the definition, 32 ms. A shorter one
            answers sooner, and lets the periods of low notes be heard as tremolo.
    """

    def __init__(self, spec: FrameSpec, size: int | None = None) -> None:
        size = size or window_size(spec.sample_rate)
        super().__init__(spec, size)
        self._hann = hann(size).astype(np.float32)
        weights = self._weights = spectrum_weights(spec.sample_rate, size)
        self._windowed = np.empty(size, np.float32)
        self._kernel = _weighting_kernel(weights, size) if size <= _DIRECT_SIZE else None

    def follow(self, window: Array) -> float:
        """Measure one window `[window_samples]` in dB, for whoever cuts windows already."""
        windowed = np.multiply(window, self._hann, self._windowed)
        if self._kernel is None:
            power = float(np.square(np.abs(np.fft.rfft(windowed))) @ self._weights)
        else:
            weighted = np.correlate(self._kernel, windowed)
            power = float(weighted.dot(weighted))
        return 10.0 * log10(power + POWER_FLOOR)

    def _measure(self, windows: Array) -> Array:
        # One by one as live sound comes: quantized networks make a difference out of the last bit.
        return np.array([self.follow(window) for window in windows], np.float32)


def _two_sided(size: int) -> Array:
    """How many bins of a whole transform each bin of a `rfft` of an even size stands for, `[bins]`."""
    bins = np.full(size // 2 + 1, 2.0)
    bins[0] = bins[-1] = 1.0
    return bins


def _weighting_kernel(weights: Array, size: int) -> Array:
    """Samples `[2 size - 1]` whose sums of products with a window have the weighted mean square in all."""
    impulse = np.fft.irfft(np.sqrt(weights / _two_sided(size) * size), size)
    return np.concatenate([impulse, impulse[:-1]]).astype(np.float32)


def loudness_db(audio: npt.ArrayLike, spec: FrameSpec) -> Array:
    """Measure a whole signal, as `LoudnessMeter` does to the rounding of float32, and faster.

    Args:
        audio: Samples `[n]`, full scale 1.
        spec: The frame grid.

    Returns:
        float32 `[n // hop]`, dB; frame `i` is centred on sample `(i + 1) * hop`.
    """
    size = window_size(spec.sample_rate)
    windows, weights = CenteredWindows(spec, size), spectrum_weights(spec.sample_rate)
    shape = hann(size).astype(np.float32)
    samples, power = np.asarray(audio, np.float32), list[Array]()

    def measure(part: Array) -> None:
        for start in range(0, len(part), _WINDOWS_AT_ONCE):
            spectra = np.fft.rfft(part[start : start + _WINDOWS_AT_ONCE] * shape)
            power.append(np.square(np.abs(spectra)) @ weights)

    for start in range(0, len(samples), _BLOCK):
        measure(windows.push(samples[start : start + _BLOCK]))
    measure(windows.flush())
    return np.asarray(10.0 * np.log10(np.concatenate([np.zeros(0), *power]) + POWER_FLOOR), np.float32)
