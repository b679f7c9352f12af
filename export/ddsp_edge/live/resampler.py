"""Sound at another rate as a stream: blocks of any size, a delay that is known to the sample.

`soxr`, which converts files, collects hundreds of samples before it gives any, too long for playing live.
"""

from math import gcd

import numpy as np

from ddsp_edge.units import Array

_ZERO_CROSSINGS = 16  # of the sinc on each side, at the lower of the two rates: 1 ms at 16 kHz
_BETA = 8.0  # of the Kaiser window: stop band at -80 dB
_ROLL_OFF = 0.92  # middle of the transition, re the lower Nyquist frequency


class Resampler:
    """A windowed sinc, evaluated where samples of the new rate lie (Smith & Gossett 1984).

    Sample `j` of the output stands for the time `j / rate_out`. It is given as soon as the `half_taps`
    samples after that time are in.

    Args:
        rate_in: Integer > 0, Hz.
        rate_out: Integer > 0, Hz.
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        common = gcd(rate_in, rate_out)
        self._step, self._phases = rate_in // common, rate_out // common  # output j lies at j * step / phases
        width = max(1.0, rate_in / rate_out)  # samples of the input between two zeros of the sinc
        self.half_taps = int(np.ceil(_ZERO_CROSSINGS * width))
        """Samples of the input after the time of an output that it waits for."""
        offsets = np.arange(-self.half_taps + 1, self.half_taps + 1)
        distance = offsets[None, :] - np.arange(self._phases)[:, None] / self._phases
        cutoff = _ROLL_OFF / width
        place = np.clip(distance / self.half_taps, -1.0, 1.0)
        window = np.i0(_BETA * np.sqrt(1.0 - place**2)) / np.i0(_BETA)
        filters = cutoff * np.sinc(cutoff * distance) * window
        # Each phase passes a constant unchanged; otherwise the phases are heard as a tone.
        self._filters = (filters / filters.sum(axis=1, keepdims=True)).astype(np.float32)
        self._taps = np.arange(2 * self.half_taps)
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0, with silence before it."""
        self._buffer: Array = np.zeros(self.half_taps - 1, np.float32)
        self._phase = 0  # of the next output, in 1 / phases of a sample after the buffer's middle

    def process(self, audio: Array) -> Array:
        """Add samples `[n]`; return those that are known now, float32."""
        self._buffer = np.concatenate([self._buffer, np.asarray(audio, np.float32)])
        spare = len(self._buffer) - 2 * self.half_taps
        if spare < 0:
            return np.zeros(0, np.float32)
        count = max(0, ((spare + 1) * self._phases - 1 - self._phase) // self._step + 1)
        places = self._phase + self._step * np.arange(count)
        starts, phases = places // self._phases, places % self._phases
        windows = self._buffer[starts[:, None] + self._taps]
        out = np.einsum("ij,ij->i", windows, self._filters[phases])
        end = self._phase + self._step * count
        drop = min(end // self._phases, len(self._buffer))
        self._buffer = self._buffer[drop:]
        self._phase = end - drop * self._phases
        return np.asarray(out, np.float32)
