"""Play a model made by ddsp_tf: numpy and LiteRT, nothing heavy.

Names are loaded when they are first used, so that a command line can answer, and set the number of
threads of numpy's linear algebra, before numpy is there.
"""

import importlib
from typing import TYPE_CHECKING

from ddsp_edge.errors import DdspError
from ddsp_edge.version import __version__

if TYPE_CHECKING:
    from ddsp_edge.card import Card, read_model_file
    from ddsp_edge.features.loudness import LoudnessMeter
    from ddsp_edge.features.pitch import PitchTracker
    from ddsp_edge.frames import FrameSpec
    from ddsp_edge.instrument import Instrument
    from ddsp_edge.live import EffectSettings, KeySettings, LiveEffect, LiveInstrument
    from ddsp_edge.synthesis.rooms import resample_impulse_response

__all__ = [
    "Card",
    "DdspError",
    "EffectSettings",
    "FrameSpec",
    "Instrument",
    "KeySettings",
    "LiveEffect",
    "LiveInstrument",
    "LoudnessMeter",
    "PitchTracker",
    "__version__",
    "read_model_file",
    "resample_impulse_response",
]

_MODULES = {
    "Card": "card",
    "EffectSettings": "live",
    "FrameSpec": "frames",
    "Instrument": "instrument",
    "KeySettings": "live",
    "LiveEffect": "live",
    "LiveInstrument": "live",
    "LoudnessMeter": "features.loudness",
    "PitchTracker": "features.pitch",
    "read_model_file": "card",
    "resample_impulse_response": "synthesis.rooms",
}


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
