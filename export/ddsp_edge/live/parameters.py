"""Registered parameters of a MIDI channel: bend range, tuning, depth of the modulation wheel."""

_DATA_MSB, _DATA_LSB, _INCREMENT, _DECREMENT = 6, 38, 96, 97
_NRPN = (98, 99)
_RPN_LSB, _RPN_MSB = 100, 101
_NONE = (127, 127)
_BEND_RANGE, _FINE, _COARSE, _MODULATION_RANGE = (0, 0), (0, 1), (0, 2), (0, 5)
_USUAL = {_BEND_RANGE: (2, 0), _FINE: (64, 0), _COARSE: (64, 0), _MODULATION_RANGE: (0, 64)}
"""What each has until it is told: two semitones, no tuning, half a semitone; MSB and LSB."""

_LAST_LSB = {_BEND_RANGE: 99}  # it counts cents; others count to 127


class Parameters:
    """Selection by CC 98 to 101, data by CC 6, 38, 96 and 97, after MIDI 1.0 and RP-018.

    What an unregistered number (NRPN) selects is of another instrument: its data go nowhere.
    """

    def __init__(self) -> None:
        self._values = dict(_USUAL)
        self._select(_NONE)
        self._compute()

    def deselect(self) -> None:
        """Select none: data that come go nowhere."""
        self._select(_NONE)

    def hear(self, control: int, value: int) -> None:
        """Take in a control change; what is none of those above is passed over."""
        if control in _NRPN:
            self._registered = False
        elif control == _RPN_MSB:
            self._select((value, self._number[1]))
        elif control == _RPN_LSB:
            self._select((self._number[0], value))
        elif self._registered and self._number in self._values:
            self._enter(control, value)

    def _select(self, number: tuple[int, int]) -> None:
        self._number, self._registered = number, True
        self._lsb_is_first, self._first_lsb = True, 0  # whether one that comes now is, and which came so

    def _enter(self, control: int, value: int) -> None:
        msb, lsb = self._values[self._number]
        if control == _DATA_MSB:
            # Some send the LSB before it, though without one it is 0.
            msb, lsb = value, self._first_lsb
            self._lsb_is_first, self._first_lsb = False, 0
        elif control == _DATA_LSB:
            lsb = value
            if self._lsb_is_first:
                self._first_lsb = value
        elif control in (_INCREMENT, _DECREMENT):
            msb, lsb = self._moved(1 if control == _INCREMENT else -1, msb, lsb)
        else:
            return
        self._values[self._number] = msb, lsb
        self._compute()

    def _moved(self, step: int, msb: int, lsb: int) -> tuple[int, int]:
        """A value one step up or down: of the MSB for coarse tuning, of the LSB with its carry for others."""
        if self._number == _COARSE:
            return min(max(msb + step, 0), 127), lsb
        base = _LAST_LSB.get(self._number, 127) + 1
        value = min(max(msb * base + min(lsb, base - 1) + step, 0), 128 * base - 1)
        return value // base, value % base

    def _compute(self) -> None:
        semitones, cents = self._values[_BEND_RANGE]
        self.bend_range = semitones + cents / 100.0
        """Semitones of a full bend."""
        fine, coarse = self._values[_FINE], self._values[_COARSE]
        self.tuning_semitones = (coarse[0] - 64) + (fine[0] * 128 + fine[1] - 8192) / 8192.0
        """By which the channel is tuned."""
        modulation = self._values[_MODULATION_RANGE]
        self.modulation_share = (modulation[0] + modulation[1] / 128.0) / 0.5
        """Depth of the vibrato at full modulation wheel, 1 where it is as usual."""
