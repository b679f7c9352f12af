"""Log powers in mel bands: what a network that knows phones hears of a voice.

One definition serves the device (numpy, here) and the library (TensorFlow, `ddsp_tf.speech.log_mel`):

    log_mel[b] = ln( sum_k W[k, b] |X[k]|^2 / sum_n w[n]^2 + 1e-8 )

with `X` the spectrum of the 25 ms around the frame under a periodic Hann window `w`, and `W` triangles that
are evenly spaced in mels (`2595 log10(1 + f / 700)`), each of sum 1. White noise of mean square `p` so has
`ln p` in every band.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ddsp_edge.features.windows import WindowMeter
from ddsp_edge.fourier import fft_size, hann
from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import Array

N_MELS = 40
LOWEST_HZ, HIGHEST_HZ = 80.0, 7600.0
WINDOW_SECONDS = 0.025
POWER_FLOOR = 1e-8
"""Added to powers: -80 dB, what is softer is silence."""
NAME = "LogMel"
"""How a card names this definition."""

_WINDOWS_AT_ONCE = 256  # bounds memory


def window_samples(sample_rate: int) -> int:
    """Length of the window, samples, even."""
    return 2 * round(WINDOW_SECONDS * sample_rate / 2.0)


@lru_cache(maxsize=16)
def mel_weights(sample_rate: int, warp: float = 1.0) -> Array:
    """Weights of the bins in each band.

    Args:
        sample_rate: Integer, Hz; at least 16,000.
        warp: Factor on the frequencies of the bands: with 1.1 a voice is heard as if its tract were a tenth
            longer.

    Returns:
        float32 `[bins, N_MELS]`, read-only; the weights of a band add up to 1.
    """
    size = fft_size(window_samples(sample_rate))
    low_mel, high_mel = (2595.0 * np.log10(1.0 + hz / 700.0) for hz in (LOWEST_HZ, HIGHEST_HZ))
    mels = np.linspace(low_mel, high_mel, N_MELS + 2)
    edges_hz = np.minimum(700.0 * (10.0 ** (mels / 2595.0) - 1.0) * warp, sample_rate / 2.0)
    hz = np.fft.rfftfreq(size, 1.0 / sample_rate)[:, np.newaxis]
    low, middle, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    # Bands that a warp has pushed beyond Nyquist hear the last bin.
    rising, falling = (hz - low) / np.maximum(middle - low, 1.0), (high - hz) / np.maximum(high - middle, 1.0)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    triangles[-1] += triangles.sum(axis=0) == 0.0
    weights = np.asarray(triangles / triangles.sum(axis=0), np.float32)
    weights.flags.writeable = False  # it is kept
    return weights


class LogMel(WindowMeter):
    """Measure log powers in mel bands of a stream, frame by frame: float32 `[frames, N_MELS]`.

    Args:
        spec: The frame grid.
        warp: As for `mel_weights`.
    """

    def __init__(self, spec: FrameSpec, warp: float = 1.0) -> None:
        self.spec = spec
        size = window_samples(spec.sample_rate)
        super().__init__(spec, size)
        self._size = fft_size(size)
        window = hann(size)
        self._window = np.asarray(window / np.sqrt(np.sum(window**2)), np.float32)
        self._weights = mel_weights(spec.sample_rate, warp)

    def _measure(self, windows: Array) -> Array:
        found = np.empty((len(windows), N_MELS), np.float32)
        for start in range(0, len(windows), _WINDOWS_AT_ONCE):
            part = slice(start, start + _WINDOWS_AT_ONCE)
            spectra = np.fft.rfft(windows[part] * self._window, self._size)
            power = np.asarray(spectra.real**2 + spectra.imag**2, np.float32)
            # One by one as live sound comes: quantized networks make a difference out of the last bit.
            for row, one in zip(found[part], power, strict=True):
                np.matmul(one, self._weights, out=row)
        found += np.float32(POWER_FLOOR)
        np.log(found, out=found)
        return found


def log_mel(audio: npt.ArrayLike, spec: FrameSpec, warp: float = 1.0) -> Array:
    """Log powers in mel bands of a whole sound `[samples]`, float32 `[samples // hop, N_MELS]`."""
    meter = LogMel(spec, warp)
    return np.concatenate([meter.push(audio), meter.flush()])
