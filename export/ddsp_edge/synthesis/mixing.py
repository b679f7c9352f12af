"""Sums and crossfades of signals."""

from functools import reduce

import numpy as np

from ddsp_edge.frames import FrameSpec
from ddsp_edge.synthesis.processor import check_shape, crossfade
from ddsp_edge.units import Array


class Add:
    """Sum of its inputs, which may have any name."""

    def reset(self) -> None:
        """Nothing to forget."""

    def process(self, **audio: Array) -> Array:
        """Sum signals `[frames * hop]`."""
        return np.asarray(reduce(np.add, audio.values()), np.float32)


class Mix:
    """Crossfade of two signals: `level * audio_0 + (1 - level) * audio_1`.

    Args:
        spec: The frame grid.
    """

    def __init__(self, spec: FrameSpec) -> None:
        self.spec = spec
        self._window = crossfade(spec.hop)
        self.reset()

    def reset(self) -> None:
        """The first hop holds the level of frame 0."""
        self._level: Array | None = None

    def process(self, *, audio_0: Array, audio_1: Array, level: Array) -> Array:
        """Mix signals `[frames * hop]` by a level `[frames, 1]` in 0..1, which moves by a raised cosine."""
        check_shape("level", level, (len(level), 1))
        check_shape("audio_0", audio_0, (len(level) * self.spec.hop,))
        check_shape("audio_1", audio_1, (len(level) * self.spec.hop,))
        level = np.asarray(level, np.float32)
        before = np.concatenate([level[:1] if self._level is None else self._level, level[:-1]])
        self._level = level[-1:].copy()
        gain = (before + self._window * (level - before)).reshape(-1)
        return np.asarray(audio_1 + gain * (audio_0 - audio_1), np.float32)
