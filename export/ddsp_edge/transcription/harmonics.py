"""What of a sound belongs to which note: levels of the harmonics of all notes, fitted together.

Analysis by synthesis: every note is a row of harmonics, each with the shape that a sine has in the spectra;
their amplitudes are fitted to what is heard by multiplicative steps, which keep them from becoming negative
(Lee and Seung, "Algorithms for Non-negative Matrix Factorization", NIPS 2000). Where harmonics of several
notes meet, what is heard is shared by what their neighbours in frequency have.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ddsp_edge.transcription.spectra import (
    BINS_PER_SEMITONE,
    FIRST_MIDI,
    FLOOR,
    N_BINS,
    SAMPLE_RATE,
    SCALE,
    WINDOWS,
    filter_bank,
)
from ddsp_edge.units import Array

N_HARMONICS = 20
WINDOW_FRAMES = 14
"""Frames from its onset on that a note is judged by, at most."""
BEFORE_FRAMES = 2
CURVE_FRAMES = BEFORE_FRAMES + WINDOW_FRAMES
_BANDS = 8
N_FEATURES = 2 * N_HARMONICS + CURVE_FRAMES + _BANDS + 2
MOST_OTHERS = 12
"""Notes beside the one in question that are fitted with it; the nearest in time."""

_STEPS = 12
_LOWEST_DB = -60.0
_TINY = 1e-7
_NEAR = 3.0  # bins, a semitone: harmonics that are nearer are not told apart


@dataclass(frozen=True)
class Span:
    """A note in frames.

    Args:
        pitch: Integer, MIDI note.
        begin: Integer, its first frame.
        end: Integer, the frame after its last.
    """

    pitch: int
    begin: int
    end: int


@dataclass(frozen=True)
class Fit:
    """A note as it was fitted with those that sound with it.

    Args:
        features: float32 `[66]`: levels of 20 harmonics, how much each is shared, how the level rises and
            falls from two frames before the onset on, what is left in eight bands, pitch and length.
        amplitude: Sum of its harmonics, relative to the running level.
        explains: Share of its energy that no other note could account for, 0 to 1.
    """

    features: Array
    amplitude: float
    explains: float


def fit_note(spectra: Array, first: int, span: Span, others: Sequence[Span]) -> Fit | None:
    """Fit a note with those that sound with it.

    Args:
        spectra: `[frames, 288, 2]`, in which the note lies.
        first: Integer, number of the first of these frames, as spans count them.
        span: The note.
        others: Notes that may sound with it.

    Returns:
        The fit; None where none of its frames is there.
    """
    begin, end = span.begin - first, min(span.end, span.begin + WINDOW_FRAMES) - first
    inside = slice(max(0, begin), min(len(spectra), max(end, begin + 2)))
    if inside.stop <= inside.start:
        return None
    amplitudes = heard_amplitudes(spectra[inside, :, 0]).mean(axis=0)
    with_it = [
        other
        for other in others
        if other.begin < inside.stop + first
        and other.end > inside.start + first
        and other.pitch != span.pitch
    ]
    with_it = sorted(with_it, key=lambda other: abs(other.begin - span.begin))[:MOST_OTHERS]
    pitches = [span.pitch, *dict.fromkeys(other.pitch for other in with_it)]
    atoms, positions = _atoms(tuple(pitches))
    levels = _fitted(atoms, amplitudes)
    own = slice(0, N_HARMONICS)
    shared = _shared(positions)
    explained = levels @ atoms
    mine = levels[own] @ atoms[own]
    energy = float(np.square(mine).sum()) + _TINY
    explains = 1.0
    if len(pitches) > 1:
        without = _fitted(atoms[N_HARMONICS:], amplitudes) @ atoms[N_HARMONICS:]
        worse = np.square(amplitudes - without).sum() - np.square(amplitudes - explained).sum()
        explains = min(1.0, max(0.0, float(worse) / energy))
    features = np.concatenate(
        [
            _relative_db(levels[own]),
            shared,
            _curve(spectra, begin, levels[own] * (1.0 - shared), atoms[own]),
            _rest(amplitudes, explained),
            [span.pitch / 127.0, min(1.0, (span.end - span.begin) / 50.0)],
        ]
    )
    return Fit(features.astype(np.float32), float(levels[own].sum()), explains)


def features_of(fits: Sequence[Fit | None]) -> Array:
    """Features of notes, float32 `[notes, 66]`; zeros for those that have no fit."""
    table = np.zeros((len(fits), N_FEATURES), np.float32)
    for row, fit in zip(table, fits, strict=True):
        if fit is not None:
            row[:] = fit.features
    return table


def heard_amplitudes(values: Array) -> Array:
    """Amplitudes relative to the running level, of spectra as they are heard."""
    return np.asarray(np.maximum(0.0, FLOOR * (np.exp(SCALE * values) - 1.0)), np.float32)


def _fitted(atoms: Array, amplitudes: Array) -> Array:
    """Amplitude of each atom, `[atoms]`, by multiplicative steps from what stands at its place."""
    found = atoms @ amplitudes
    levels = found / np.maximum(1e-3, np.square(atoms).sum(axis=1))
    for _ in range(_STEPS):
        levels = levels * found / (atoms @ (levels @ atoms) + _TINY)
    return np.asarray(levels, np.float32)


def _shared(positions: Array) -> Array:
    """How near harmonics of other notes are to those of the first, `[20]`, 0 to 1; 1 beyond the spectra."""
    own, rest = positions[0], positions[1:].reshape(-1)
    near = np.zeros(N_HARMONICS)
    if len(rest):
        near = np.clip(1.0 - np.abs(own[:, None] - rest).min(axis=1) / _NEAR, 0.0, 1.0)
    return np.where(own > N_BINS - 1, 1.0, near)


def _relative_db(levels: Array) -> Array:
    """Levels relative to the strongest, 1 for it, 0 at -60 dB."""
    db = 20.0 * np.log10(np.maximum(levels, _TINY) / max(float(levels.max()), _TINY))
    return np.asarray(1.0 - np.maximum(db, _LOWEST_DB) / _LOWEST_DB)


def _curve(spectra: Array, begin: int, levels: Array, atoms: Array) -> Array:
    """Level of the note's own harmonics along time, `[16]`, 1 at its highest, 0 at -40 dB."""
    profile = levels @ atoms
    profile = profile / max(float(profile.sum()), _TINY)
    values = np.zeros(CURVE_FRAMES)
    first = begin - BEFORE_FRAMES
    for i in range(max(0, -first), min(CURVE_FRAMES, len(spectra) - first)):
        values[i] = float(heard_amplitudes(spectra[first + i, :, 1]) @ profile)
    db = 20.0 * np.log10(np.maximum(values, _TINY) / max(float(values.max()), _TINY))
    return np.asarray(1.0 + np.maximum(db, -40.0) / 40.0)


def _rest(amplitudes: Array, explained: Array) -> Array:
    """What no note explains, in eight bands, relative to all that is heard: 1 for as much, 0 at -60 dB."""
    rest = np.maximum(0.0, amplitudes - explained).reshape(_BANDS, -1).sum(axis=1)
    db = 20.0 * np.log10(np.maximum(rest, _TINY) / max(float(amplitudes.sum()), _TINY))
    return np.asarray(1.0 - np.clip(db, _LOWEST_DB, 0.0) / _LOWEST_DB)


@functools.lru_cache(maxsize=512)
def _atoms_of_pitch(pitch: int) -> tuple[Array, Array]:
    """Shape of each harmonic in the spectra, `[20, 288]`, and where it stands, `[20]`, in bins."""
    shapes = _shapes_of_sines()
    semitones = 12.0 * np.log2(np.arange(1, N_HARMONICS + 1))
    positions = BINS_PER_SEMITONE * (pitch - FIRST_MIDI + semitones)
    atoms = np.zeros((N_HARMONICS, N_BINS), np.float32)
    for atom, position in zip(atoms, positions, strict=True):
        low = int(np.floor(position))
        part = position - low
        if 0 <= low < N_BINS - 1:
            atom[:] = (1.0 - part) * shapes[low] + part * shapes[low + 1]
    return atoms, positions


def _atoms(pitches: tuple[int, ...]) -> tuple[Array, Array]:
    """Of several pitches: `[pitches * 20, 288]` and `[pitches, 20]`."""
    found = [_atoms_of_pitch(pitch) for pitch in pitches]
    return np.concatenate([atoms for atoms, _ in found]), np.stack([where for _, where in found])


@functools.lru_cache(maxsize=1)
def _shapes_of_sines() -> Array:
    """What the spectra of the long window hold of a sine of amplitude 1 at each bin, `[288, 288]`."""
    size = max(WINDOWS)
    centres = FIRST_MIDI + np.arange(N_BINS) / BINS_PER_SEMITONE
    bins = 440.0 * 2.0 ** ((centres - 69.0) / 12.0) * size / SAMPLE_RATE
    away = np.arange(size // 2 + 1) - bins[:, None]
    # Spectrum of a Hann window, 1 at its top: sinc(x) / (1 - x^2).
    below = 1.0 - np.square(away)
    at_one = np.abs(below) < 1e-6
    hann = np.where(at_one, 0.5, np.sinc(away) / np.where(at_one, 1.0, below))
    return np.asarray(np.abs(hann).astype(np.float32) @ filter_bank(size), np.float32)
