"""Metrics: Keras metrics of sound and pitch, and plain functions of pitch tracks."""

from ddsp_tf.metrics.distortion import LogSpectralDistance, SiSdr
from ddsp_tf.metrics.fundamental import F0L1, F0Outliers
from ddsp_tf.metrics.loudness import LoudnessL1
from ddsp_tf.metrics.pitch_accuracy import (
    OctaveErrorRate,
    RawChromaAccuracy,
    RawPitchAccuracy,
    VoicingFalseAlarm,
    VoicingRecall,
)
from ddsp_tf.metrics.spectral import MultiScaleSpectralDistance

__all__ = [
    "F0L1",
    "F0Outliers",
    "LogSpectralDistance",
    "LoudnessL1",
    "MultiScaleSpectralDistance",
    "OctaveErrorRate",
    "RawChromaAccuracy",
    "RawPitchAccuracy",
    "SiSdr",
    "VoicingFalseAlarm",
    "VoicingRecall",
]
