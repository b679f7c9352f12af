"""Which partials of a sound its fundamental frequency explains: more than one note, and octave errors.

The sound is looked at through windows of 128 ms. Peaks of their spectra that stand out are partials; those
near a multiple of f0 are explained by it. What is not, for a quarter of a second or more, is another note.
Where half the f0 explains what f0 does not, f0 is an octave too high, or two notes are a fifth apart; where
only its even multiples are there, it is an octave too low.
"""

from dataclasses import dataclass

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.quality.background import HUM_HARMONICS
from ddsp_tf.frames import FrameSpec

_WINDOW_S, _HOP_S = 0.128, 0.064
_TOP_HZ = 5_000.0
_RANGE_DB = 40.0  # partials weaker than this below the strongest of a frame are not looked at
_PROMINENCE_DB = 15.0  # a partial stands out this much from the spectrum around it
_AROUND_HZ = 150.0
_HEARD_DB = -50.0  # frames quieter than this (dB, A-weighted), or this far below the loudest, are not judged
_BELOW_LOUDEST_DB = 25.0
_STEADY_OCTAVES = 0.6 / 12  # f0 may wander this far inside a window, or the frame is not judged
_TOLERANCE_HZ, _TOLERANCE = 12.0, 0.025  # how far from a multiple of f0 a partial may be
_UNEXPLAINED = 0.03  # share of the power of all partials (-15 dB) that another note has at least
_ABSENT = 0.003  # odd partials with less than this share of the power (-25 dB) are not there
_LASTING = 4  # frames, 256 ms: shorter is a note that rings on in the room


@dataclass(frozen=True)
class PartialsFound:
    """Frames, one each 64 ms, and what was found in them.

    Args:
        judged: Integer, frames that could be judged.
        several: Integer, frames inside a stretch of 256 ms or more that no single f0 explains.
        octaves: Integer, frames in which f0 seems to be an octave off.
        several_seconds: Beginning and end of each of those stretches.
    """

    judged: int
    several: int
    octaves: int
    several_seconds: tuple[tuple[float, float], ...] = ()


def look_at_partials(
    audio: Array, f0_hz: Array, loudness_db: Array, spec: FrameSpec, *, mains_hz: int = 0
) -> PartialsFound:
    """Judge a passage.

    Args:
        audio: `[n_frames * hop]`, full scale 1.
        f0_hz: `[n_frames]`, Hz, 0 where there is no pitch.
        loudness_db: `[n_frames]`.
        spec: The frame grid.
        mains_hz: Integer, 50 or 60 where there is hum, which is no other note; 0 where there is none.
    """
    size = 2 * round(_WINDOW_S * spec.sample_rate / 2)
    starts = np.arange(0, len(audio) - size + 1, round(_HOP_S * spec.sample_rate))
    step_hz = spec.sample_rate / size
    bins = min(size // 2 + 1, round(_TOP_HZ / step_hz) + 2)
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    quietest = max(_HEARD_DB, float(np.percentile(loudness_db, 95)) - _BELOW_LOUDEST_DB)
    judged, unexplained, octaves = [], [], []
    for start in starts:
        frames = slice(start // spec.hop, (start + size) // spec.hop)
        if np.median(loudness_db[frames]) < quietest:
            continue
        f0 = _steady_f0(f0_hz[frames])
        if f0 is None:
            continue
        power = np.square(np.abs(np.fft.rfft(audio[start : start + size] * window)[:bins]))
        frequency, strength = _peaks(power, step_hz)
        if mains_hz:
            notes = np.abs(frequency - mains_hz * np.rint(frequency / mains_hz)) > step_hz / 2.0
            notes |= frequency > HUM_HARMONICS * mains_hz + step_hz
            frequency, strength = frequency[notes], strength[notes]
        if not len(frequency):
            continue
        other, octave = _judge(frequency, strength, f0)
        judged.append(start)
        unexplained.append(other)
        octaves.append(octave)
    several = _in_long_runs(np.array(unexplained, bool), _LASTING)
    stretches = _stretches(np.array(judged)[several] / spec.sample_rate, size / spec.sample_rate)
    return PartialsFound(len(judged), int(several.sum()), int(np.sum(octaves)), stretches)


def _steady_f0(track: Array) -> float | None:
    """The f0 of a window, 0 where it has none; None where it changes too much for partials to be seen."""
    voiced = track[track > 0]
    if 2 * len(voiced) < len(track):
        return 0.0
    if np.ptp(np.log2(voiced)) > _STEADY_OCTAVES:
        return None
    return float(np.median(voiced))


def _judge(frequency: Array, strength: Array, f0: float) -> tuple[bool, bool]:
    """Whether f0 leaves partials unexplained, and whether it seems an octave off."""
    if f0 == 0.0:
        roots = np.concatenate([frequency[np.argsort(strength)[-3:]] / k for k in (1, 2, 3)])
        left = min(_unexplained(frequency, strength, root) for root in roots if root >= 40.0 / 3.0)
        return left > _UNEXPLAINED, False
    left = _unexplained(frequency, strength, f0)
    if left > _UNEXPLAINED:
        return True, _unexplained(frequency, strength, f0 / 2.0) < left / 4.0
    number = np.rint(frequency / f0)
    odd = number % 2 == 1
    too_low = strength[odd].sum() < _ABSENT * strength.sum() and (~odd).sum() >= 2
    return False, bool(too_low)


def _unexplained(frequency: Array, strength: Array, f0: float) -> float:
    """Share of the power of the partials that are near no multiple of f0."""
    number = np.maximum(1.0, np.rint(frequency / f0))
    off = np.abs(frequency - number * f0)
    near = off < np.minimum(0.25 * f0, np.maximum(_TOLERANCE_HZ, _TOLERANCE * frequency))
    return float(strength[~near].sum() / strength.sum())


def _peaks(power: Array, step_hz: float) -> tuple[Array, Array]:
    """Frequency in Hz and power of the partials of a spectrum `[bins]`."""
    level = 10.0 * np.log10(power + 1e-20)
    middle = level[1:-1]
    at = 1 + np.flatnonzero((middle > level[:-2]) & (middle >= level[2:]))
    at = at[(level[at] > level.max() - _RANGE_DB) & (at * step_hz > 40.0)]
    at = at[level[at] > _around(level, max(1, round(_AROUND_HZ / step_hz)))[at] + _PROMINENCE_DB]
    left, peak, right = level[at - 1], level[at], level[at + 1]
    bend = left - 2.0 * peak + right
    shift = np.where(bend < 0, 0.5 * (left - right) / np.minimum(bend, -1e-9), 0.0)
    return (at + shift) * step_hz, power[at]


def _around(level: Array, reach: int) -> Array:
    """The median of the values up to `reach` away from each of `[n]`."""
    padded = np.pad(level, reach, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    every = np.median(windows[:: reach // 4 + 1], axis=1)  # it changes slowly
    return np.interp(np.arange(len(level)), np.arange(0, len(level), reach // 4 + 1), every)


def _in_long_runs(mask: Array, length: int) -> Array:
    """Keep the runs of a mask that are at least `length` long."""
    edges = np.diff(mask.astype(np.int8), prepend=0, append=0)
    kept = np.zeros(len(mask), bool)
    for start, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        kept[start:end] = end - start >= length
    return kept


def _stretches(starts: Array, length: float) -> tuple[tuple[float, float], ...]:
    """Windows of one length that touch each other or overlap, joined; all in seconds."""
    found: list[tuple[float, float]] = []
    for start in starts.tolist():
        first = found.pop()[0] if found and start <= found[-1][1] else start
        found.append((first, start + length))
    return tuple(found)
