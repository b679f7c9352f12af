"""Play an instrument live: blocks of any size, from audio or from MIDI, in numpy and LiteRT."""

from ddsp_edge.live.effect import LATENCIES, LiveEffect
from ddsp_edge.live.keys import LiveInstrument
from ddsp_edge.live.settings import EffectSettings, KeySettings

__all__ = ["LATENCIES", "EffectSettings", "KeySettings", "LiveEffect", "LiveInstrument"]
