"""The wheels and pedals of a MIDI keyboard."""

import numpy as np

from ddsp_edge.units import LOUDNESS_FLOOR_DB

CHANNELS = 16
ALL_SOUND_OFF, ALL_NOTES_OFF = 120, 123  # channel mode messages, which are control changes
_GM_VOLUME = 100  # CC 7 of a channel that was never told, after General MIDI


class Controllers:
    """Where everything stands that is no key: bend and its range (RPN 0), CC 1, 7, 11 and 64."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Put everything where a new keyboard has it."""
        self.bend_range, self._parameter = 2.0, (127, 127)
        self.volume_db = 0.0
        self.centre()

    def centre(self) -> None:
        """Reset all controllers (CC 121): bend, modulation, expression and pedal."""
        self.bend, self.modulation, self.expression_db = 0.0, 0.0, 0.0
        self.sustained = False

    @property
    def bend_semitones(self) -> float:
        """How far the pitch is bent."""
        return self.bend * self.bend_range

    @property
    def level_db(self) -> float:
        """Change of loudness by volume and expression, dB."""
        return self.volume_db + self.expression_db

    def hear(self, control: int, value: int) -> None:
        """Take in a control change."""
        if control == 1:
            self.modulation = value / 127.0
        elif control == 7:
            self.volume_db = _level_db(value, _GM_VOLUME)
        elif control == 11:
            self.expression_db = _level_db(value, 127)
        elif control == 64:
            self.sustained = value >= 64
        elif control == 101:
            self._parameter = (value, self._parameter[1])
        elif control == 100:
            self._parameter = (self._parameter[0], value)
        elif control == 6 and self._parameter == (0, 0):
            self.bend_range = float(value)
        elif control == 38 and self._parameter == (0, 0):
            self.bend_range = int(self.bend_range) + value / 100.0  # cents
        elif control == 121:
            self.centre()


def _level_db(value: int, full: int) -> float:
    """Gain of CC 7 or CC 11: the square law of General MIDI level 2, against `full`."""
    return 40.0 * float(np.log10(value / full)) if value > 0 else LOUDNESS_FLOOR_DB
