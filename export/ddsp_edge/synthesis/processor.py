"""What a signal processor is: controls in, samples out, hop by hop, in numpy.

Every processor carries what the next hop needs, so that streaming any number of frames a call gives
the samples of doing them all at once. Audio is float32; phase is float64, because a float32 phase has
drifted by 0.14 cycle after ten minutes.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.units import Array

SAMPLES_AT_ONCE = 16_384
"""Samples of one pass of a processor: its tables stay in the cache."""


class Processor(Protocol):
    """What a node of a synthesizer does."""

    def reset(self) -> None:
        """Forget everything: the next frame is frame 0."""

    @property
    def process(self) -> Callable[..., Array]:
        """Return the float32 samples `[frames * hop]` of `frames` >= 1 frames of controls, by keyword."""


def crossfade(hop: int) -> Array:
    """Raised cosine `[hop]` from 0 up to, not including, 1: the weight of the frame a hop moves to."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.arange(hop) / hop), np.float32)


def check_shape(name: str, value: Array, shape: tuple[int, ...]) -> None:
    """Refuse an array of another shape.

    Raises:
        DdspError: With both shapes.
    """
    if value.shape != shape:
        raise DdspError(f"{name} must have shape {list(shape)}. Received shape: {list(value.shape)}")
