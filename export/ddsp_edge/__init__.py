"""Play a model made by ddsp_tf: numpy and LiteRT, nothing heavy."""

from ddsp_edge.card import Card, read_model_file
from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.instrument import Instrument
from ddsp_edge.loudness import LoudnessMeter
from ddsp_edge.pitch import PitchTracker
from ddsp_edge.version import __version__

__all__ = [
    "Card",
    "DdspError",
    "FrameSpec",
    "Instrument",
    "LoudnessMeter",
    "PitchTracker",
    "__version__",
    "read_model_file",
]
