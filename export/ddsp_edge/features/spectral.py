"""What the spectrum around a frame tells beside its loudness, by the names of `ddsp_edge.further`.

One definition serves the device and the library. All of it is computed from the A-weighted powers of the bins
of the window in which loudness is measured (`ddsp_edge.features.loudness`), and from the pitch.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ddsp_edge.features.brightness import brightness_of
from ddsp_edge.features.loudness import spectrum_weights, window_size
from ddsp_edge.features.partials import partial_levels
from ddsp_edge.features.windows import WindowMeter
from ddsp_edge.fourier import hann
from ddsp_edge.frames import FrameSpec
from ddsp_edge.further import BRIGHTNESS, PARTIALS
from ddsp_edge.units import Array

_WINDOWS_AT_ONCE = 256  # bounds memory, and stays in the cache
_BLOCK = 65_536  # samples of a long signal that are looked at together


class SpectrumMeter(WindowMeter):
    """Measure the spectra of frames, of a stream or of single windows.

    `push` and `flush` give powers, float64 `[frames, bins]`: mean squares, A-weighted, which add up to the
    power of the loudness. `spectral_features` tells what they say.

    Args:
        spec: The frame grid.
        size: Even integer > 0, window length in samples; None for that of the definition, 32 ms.
    """

    def __init__(self, spec: FrameSpec, size: int | None = None) -> None:
        size = size or window_size(spec.sample_rate)
        super().__init__(spec, size)
        self._weights = spectrum_weights(spec.sample_rate, size)
        self._hann = hann(size).astype(np.float32)

    def follow(self, window: Array) -> Array:
        """Powers of one window `[window_samples]`, `[bins]`, for whoever cuts windows already."""
        return np.asarray(np.square(np.abs(np.fft.rfft(window * self._hann))) * self._weights)

    def _measure(self, windows: Array) -> Array:
        parts = [np.zeros((0, len(self._weights)))]
        for start in range(0, len(windows), _WINDOWS_AT_ONCE):
            parts.append(self.follow(windows[start : start + _WINDOWS_AT_ONCE]))
        return np.concatenate(parts)


def weighted_spectra(audio: npt.ArrayLike, spec: FrameSpec) -> Array:
    """The powers of a whole signal, frame by frame; see `SpectrumMeter`.

    Args:
        audio: Samples `[n]`, full scale 1.
        spec: The frame grid.

    Returns:
        float64 `[n // hop, bins]`; frame `i` is centred on sample `(i + 1) * hop`.
    """
    meter, samples = SpectrumMeter(spec), np.asarray(audio, np.float32)
    parts = [meter.push(samples[start : start + _BLOCK]) for start in range(0, len(samples), _BLOCK)]
    return np.concatenate([*parts, meter.flush()])


def is_spectral(name: str) -> bool:
    """Whether a further feature is one that spectra tell."""
    return name == BRIGHTNESS or name in PARTIALS


def spectral_features(
    names: Iterable[str], powers: Array, f0_hz: npt.ArrayLike, sample_rate: int
) -> dict[str, Array]:
    """Those of some further features that spectra tell, float32 `[frames]` by name.

    Args:
        names: Of `ddsp_edge.further.FURTHER`; others than brightness and levels of partials are left out.
        powers: `[frames, bins]`, of `SpectrumMeter`.
        f0_hz: `[frames]`, above 0 Hz, held where there is no pitch.
        sample_rate: Integer, Hz.
    """
    wanted, pitch = [name for name in names if is_spectral(name)], np.asarray(f0_hz, np.float64)
    found = dict[str, Array]()
    if any(name in PARTIALS for name in wanted):
        found.update(zip(PARTIALS, partial_levels(powers, pitch, sample_rate).T, strict=True))
    if BRIGHTNESS in wanted:
        found[BRIGHTNESS] = brightness_of(powers, pitch, sample_rate)
    return {name: found[name] for name in wanted}
