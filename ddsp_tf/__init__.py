"""Differentiable digital signal processing for TensorFlow and Keras 3."""

from ddsp_edge.version import __version__
from ddsp_tf.backend import BACKEND

__all__ = ["BACKEND", "__version__"]
