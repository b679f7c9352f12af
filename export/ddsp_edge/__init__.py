"""Play a model made by ddsp_tf: numpy and LiteRT, nothing heavy."""

from ddsp_edge.version import __version__

__all__ = ["__version__"]
