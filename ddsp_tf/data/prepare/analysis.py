"""What is measured of a passage: its pitch and loudness, frame by frame.

This runs in worker processes, so nothing here imports TensorFlow.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ddsp_edge.features.loudness import loudness_db, window_size
from ddsp_edge.units import Array
from ddsp_tf.data.prepare.passages import SILENCE_DB, Cut
from ddsp_tf.data.quality.quality import Quality, measure_quality
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.features.power import level_db
from ddsp_tf.frames import FrameSpec


@dataclass(frozen=True)
class Analysis:
    """A passage of a recording and its features; without features where it is silent.

    Args:
        audio: `[n_frames * hop]`, int16 of full scale 32768 or float32 of full scale 1.
        first_sample: Integer, sample of the recording that the passage begins with.
        f0_hz: float32 `[n_frames]`, 0 where there is no pitch.
        voicing: float32 `[n_frames]`, 0 to 1.
        loudness_db: float32 `[n_frames]`.
        silent: Whether it holds nothing but silence.
        source: Name of the recording.
        quality: What else was measured; None where it is silent.
    """

    audio: Array
    first_sample: int
    f0_hz: Array
    voicing: Array
    loudness_db: Array
    silent: bool
    source: str
    quality: Quality | None = None

    @property
    def n_frames(self) -> int:
        """Frames of the passage."""
        return len(self.loudness_db)


class Analyser:
    """Measures passages.

    Args:
        spec: The frame grid.
        estimator: The pitch estimator.
        audio_format: `"int16"` or `"float32"`, how audio is kept.
        level: `"loudness"`, or `"power"`: what the features hold as loudness.
    """

    def __init__(
        self, spec: FrameSpec, estimator: F0Estimator, audio_format: str = "int16", level: str = "loudness"
    ) -> None:
        self.spec = spec
        self.estimator = estimator
        self._keep = to_int16 if audio_format == "int16" else np.asarray
        self._level = level
        self._edge = -(-window_size(spec.sample_rate) // (2 * spec.hop))

    def __call__(self, cut: Cut) -> Analysis:
        """Measure one passage within the sound around it, so that its ends do not show."""
        part = slice(cut.lead_frames, cut.lead_frames + cut.n_frames)
        around = loudness_db(cut.audio, self.spec)
        loudness = around[part]
        own = slice(self._edge, cut.n_frames - self._edge)  # the outermost hear what is beside the passage
        silent = bool(loudness[own].max(initial=SILENCE_DB) <= SILENCE_DB)
        hop = self.spec.hop
        audio = cut.audio[cut.lead_frames * hop : (cut.lead_frames + cut.n_frames) * hop]
        kept = self._keep(audio)
        if silent:
            none = np.zeros(cut.n_frames, np.float32)
            return Analysis(kept, cut.first_sample, none, none, loudness, True, cut.source)
        track = self.estimator.estimate(cut.audio, self.spec)
        f0_hz, voicing = track.f0_hz[part], track.voicing[part]
        first_second = cut.first_sample / self.spec.sample_rate
        quality = measure_quality(audio, f0_hz, loudness, self.spec, cut.clipped_samples, first_second)
        level = level_db(self._level, cut.audio, around, self.spec)[part]
        return Analysis(kept, cut.first_sample, f0_hz, voicing, level, False, cut.source, quality)


def context_frames(spec: FrameSpec, context_seconds: float) -> int:
    """Frames of sound wanted on each side of a passage: what the estimator and the loudness window need."""
    pitch = math.ceil(Fraction(context_seconds) * spec.frame_rate)
    loudness = -(-window_size(spec.sample_rate) // spec.hop)
    return max(pitch, loudness)


def to_int16(audio: Array) -> Array:
    """Round samples of full scale 1 to 16 bits; what is beyond full scale is clipped."""
    return np.clip(np.rint(audio * 32768.0), -32768, 32767).astype("<i2")


def as_float(audio: Array) -> Array:
    """Turn samples as they are stored, int16 or float32, into float32 of full scale 1."""
    if audio.dtype == np.int16:
        return np.asarray(audio.astype(np.float32) / np.float32(32768.0))
    return audio
