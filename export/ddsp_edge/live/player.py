"""What a sound card plays: blocks in, blocks out, a fixed number of samples later."""

from typing import Protocol

import numpy.typing as npt

from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import Array


class Player(Protocol):
    """A `BlockPlayer`, or anything else that takes blocks of any size and gives as many samples.

    Attributes:
        spec: Rate and hop that it works at.
        latency_samples: Integer, by which the output follows the input.
    """

    @property
    def spec(self) -> FrameSpec:
        """See above."""
        ...

    @property
    def latency_samples(self) -> int:
        """See above."""
        ...

    def process(self, block: npt.ArrayLike) -> Array:
        """Take a block `[n]` (full scale 1; what is not finite is silence), give one, float32 `[n]`."""
        ...

    def panic(self) -> None:
        """Stop all sound, and forget what was heard."""
        ...
