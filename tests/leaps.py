"""Leaps from note to note, of all intervals, rendered by our own synthesizer, and how a tracker follows."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ddsp_edge.frames import FrameSpec
from ddsp_edge.synthesis.filtered_noise import FilteredNoise
from ddsp_edge.synthesis.harmonic import Harmonic
from ddsp_edge.synthesis.reverb import Reverb
from ddsp_edge.units import Array

MANNERS = ("legato", "ringing", "detached", "room")
"""How the notes follow each other: at once; the old one ringing on, 20 dB in 60 ms; 30 ms of silence between
them; at once, in a room of 0.5 s whose echoes are 6 dB below the sound itself."""
INTERVALS = tuple(range(1, 25))
"""Semitones."""

_HARMONICS = 30
_LOWER_HZ = (98.0, 147.0, 220.0, 330.0)  # the lower of the two notes, give or take a quarter tone
_NOTE_S, _REST_S = 0.24, 0.1
_WATCHED_S = 0.2  # after a leap: as long as the new note surely lasts
_GRID_S = 0.004  # of the controls
_LEVEL, _NOISE = 0.2, 2e-3


def _timbres() -> dict[str, Array]:
    """Shares of the harmonics, by name; `voice` is made for each pitch."""
    k = np.arange(1, _HARMONICS + 1.0)
    return {
        "flute": np.where(k > 6, 0.0, 0.35 ** (k - 1)),
        "clarinet": np.where(k % 2 == 1, 1.0, 0.15) / k,
        "saw": 1.0 / k,
        "oboe": np.exp(-0.5 * ((k - 3.0) / 1.8) ** 2) + 0.1 / k,
    }


def _shares(timbre: str, f0_hz: float, sample_rate: int) -> Array:
    """Amplitudes of the harmonics of a note, 1 in root sum of squares, none near Nyquist."""
    frequency = f0_hz * np.arange(1, _HARMONICS + 1.0)
    if timbre == "voice":
        formants = ((600.0, 90.0, 1.0), (1100.0, 110.0, 0.5), (2600.0, 160.0, 0.25))
        gains = [gain / (1.0 + ((frequency - at) / width) ** 2) for at, width, gain in formants]
        shares = np.sum(gains, axis=0) + 0.3 * f0_hz / frequency
    else:
        shares = _timbres()[timbre]
    shares = shares * (frequency < 0.45 * sample_rate)
    return np.asarray(shares / np.sqrt(np.sum(np.square(shares))))


@dataclass(frozen=True)
class Leap:
    """A leap: the sample at which the new note begins, from which pitch to which in Hz, and how."""

    sample: int
    before_hz: float
    after_hz: float
    semitones: int
    manner: str


def make_leaps(spec: FrameSpec, manner: str, seed: int = 0, of_each: int = 4) -> tuple[Array, list[Leap]]:
    """Render leaps of all intervals up and down, in timbres as they come, one after the other.

    Args:
        spec: Of the estimators; a leap lies anywhere between two frames.
        manner: One of `MANNERS`.
        seed: Integer >= 0: pitches, timbres and places.
        of_each: Integer, 1, 2 or 4 leaps of each interval.

    Returns:
        Audio `[samples]`, and the leaps in it.
    """
    rng = np.random.default_rng([seed, zlib.crc32(manner.encode())])
    names = [*_timbres(), "voice"]
    parts, leaps, start = list[Array](), list[Leap](), 0
    for semitones in (*INTERVALS, *(-x for x in INTERVALS)):
        for lower in _LOWER_HZ[:: len(_LOWER_HZ) // of_each]:
            lower_hz = lower * 2.0 ** (rng.uniform(-0.5, 0.5) / 12.0)
            upper_hz = lower_hz * 2.0 ** (abs(semitones) / 12.0)
            pitches = (lower_hz, upper_hz) if semitones > 0 else (upper_hz, lower_hz)
            audio, at = _pair(spec, pitches, names[rng.integers(len(names))], manner, rng)
            leaps.append(Leap(start + at, *pitches, semitones, manner))
            parts.append(audio)
            start += len(audio)
    return np.concatenate(parts), leaps


def _pair(
    spec: FrameSpec, pitches: tuple[float, float], timbre: str, manner: str, rng: np.random.Generator
) -> tuple[Array, int]:
    """Two notes and a rest; and the sample at which the second begins."""
    grid = FrameSpec(spec.sample_rate, round(_GRID_S * spec.sample_rate))
    lead, note = (grid.frames_for(x) for x in (_REST_S + rng.uniform(0.0, 0.02), _NOTE_S))
    gap = grid.frames_for(0.03) if manner == "detached" else 0
    frames = lead + 2 * note + gap + grid.frames_for(_REST_S)
    second = lead + note + gap
    time = np.arange(frames)
    f0_hz = np.where(time < second, pitches[0], pitches[1])
    old = _gate(time, lead, lead + note)
    new = _gate(time, second, second + note)
    if manner == "ringing":
        over = (time - lead - note) * _GRID_S
        old = np.where(time < lead + note, old, 10.0 ** (-over / 0.06) * (over < 0.12))
    if manner in ("legato", "room"):
        sound = _notes(grid, f0_hz, _gate(time, lead, second + note), timbre, pitches)
    else:
        notes = [
            _notes(grid, np.full(frames, pitch), gate, timbre, (pitch, pitch))
            for pitch, gate in zip(pitches, (old, new), strict=True)
        ]
        sound = notes[0] + notes[1]
    if manner == "room":
        sound = Reverb(grid, _room(spec.sample_rate, rng)).process(audio=sound)
    slope = np.full((frames, 1), _NOISE) * 0.7 ** np.arange(9)
    noise = FilteredNoise(grid, 9, int(rng.integers(1 << 30))).process(magnitudes=slope)
    cut = int(rng.integers(spec.hop))
    # A control becomes sound over the hop that ends at its frame: the new note begins with that hop.
    return np.asarray(sound + noise, np.float32)[cut:], grid.n_samples(second) - cut


def _gate(time: Array, first: int, end: int) -> Array:
    """1 from one frame to before another, with 8 ms up and 12 ms down; 0 elsewhere."""
    up, down = 0.008 / _GRID_S, 0.012 / _GRID_S
    return np.clip(np.minimum((time - first + 1) / up, (end - time) / down), 0.0, 1.0)


def _notes(grid: FrameSpec, f0_hz: Array, level: Array, timbre: str, pitches: tuple[float, float]) -> Array:
    """Harmonics of a pitch `[frames]`, each of the two notes with its own spectrum."""
    spectra = np.array([_shares(timbre, pitch, grid.sample_rate) for pitch in pitches])
    amplitudes = np.where((f0_hz == pitches[0])[:, None], spectra[0], spectra[1])
    return Harmonic(grid, _HARMONICS).process(
        amplitude=_LEVEL * level[:, None], distribution=amplitudes, f0_hz=f0_hz[:, None]
    )


def _room(sample_rate: int, rng: np.random.Generator, decay_s: float = 0.5, below_db: float = 6.0) -> Array:
    """Noise that dies away after the sound itself: 60 dB in `decay_s`, in all `below_db` weaker."""
    time = np.arange(int(decay_s * sample_rate)) / sample_rate
    echoes = rng.normal(size=len(time)) * 10.0 ** (-3.0 * time / decay_s) * (time > 0.003)
    echoes *= 10.0 ** (-below_db / 20.0) / np.sqrt(np.sum(np.square(echoes)))
    echoes[0] = 1.0
    return np.asarray(echoes)


@dataclass(frozen=True)
class Heard:
    """What a tracker made of a leap: ms until it stays right, and ms in a pitch beyond both notes."""

    leap: Leap
    until_right_ms: float
    astray_ms: float


def judge(leaps: list[Leap], spec: FrameSpec, f0_hz: Array, voiced: Array) -> Iterator[Heard]:
    """Tell of each leap how long it takes until every frame is right: voiced and at most 50 cents off.

    A tracker's delay counts on its own: its frames are of the samples they stand for. Voiced frames more than
    50 cents above or below both notes are astray.
    """
    at = (np.arange(len(f0_hz)) + 1) * spec.hop
    frame_ms = 1e3 * spec.hop / spec.sample_rate
    for leap in leaps:
        since = (at - leap.sample) / spec.sample_rate
        near = (since >= 0.0) & (since < _WATCHED_S)
        cents = 1200.0 * np.log2(np.maximum(f0_hz[near], 1e-3) / leap.after_hz)
        wrong = np.flatnonzero(~(voiced[near] & (np.abs(cents) <= 50.0)))
        until_ms = 1e3 * since[near][0] + frame_ms * (wrong[-1] + 1 if len(wrong) else 0)
        around = f0_hz[(since >= -0.05) & (since < _WATCHED_S) & voiced]
        low, high = (f(leap.before_hz, leap.after_hz) for f in (min, max))
        astray = np.sum((around < low * 2 ** (-1 / 24)) | (around > high * 2 ** (1 / 24)))
        yield Heard(leap, float(until_ms), float(astray * frame_ms))
