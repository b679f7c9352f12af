"""Losses, all `keras.losses.Loss`."""

from ddsp_tf.losses.spectral import MultiScaleSpectralLoss

__all__ = ["MultiScaleSpectralLoss"]
