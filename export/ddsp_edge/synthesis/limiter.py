"""The last stage: gain, and a limiter after which no sample exceeds full scale."""

import numpy as np

from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import Array, energy, silence_bad

_RELEASE_S = 0.1  # time constant: shorter is heard as distortion of low notes, longer as pumping


class Limiter:
    """A peak limiter without delay: instant attack, exponential release.

    With `r = exp(-1 / (release_s sample_rate))`:

        e[n] = max(|x[n]|, r e[n - 1]),    y[n] = x[n] / max(1, e[n])

    so `|y| <= 1` always, and what never reaches full scale is left as it is, bit by bit.

    Args:
        spec: The frame grid; audio comes in whole hops.
    """

    def __init__(self, spec: FrameSpec) -> None:
        self.spec = spec
        n = np.arange(1, spec.hop + 1) / (_RELEASE_S * spec.sample_rate)
        self._decay, self._growth = np.exp(-n), np.exp(n)
        self.reset()

    def reset(self) -> None:
        """Forget what was loud."""
        self._level = 1.0  # levels below full scale change nothing: they need not be followed

    def process(self, audio: Array) -> Array:
        """Limit samples `[hops * hop]`; return as many, float32, the input where it needs no change."""
        # Where the squares sum up to 1 at most no sample is beyond.
        if self._level <= 1.0 and (energy(audio) <= 1.0 or np.abs(audio).max(initial=0.0) <= 1.0):
            return audio
        out = np.empty_like(audio, dtype=np.float32)
        for start in range(0, len(audio), self.spec.hop):
            hop = audio[start : start + self.spec.hop]
            magnitude = np.abs(hop).astype(np.float64)
            risen = np.maximum.accumulate(magnitude * self._growth)
            level = np.maximum(np.maximum(risen, self._level) * self._decay, magnitude)
            out[start : start + self.spec.hop] = hop / np.maximum(level, 1.0)
            self._level = max(1.0, float(level[-1]))
        return np.clip(out, -1.0, 1.0, out=out)  # a rounding of the division may be an ulp beyond


class Output:
    """Gain, which moves in a straight line over what it is given, and a limiter.

    Args:
        spec: The frame grid.
    """

    def __init__(self, spec: FrameSpec) -> None:
        self._limiter = Limiter(spec)
        self.reset()

    def reset(self) -> None:
        """Forget what was; the next gain holds at once."""
        self._limiter.reset()
        self._gain: float | None = None

    def process(self, audio: Array, gain: float) -> Array:
        """Apply a gain to samples `[hops * hop]` and limit them; what is not finite is silence."""
        before = gain if self._gain is None else self._gain
        self._gain = gain
        if before != gain:
            ramp = np.linspace(before, gain, len(audio) + 1, dtype=np.float32)[1:]
            audio = audio * ramp
        elif gain != 1.0:
            audio = audio * np.float32(gain)
        return self._limiter.process(silence_bad(audio))
