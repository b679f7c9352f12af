"""The wheels and pedals of a MIDI channel; docs/midi.md says what each does, and what other players do."""

import numpy as np

from ddsp_edge.live.parameters import Parameters
from ddsp_edge.units import LOUDNESS_FLOOR_DB

CHANNELS = 16
SUSTAIN, SOSTENUTO = 64, 66
ALL_SOUND_OFF, RESET_ALL, ALL_NOTES_OFF = 120, 121, 123  # channel mode messages, which are control changes
NOTES_OFF = frozenset({ALL_NOTES_OFF, 124, 125, 126, 127})
"""Omni and mono or poly as well: MIDI 1.0 has each of them let all keys go, and no more is to do here."""

_GM_VOLUME = 100  # CC 7 of a channel that was never told, after General MIDI


class Controllers:
    """Where everything stands that is no key: bend, pressure, CC 1, 7, 11, 64, 66 and parameters."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Put everything where a new keyboard has it."""
        self._parameters = Parameters()
        self.volume_db = 0.0
        self.centre()

    def centre(self) -> None:
        """Reset all controllers (CC 121) as RP-015 has it.

        Volume stays, and so do bend range and tuning, whose number (RPN) is no longer selected.
        """
        self.bend, self._wheel, self.pressure, self.expression_db = 0.0, 0.0, 0.0, 0.0
        self.sustained = self.sostenuto = False
        self._parameters.deselect()

    @property
    def bend_semitones(self) -> float:
        """How far the pitch is bent, and the channel tuned."""
        return self.bend * self._parameters.bend_range + self._parameters.tuning_semitones

    @property
    def modulation(self) -> float:
        """Depth of the vibrato, 1 at full modulation wheel (of the range that is usual) or full pressure."""
        return self._wheel * self._parameters.modulation_share + self.pressure

    @property
    def level_db(self) -> float:
        """Change of loudness by volume and expression, dB."""
        return self.volume_db + self.expression_db

    def hear(self, control: int, value: int) -> None:
        """Take in a control change."""
        if control == 1:
            self._wheel = value / 127.0
        elif control == 7:
            self.volume_db = _level_db(value, _GM_VOLUME)
        elif control == 11:
            self.expression_db = _level_db(value, 127)
        elif control == SUSTAIN:
            self.sustained = value >= 64
        elif control == SOSTENUTO:
            self.sostenuto = value >= 64
        elif control == RESET_ALL:
            self.centre()
        else:
            self._parameters.hear(control, value)


def _level_db(value: int, full: int) -> float:
    """Gain of CC 7 or CC 11: the square law of General MIDI level 2, against `full`."""
    return 40.0 * float(np.log10(value / full)) if value > 0 else LOUDNESS_FLOOR_DB
