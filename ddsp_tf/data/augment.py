"""Clips that were never recorded: louder and softer, higher and lower.

Pitch is shifted by resampling, as by a tape that runs faster: partials keep their levels, so the timbre moves
with the pitch, attacks get shorter and vibrato faster. f0 is multiplied, and the level is measured again,
because A-weighting changes with frequency.
"""

import math
from dataclasses import dataclass

import numpy as np
import soxr

from ddsp_edge.features.loudness import POWER_FLOOR, loudness_db, window_size
from ddsp_edge.features.pitch import hold_unvoiced
from ddsp_edge.units import Array
from ddsp_tf.config.sections import AugmentationConfig
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.prepare.analysis import as_float
from ddsp_tf.features.f0_grid import interpolate_f0
from ddsp_tf.features.power import POWER_FLOOR_DB, power_db, power_window_size
from ddsp_tf.frames import FrameSpec

_SETTLED_S = 0.004  # soxr's filter, beyond the window of the level


@dataclass(frozen=True)
class Change:
    """What is done to one clip.

    Args:
        gain_db: dB.
        ratio: By how much f0 is multiplied.
    """

    gain_db: float = 0.0
    ratio: float = 1.0


def draw_change(
    augmentation: AugmentationConfig, rng: np.random.Generator, n_frames: int, clip_frames: int
) -> Change:
    """Draw gain and pitch, each uniform in dB and semitones.

    Args:
        augmentation: How far they may go.
        rng: Where the randomness comes from.
        n_frames: Integer, frames of the passage: a clip is shifted up no further than there is sound for it.
        clip_frames: Integer, frames of the clip.
    """
    gain_db, semitones = rng.uniform(-1.0, 1.0, 2) * (augmentation.gain_db, augmentation.pitch_semitones)
    ratio = 2.0 ** (semitones / 12.0)
    return Change(float(gain_db), float(min(ratio, n_frames / clip_frames)))


def frames_taken(clip_frames: int, ratio: float) -> int:
    """Frames of a passage that become `clip_frames` frames of a clip."""
    return math.ceil(clip_frames * ratio)


def shifted(
    record: PitchedRecord,
    spec: FrameSpec,
    first: int,
    clip_frames: int,
    ratio: float,
    start_hz: float,
    level: str = "loudness",
) -> tuple[Array, Array, Array]:
    """Cut a clip out of a record and shift its pitch.

    Args:
        record: The record.
        spec: The frame grid of the clip.
        first: Integer, frame of the passage, on that grid, that the clip begins with.
        clip_frames: Integer, frames of the clip.
        ratio: By how much f0 is multiplied.
        start_hz: f0 in Hz, not shifted, to hold where none came yet.
        level: `"loudness"`, or `"power"` in its place.

    Returns:
        f0 in Hz, held where there is no pitch, level in dB, both float32 `[clip_frames]`, and audio,
        float32 `[clip_frames * hop]`.
    """
    hop, rate = spec.hop, spec.sample_rate
    begins = first * hop
    # Windows of the level reach beyond the clip. What is taken before it is whole hops of the result.
    window = power_window_size(rate) if level == "power" else window_size(rate)
    settled = window // 2 + round(_SETTLED_S * rate)
    lead = min(-(-settled // hop), int(begins / ratio) // hop)
    start = math.floor(begins - lead * hop * ratio)
    end = min(len(record.audio), math.ceil(begins + ratio * (clip_frames * hop + settled)) + 1)
    audio = record.audio[start:end]
    audio = as_float(audio)
    # Sample n of the result is what lies n * ratio after `start`.
    played = soxr.resample(audio, ratio * rate, rate).astype(np.float32)
    wanted = (lead + clip_frames) * hop
    measure = power_db if level == "power" else loudness_db
    levels = measure(played[: wanted + settled], spec)[lead : lead + clip_frames]
    played = played[lead * hop : wanted]
    short = clip_frames * hop - len(played)  # a rounding at the end of the passage
    if short > 0:
        played = np.pad(played, (0, short))
        levels = np.pad(levels, (0, clip_frames - len(levels)), mode="edge")
    heard = start + ratio * hop * (lead + 1.0 + np.arange(clip_frames))
    return _held_f0(record, heard, start_hz) * np.float32(ratio), levels, played


def _held_f0(record: PitchedRecord, at: Array, start_hz: float) -> Array:
    """f0 in Hz at samples `at` of a record, rising, held where there is no pitch."""
    stored = (np.arange(record.n_frames) + 1.0) * record.hop
    f0_hz, _ = interpolate_f0(stored, record.f0_hz, record.voicing, at)
    before = record.f0_hz[: int(np.searchsorted(stored, at[0]))]
    before = before[before > 0]
    start_hz = float(before[-1]) if len(before) else record.held_f0_hz or start_hz
    return np.asarray(hold_unvoiced(f0_hz, f0_hz > 0, start_hz), np.float32)


def amplified(audio: Array, level_db: Array, gain_db: float, level: str = "loudness") -> tuple[Array, Array]:
    """Change the gain of a clip `[samples]`, at most to full scale, and its level `[frames]`, dB."""
    peak = float(np.abs(audio).max(initial=1e-9))
    gain = min(10.0 ** (gain_db / 20.0), 1.0 / peak)
    measured = level_db.astype(np.float64)
    if level == "power":  # it ends at its floor, to which loudness adds its own
        silent = measured <= POWER_FLOOR_DB
        louder = np.where(silent, measured, np.maximum(measured + 20.0 * np.log10(gain), POWER_FLOOR_DB))
    else:
        power = np.maximum(10.0 ** (measured / 10.0) - POWER_FLOOR, 0.0)
        louder = 10.0 * np.log10(gain**2 * power + POWER_FLOOR)
    return np.asarray(audio * np.float32(gain)), louder.astype(np.float32)
