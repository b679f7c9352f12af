"""Restoring live: what a microphone hears, without its noise, a fixed number of samples later."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ddsp_edge.card import Card
from ddsp_edge.frames import FrameSpec
from ddsp_edge.live.sample_queue import CHUNK, SampleQueue
from ddsp_edge.model.file import ModelFile
from ddsp_edge.restoration.restorer import open_restorer
from ddsp_edge.units import Array


class LiveRestorer:
    """Restore a stream of one channel, in blocks of any size.

    The output is that of `Restorer`, held to full scale. A window of four hops has to be heard, and a hop can
    be given when the last of its samples is in, so

        latency_samples = 4 * hop - 1

    which at 16 kHz with hops of 128 samples is 511 samples, 31.9 ms. Sound that passes (see `strength`) is as
    late as what is restored, so the two do not interfere.

    Args:
        path: A `.tflite` made by `ddsp-tf export`.
        sample_rate: Integer, Hz; None for the model's. Nothing is resampled at any rate.
        strength: From 0, which leaves the sound as it is, to 1; may be changed at any time.
        runtime: `"auto"`, `"litert"` or `"numpy"`.

    Raises:
        DdspError: If the file cannot be used, is of another task, or an argument is out of range.

    Example:
        >>> restorer = LiveRestorer("speech.tflite", 48000)  # doctest: +SKIP
        >>> out = restorer.process(microphone.read(480))     # doctest: +SKIP
    """

    def __init__(
        self,
        path: str | Path | ModelFile[Card],
        sample_rate: int | None = None,
        strength: float = 1.0,
        runtime: str = "auto",
    ) -> None:
        self._restorer = open_restorer(path, sample_rate, 1, strength, runtime)
        self.spec: FrameSpec = self._restorer.spec
        self.latency_samples = self._restorer.latency_samples + self.spec.hop - 1
        self._queue = SampleQueue(4 * (self.spec.hop + CHUNK))
        self.reset()

    @property
    def strength(self) -> float:
        """How much is done of what the network asks for, 0 to 1."""
        return self._restorer.strength

    @strength.setter
    def strength(self, value: float) -> None:
        self._restorer.strength = value

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0."""
        self._restorer.reset()
        self._queue.clear(zeros=self.spec.hop - 1)

    def panic(self) -> None:
        """Stop all sound."""
        self.reset()

    def process(self, block: npt.ArrayLike) -> Array:
        """Take a block `[n]` (full scale 1; what is not finite is silence), give one, float32 `[n]`.

        Raises:
            DdspError: If the block has more than one dimension.
        """
        return self._queue.through(block, self._take)

    def _take(self, part: Array) -> None:
        restored, _ = self._restorer.push(part)
        self._queue.write(np.clip(restored[:, 0], -1.0, 1.0))
