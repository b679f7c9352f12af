"""Metrics: Keras metrics of sound, and plain functions of pitch tracks."""

from ddsp_tf.metrics.loudness import LoudnessL1
from ddsp_tf.metrics.spectral import MultiScaleSpectralDistance

__all__ = ["LoudnessL1", "MultiScaleSpectralDistance"]
