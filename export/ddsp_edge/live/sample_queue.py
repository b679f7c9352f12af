"""Samples between two grids: what is rendered in hops is taken out in blocks."""

import numpy as np

from ddsp_edge.units import Array


class SampleQueue:
    """First in, first out, in memory that is taken once.

    Args:
        capacity: Integer, samples it has room for.
    """

    def __init__(self, capacity: int) -> None:
        self._samples = np.zeros(capacity, np.float32)
        self._start = self._end = 0

    def __len__(self) -> int:
        return self._end - self._start

    def clear(self, zeros: int = 0) -> None:
        """Forget what is in it; begin with `zeros` samples of silence."""
        self._start, self._end = 0, zeros
        self._samples[:zeros] = 0.0

    def write(self, audio: Array) -> None:
        """Add samples `[n]`."""
        if self._end + len(audio) > len(self._samples):
            kept = len(self)
            self._samples[:kept] = self._samples[self._start : self._end].copy()
            self._start, self._end = 0, kept
        self._samples[self._end : self._end + len(audio)] = audio
        self._end += len(audio)

    def read_into(self, out: Array) -> None:
        """Fill `out` `[n]` with the oldest samples; there must be as many."""
        out[:] = self._samples[self._start : self._start + len(out)]
        self._start += len(out)

    def peek(self, start: int, stop: int) -> Array:
        """View of the samples `start` to `stop` from the oldest one on, true until the next are added."""
        return self._samples[self._start + start : self._start + stop]

    def skip(self, n: int) -> None:
        """Leave out the oldest `n` samples; there must be as many."""
        self._start += n
