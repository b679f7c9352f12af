"""How well a sound repeats itself after each of many periods: what a network that knows pitch hears.

One definition serves the device and the library, in numpy. Of the magnitudes `m` of the spectrum of the 64 ms
around a frame, below 4 kHz, under a periodic Hann window, two generalized autocorrelations are taken at the
period of every pitch of a grid:

    r[p] = sum_k w_k cos(2 pi f_k / pitch_p) / sum_k w_k

One with `w = sqrt(m)` hears weak partials as well as strong ones. One with `w = m^2 / (1 + (f_k / 500 Hz)^4)`
hears the fundamental through the noise of consonants. Both lie in -1 to 1, and know of no level.

Reference: T. Tolonen and M. Karjalainen, "A Computationally Efficient Multipitch Analysis Model", IEEE
Transactions on Speech and Audio Processing, 2000.
"""

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.features.windows import WindowMeter
from ddsp_edge.fourier import fft_size, hann
from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import Array

NAME = "Repetition"
"""How a card names this definition."""
WINDOW_SECONDS = 0.064
HIGHEST_HZ = 4000.0
PER_OCTAVE = 48
"""Pitches of the grid, a quarter tone's half apart."""

_FUNDAMENTAL_HZ = 500.0
_FLOORS = 1e-6, 1e-8  # of magnitudes and of powers: a full-scale sine has about 256 and 65,536 here
_WINDOWS_AT_ONCE = 256  # bounds memory


def pitches_hz(f0_min_hz: float, f0_max_hz: float) -> Array:
    """The grid: from the lowest pitch on, `PER_OCTAVE` in each octave, up to the highest or just above it."""
    count = int(np.ceil(np.log2(f0_max_hz / f0_min_hz) * PER_OCTAVE - 1e-9)) + 1
    return np.asarray(f0_min_hz * 2.0 ** (np.arange(count) / PER_OCTAVE))


class Repetition(WindowMeter):
    """Measure a stream, frame by frame: float32 `[frames, 2 * pitches]`, one half after the other.

    Args:
        spec: The frame grid.
        f0_min_hz: Lowest pitch of the grid, Hz: two of its periods fit into the window at least.
        f0_max_hz: Highest pitch, Hz.

    Raises:
        DdspError: If the range cannot be looked at.
    """

    def __init__(self, spec: FrameSpec, f0_min_hz: float, f0_max_hz: float) -> None:
        if not 2.0 / WINDOW_SECONDS <= f0_min_hz < f0_max_hz <= min(HIGHEST_HZ, spec.sample_rate / 2.0) / 2.0:
            raise DdspError(
                f"pitches must lie between {2.0 / WINDOW_SECONDS:g} Hz and half of {HIGHEST_HZ:g} Hz. "
                f"Received: {f0_min_hz:g} to {f0_max_hz:g}"
            )
        size = 2 * round(WINDOW_SECONDS * spec.sample_rate / 2.0)
        super().__init__(spec, size)
        self.spec = spec
        self.pitches_hz = pitches_hz(f0_min_hz, f0_max_hz)
        self._size = fft_size(2 * size)  # twice the window: no period comes round its end
        self._window = np.asarray(hann(size), np.float32)
        hz = np.fft.rfftfreq(self._size, 1.0 / spec.sample_rate)
        hz = hz[: int(np.searchsorted(hz, HIGHEST_HZ))]
        self._cosines = np.asarray(np.cos(2.0 * np.pi * np.outer(hz, 1.0 / self.pitches_hz)), np.float32)
        self._low = np.asarray(1.0 / (1.0 + (hz / _FUNDAMENTAL_HZ) ** 4), np.float32)

    def _measure(self, windows: Array) -> Array:
        half, bins = len(self.pitches_hz), len(self._low)
        found = np.empty((len(windows), 2 * half), np.float32)
        for start in range(0, len(windows), _WINDOWS_AT_ONCE):
            part = slice(start, start + _WINDOWS_AT_ONCE)
            spectra = np.fft.rfft(windows[part] * self._window, self._size)[:, :bins]
            power = np.asarray(spectra.real**2 + spectra.imag**2, np.float32)
            weak = np.sqrt(np.sqrt(power) + np.float32(_FLOORS[0]))
            strong = power * self._low + np.float32(_FLOORS[1])
            # One by one as live sound comes: quantized networks make a difference out of the last bit.
            for row, first, second in zip(found[part], weak, strong, strict=True):
                np.matmul(first, self._cosines, out=row[:half])
                np.matmul(second, self._cosines, out=row[half:])
                row[:half] /= first.sum()
                row[half:] /= second.sum()
        return found


def repetition(audio: Array, spec: FrameSpec, f0_min_hz: float, f0_max_hz: float) -> Array:
    """Measure a whole sound `[samples]`, float32 `[samples // hop, 2 * pitches]`."""
    meter = Repetition(spec, f0_min_hz, f0_max_hz)
    return np.concatenate([meter.push(audio), meter.flush()])
