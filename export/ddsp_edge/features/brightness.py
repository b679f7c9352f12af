"""Brightness: how many octaves the centre of a sound's spectrum lies above its pitch.

One definition serves the device and the library:

    brightness = log2( (sum_k p_k f_k / f0 + 1e-8) / (sum_k p_k + 1e-8) )

with `p_k` the A-weighted mean square of bin `k`, of frequency `f_k` in Hz, in the window in which loudness is
measured (`ddsp_edge.features.loudness`): the spectral centroid, in octaves from f0. In silence it goes to 0.
"""

from math import log2

import numpy as np
import numpy.typing as npt

from ddsp_edge.features.loudness import POWER_FLOOR, spectrum_weights, window_size
from ddsp_edge.features.windows import WindowMeter
from ddsp_edge.fourier import hann
from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import Array

_WINDOWS_AT_ONCE = 256  # bounds memory, and stays in the cache
_BLOCK = 65_536  # samples of a long signal that are looked at together


class BrightnessMeter(WindowMeter):
    """Measure the brightness of frames, of a stream or of single windows.

    `push` and `flush` give moments, float64 `[frames, 2]`: the mean square, A-weighted, and the same times
    frequency in Hz. They are what `brightness_of` takes.

    Args:
        spec: The frame grid.
        size: Integer > 0, window length in samples; None for that of the definition, 32 ms.
    """

    def __init__(self, spec: FrameSpec, size: int | None = None) -> None:
        size = size or window_size(spec.sample_rate)
        super().__init__(spec, size)
        weights = spectrum_weights(spec.sample_rate, size)
        frequencies = np.fft.rfftfreq(size, 1.0 / spec.sample_rate)
        self._moments = np.stack([weights, weights * frequencies], axis=1)
        self._hann = hann(size).astype(np.float32)

    def follow(self, window: Array, f0_hz: float) -> float:
        """Brightness of one window in octaves, for whoever cuts windows already.

        Args:
            window: `[window_samples]`, full scale 1.
            f0_hz: Its pitch, or the one that is held, above 0 Hz.
        """
        power, moment = (np.square(np.abs(np.fft.rfft(window * self._hann))) @ self._moments).tolist()
        return log2((moment / f0_hz + POWER_FLOOR) / (power + POWER_FLOOR))

    def _measure(self, windows: Array) -> Array:
        parts = [np.zeros((0, 2))]
        for start in range(0, len(windows), _WINDOWS_AT_ONCE):
            spectra = np.fft.rfft(windows[start : start + _WINDOWS_AT_ONCE] * self._hann)
            parts.append(np.square(np.abs(spectra)) @ self._moments)
        return np.concatenate(parts)


def spectral_moments(audio: npt.ArrayLike, spec: FrameSpec) -> Array:
    """The moments of a whole signal, frame by frame; see `BrightnessMeter`.

    Args:
        audio: Samples `[n]`, full scale 1.
        spec: The frame grid.

    Returns:
        float64 `[n // hop, 2]`; frame `i` is centred on sample `(i + 1) * hop`.
    """
    meter, samples = BrightnessMeter(spec), np.asarray(audio, np.float32)
    parts = [meter.push(samples[start : start + _BLOCK]) for start in range(0, len(samples), _BLOCK)]
    return np.concatenate([*parts, meter.flush()])


def brightness_of(moments: Array, f0_hz: Array) -> Array:
    """Brightness in octaves, float32 `[frames]`.

    Args:
        moments: `[frames, 2]`.
        f0_hz: `[frames]`, above 0 Hz, held where there is no pitch.
    """
    power, moment = np.asarray(moments, np.float64).T
    octaves = np.log2((moment / np.asarray(f0_hz, np.float64) + POWER_FLOOR) / (power + POWER_FLOOR))
    return np.asarray(octaves, np.float32)
