"""What changes a sound: filters, rooms, speed, levels. All take and give float32 `[samples]`."""

import numpy as np
import soxr

from ddsp_edge.fourier import fft_size
from ddsp_edge.units import Array

_FADE_MS = 5.0  # over which early reflections end
_ACTIVE = 1e-4  # of the loudest 20 ms, in power: what is softer counts as a pause (-40 dB)
_CURVE_POINTS = 7
_CURVE_STEPS = 1025  # frequencies that a curve is reckoned at


def active_level(audio: Array, sample_rate: int) -> float:
    """Root mean square of the 20 ms that are not pauses, of full scale 1; 0 of silence."""
    size = max(1, sample_rate // 50)
    blocks = np.reshape(audio[: len(audio) // size * size], (-1, size))
    power = np.mean(np.square(blocks), axis=1)
    loudest = power.max(initial=0.0)
    return float(np.sqrt(power[power > loudest * _ACTIVE].mean())) if loudest > 0.0 else 0.0


def resampled(audio: Array, factor: float) -> Array:
    """The sound played `factor` times as fast, and as much higher."""
    return np.asarray(soxr.resample(audio, factor, 1.0, quality="LQ"), np.float32)


def filtered(audio: Array, *responses: Array, gains: "Curve | None" = None) -> list[Array]:
    """A sound through several impulse responses, each `[taps]`, and an equaliser; as long as it was.

    Args:
        audio: `[samples]`.
        *responses: Impulse responses; none for the equaliser alone.
        gains: The equaliser; None for none.
    """
    longest = max((len(response) for response in responses), default=1)
    size = fft_size(len(audio) + longest - 1)
    spectrum = np.fft.rfft(audio, size)
    if gains is not None:
        spectrum *= gains.at(len(spectrum))
    spectra = [spectrum * np.fft.rfft(response, size) for response in responses] or [spectrum]
    return [np.asarray(np.fft.irfft(found, size)[: len(audio)], np.float32) for found in spectra]


class Curve:
    """A smooth gain over frequency, drawn at random.

    Args:
        rng: What draws it.
        sample_rate: Integer, Hz.
        largest_db: Largest gain, up or down, dB.
        band: Whether only a band is left, as of a telephone or an old recording.
    """

    def __init__(
        self, rng: np.random.Generator, sample_rate: int, largest_db: float, *, band: bool = False
    ) -> None:
        self._nyquist_hz = sample_rate / 2.0
        self._db = rng.uniform(-largest_db, largest_db, _CURVE_POINTS)
        self._low_hz = float(np.exp(rng.uniform(np.log(60.0), np.log(400.0)))) if band else 0.0
        share = float(rng.uniform(0.35, 0.9))
        self._high_hz = share * self._nyquist_hz if band else 0.0
        self._slope = int(rng.integers(4, 13))

    def at(self, bins: int) -> Array:
        """Linear gains at `bins` frequencies from 0 to Nyquist, float32."""
        hz = np.linspace(0.0, self._nyquist_hz, _CURVE_STEPS)
        place = np.log(np.maximum(hz, 50.0) / 50.0) / np.log(self._nyquist_hz / 50.0)
        gains = 10.0 ** (np.interp(place, np.linspace(0.0, 1.0, _CURVE_POINTS), self._db) / 20.0)
        if self._high_hz:
            gains /= np.sqrt(1.0 + (hz / self._high_hz) ** (2 * self._slope))
            gains /= np.sqrt(1.0 + (self._low_hz / np.maximum(hz, 1.0)) ** self._slope)
        return np.interp(np.linspace(0.0, _CURVE_STEPS - 1.0, bins), np.arange(_CURVE_STEPS), gains).astype(
            np.float32
        )


def room_parts(response: Array, sample_rate: int, early_ms: float) -> tuple[Array, Array]:
    """An impulse response from its strongest sample on, and its first part alone, of an energy of 1.

    Args:
        response: As it was measured, `[taps]`.
        sample_rate: Integer, Hz.
        early_ms: Length of the first part, ms; it fades over 5 ms more.

    Returns:
        The whole response and the first part, both scaled by the energy of the latter.
    """
    whole = np.asarray(response[int(np.argmax(np.abs(response))) :], np.float32)
    start, fade = round(early_ms * sample_rate / 1e3), max(1, round(_FADE_MS * sample_rate / 1e3))
    window = np.clip(1.0 - (np.arange(len(whole)) - start) / fade, 0.0, 1.0).astype(np.float32)
    early = whole * window
    early = early[: start + fade]
    scale = np.float32(1.0 / max(float(np.sqrt(np.sum(np.square(early)))), 1e-9))
    return whole * scale, early * scale
