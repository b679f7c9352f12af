"""Losses, all `keras.losses.Loss`."""

from ddsp_tf.losses.consistency import HarmonicNoiseConsistency
from ddsp_tf.losses.loudness import LoudnessLoss
from ddsp_tf.losses.perceptual import CrepeEmbeddingLoss
from ddsp_tf.losses.spectral import MultiScaleSpectralLoss
from ddsp_tf.losses.terms import Branches, TermedLoss
from ddsp_tf.losses.weighted import WeightedLosses

__all__ = [
    "Branches",
    "CrepeEmbeddingLoss",
    "HarmonicNoiseConsistency",
    "LoudnessLoss",
    "MultiScaleSpectralLoss",
    "TermedLoss",
    "WeightedLosses",
]
