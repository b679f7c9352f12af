"""What an instrument is told of how loud a sound is: A-weighted loudness, or power."""

from ddsp_edge.features import loudness, power
from ddsp_edge.features.loudness import LoudnessMeter
from ddsp_edge.features.power import PowerMeter
from ddsp_edge.frames import FrameSpec
from ddsp_edge.instrument_card import LEVELS

DEFINITIONS = dict(zip(LEVELS, (loudness.DEFINITION, power.DEFINITION), strict=True))
"""How a model names what it was trained on, by the level in its card."""


def level_meter(level: str, spec: FrameSpec, size: int | None = None) -> LoudnessMeter | PowerMeter:
    """The meter of a level.

    Args:
        level: One of `LEVELS`, as the card of an instrument has it.
        spec: The frame grid.
        size: Integer > 0, window length in samples; None for that of the level's definition.
    """
    return PowerMeter(spec, size) if level == "power" else LoudnessMeter(spec, size)
