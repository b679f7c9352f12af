"""Differentiable digital signal processing for TensorFlow and Keras 3."""

from ddsp_edge.version import __version__

__all__ = ["__version__"]
