"""Unit conversions, in numpy, shared by the device and the library.

All take and return arrays of any shape in float64 unless the input is float32.
"""

from math import isfinite, log2
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

LOUDNESS_FLOOR_DB = -80.0
"""Loudness of digital silence in dB (A-weighted mean square, full scale = 1)."""

_NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FEW = 8
_ONE_SUM = 8192  # numbers: OpenBLAS spreads longer sums over threads

MIDI_MAX = 127.0
"""Highest MIDI note; `f0_scaled` is the (fractional) MIDI note divided by it."""


def hz_to_midi(f0_hz: npt.ArrayLike) -> Array:
    """Convert frequency in Hz to fractional MIDI notes (A4 = 440 Hz = 69).

    Frequencies of 0 and below, which mean 'no pitch', give note 0.
    """
    f0_hz = np.asarray(f0_hz)
    pitched = f0_hz > 0
    if pitched.all():  # as nearly always: a frame is played in a fraction of the time
        return np.asarray(69.0 + 12.0 * np.log2(f0_hz / 440.0), dtype=_float(f0_hz))
    midi = 69.0 + 12.0 * np.log2(np.where(pitched, f0_hz, 440.0) / 440.0)
    return np.asarray(np.where(pitched, midi, 0.0), dtype=_float(f0_hz))


def midi_to_hz(midi: npt.ArrayLike) -> Array:
    """Convert fractional MIDI notes to frequency in Hz (A4 = 69 = 440 Hz)."""
    midi = np.asarray(midi)
    return np.asarray(440.0 * np.exp2((midi - 69.0) / 12.0), dtype=_float(midi))


def note_name(f0_hz: float) -> str:
    """Name of the note nearest to a frequency in Hz, with its octave (440 Hz is `A4`)."""
    midi = round(float(hz_to_midi(f0_hz)))
    return f"{_NOTES[midi % 12]}{midi // 12 - 1}"


def length_in_words(seconds: float) -> str:
    """How long a sound is, for people: `12.3 s`, and from a minute on `2:05 min`."""
    return f"{seconds:.1f} s" if round(seconds, 1) < 60.0 else minutes(seconds)


def minutes(seconds: float) -> str:
    """A length as `m:ss min`."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d} min"


def cents_between(f0_hz: npt.ArrayLike, reference_hz: npt.ArrayLike) -> Array:
    """Interval from `reference_hz` up to `f0_hz` in cents; both must be above 0 Hz."""
    return np.asarray(1200.0 * np.log2(np.asarray(f0_hz) / np.asarray(reference_hz)))


def amplitude_to_db(amplitude: npt.ArrayLike, floor_db: float = LOUDNESS_FLOOR_DB) -> Array:
    """Convert linear amplitude to dB re 1, never below `floor_db`."""
    amplitude = np.asarray(amplitude)
    floor = 10.0 ** (floor_db / 20.0)
    return np.asarray(20.0 * np.log10(np.maximum(np.abs(amplitude), floor)), _float(amplitude))


def db_to_amplitude(db: npt.ArrayLike) -> Array:
    """Convert dB re 1 to linear amplitude."""
    db = np.asarray(db)
    return np.asarray(10.0 ** (db / 20.0), dtype=_float(db))


def scale_f0(f0_hz: npt.ArrayLike) -> Array:
    """Map fundamental frequency in Hz to the network's input: MIDI note / 127, in [0, 1]."""
    return np.asarray(np.minimum(np.maximum(hz_to_midi(f0_hz) / MIDI_MAX, 0.0), 1.0))


def scale_loudness(loudness_db: npt.ArrayLike) -> Array:
    """Map loudness in dB to the network's input: -80 dB to 0, 0 dB to 1, clipped to [0, 1.25]."""
    loudness_db = np.asarray(loudness_db)
    scaled = np.minimum(np.maximum(loudness_db / -LOUDNESS_FLOOR_DB + 1.0, 0.0), 1.25)
    return np.asarray(scaled, dtype=_float(loudness_db))


def energy(values: Array) -> float:
    """Sum of squares; infinite where it overflows, without the warning that `dot` gives."""
    return float(np.vdot(values, values))


def all_finite(values: Array) -> bool:
    """Whether no number is infinite or none at all."""
    if values.size <= _ONE_SUM and isfinite(energy(values)):  # at a third of the cost
        return True
    return bool(np.isfinite(values).all())


def scale_frame(f0_hz: float, loudness_db: float) -> tuple[float, float]:
    """Inputs of the network for a frame, in plain numbers: what `scale_f0` and `scale_loudness` give.

    Args:
        f0_hz: Above 0 Hz.
        loudness_db: Finite.
    """
    midi = 69.0 + 12.0 * log2(f0_hz / 440.0)
    loudness = loudness_db / -LOUDNESS_FLOOR_DB + 1.0
    return min(max(midi / MIDI_MAX, 0.0), 1.0), min(max(loudness, 0.0), 1.25)


def scale_features(f0_hz: Array, loudness_db: Array) -> tuple[Array, Array]:
    """Inputs of the network, float64 `[frames]`: what `scale_f0` and `scale_loudness` give.

    8-bit activations round by the last bit of these in float32, which is the same in both ways: a handful of
    frames is scaled in plain numbers, since as many calls of numpy take longer than all they compute.

    Args:
        f0_hz: `[frames]`, above 0 Hz.
        loudness_db: `[frames]`, finite.
    """
    if len(f0_hz) > _FEW:
        return scale_f0(np.asarray(f0_hz, np.float64)), scale_loudness(np.asarray(loudness_db, np.float64))
    frames = zip(f0_hz.tolist(), loudness_db.tolist(), strict=True)
    scaled = np.array([scale_frame(*frame) for frame in frames]).reshape(-1, 2)
    return scaled[:, 0], scaled[:, 1]


def silence_bad(values: Array) -> Array:
    """Set what is not finite to 0, in place; return the same array."""
    if not all_finite(values):
        values[~np.isfinite(values)] = 0.0
    return values


def _float(x: Array) -> type:
    return np.float32 if x.dtype == np.float32 else np.float64
