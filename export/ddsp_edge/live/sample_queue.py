"""Samples between two grids: what is rendered in hops is taken out in blocks."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ddsp_edge.errors import DdspError
from ddsp_edge.units import Array

CHUNK = 1024  # samples handed on together: bounds memory, whatever a block's size


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

    def through(self, block: npt.ArrayLike, advance: Callable[[Array], None]) -> Array:
        """Hand a block `[n]` to what fills the queue, at most `CHUNK` samples at a time, and take as many.

        Args:
            block: Samples.
            advance: Takes in a part, float32, and adds at least as many samples as are to be taken out.

        Returns:
            float32 `[n]`.

        Raises:
            DdspError: If the block has more than one dimension.
        """
        samples = np.asarray(block, np.float32)
        if samples.ndim != 1:
            raise DdspError(f"A block must have one dimension. Received shape: {list(samples.shape)}")
        out = np.empty(len(samples), np.float32)
        for start in range(0, len(samples), CHUNK):
            part = samples[start : start + CHUNK]
            advance(part)
            self.read_into(out[start : start + len(part)])
        return out

    def peek(self, start: int, stop: int) -> Array:
        """View of the samples `start` to `stop` from the oldest one on, true until the next are added."""
        return self._samples[self._start + start : self._start + stop]

    def skip(self, n: int) -> None:
        """Leave out the oldest `n` samples; there must be as many."""
        self._start += n
