"""Play a model made by ddsp_tf: numpy and LiteRT, nothing heavy.

Names are loaded when they are first used, so that a command line can answer, and set the number of
threads of numpy's linear algebra, before numpy is there.
"""

from typing import TYPE_CHECKING

from ddsp_edge.errors import DdspError
from ddsp_edge.lazy import handed_on
from ddsp_edge.version import __version__

if TYPE_CHECKING:
    from ddsp_edge.card import Card
    from ddsp_edge.features.loudness import LoudnessMeter
    from ddsp_edge.features.pitch import PitchTracker
    from ddsp_edge.frames import FrameSpec
    from ddsp_edge.instrument import Instrument
    from ddsp_edge.instrument_card import InstrumentCard
    from ddsp_edge.live import EffectSettings, KeySettings, LiveEffect, LiveInstrument
    from ddsp_edge.model.file import read_model_file
    from ddsp_edge.model.step_model import StepModel
    from ddsp_edge.synthesis.rooms import resample_impulse_response

__all__ = [
    "Card",
    "DdspError",
    "EffectSettings",
    "FrameSpec",
    "Instrument",
    "InstrumentCard",
    "KeySettings",
    "LiveEffect",
    "LiveInstrument",
    "LoudnessMeter",
    "PitchTracker",
    "StepModel",
    "__version__",
    "read_model_file",
    "resample_impulse_response",
]

__getattr__, __dir__ = handed_on(
    __name__,
    {
        "Card": "ddsp_edge.card",
        "EffectSettings": "ddsp_edge.live",
        "FrameSpec": "ddsp_edge.frames",
        "Instrument": "ddsp_edge.instrument",
        "InstrumentCard": "ddsp_edge.instrument_card",
        "KeySettings": "ddsp_edge.live",
        "LiveEffect": "ddsp_edge.live",
        "LiveInstrument": "ddsp_edge.live",
        "LoudnessMeter": "ddsp_edge.features.loudness",
        "PitchTracker": "ddsp_edge.features.pitch",
        "StepModel": "ddsp_edge.model.step_model",
        "read_model_file": "ddsp_edge.model.file",
        "resample_impulse_response": "ddsp_edge.synthesis.rooms",
    },
)
