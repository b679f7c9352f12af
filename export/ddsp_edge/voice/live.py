"""Converting live: what a microphone hears, in another person's voice, a fixed number of samples later."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_edge.card import Card
from ddsp_edge.live.sample_queue import CHUNK, SampleQueue
from ddsp_edge.model.file import ModelFile
from ddsp_edge.units import Array
from ddsp_edge.voice.converter import open_converter
from ddsp_edge.voice.matching import MATCH


class LiveConverter:
    """Convert a stream of one channel, in blocks of any size.

    The output is that of `Converter`, held to full scale. A frame is known when the encoder has heard enough
    of what follows, and its hop can be given then, so

        latency_samples = latency of the converter + hop - 1

    which with what hears pitch 56 ms late, hops of 8 ms and filters of 97 bands is 1119 samples at 16 kHz,
    69.9 ms; with a file that names `PitchTracker` the encoder is the latest, and it is 1063 samples, 66.4 ms.

    Args:
        path: A `.tflite` made by `ddsp-tf export`.
        pitch: `"keep"`, `"match"`, learned while somebody speaks, or semitones.
        voice: Name of the voice, of several.
        runtime: `"auto"`, `"litert"` or `"numpy"`.
        seed: Seed of the noise; None for another noise every time.

    Raises:
        DdspError: If the file cannot be used, is of another task, or an argument is out of range.

    Example:
        >>> converter = LiveConverter("voice.tflite")          # doctest: +SKIP
        >>> out = converter.process(microphone.read(160))      # doctest: +SKIP
    """

    def __init__(
        self,
        path: str | Path | ModelFile[Card],
        pitch: str | float = MATCH,
        voice: str | None = None,
        runtime: str = "auto",
        seed: int | None = None,
        **settings: Any,
    ) -> None:
        self._converter = open_converter(path, runtime, pitch=pitch, voice=voice, seed=seed, **settings)
        self.spec = self._converter.spec
        self._waits = self._converter.latency_samples - self._converter.delay_samples + self.spec.hop - 1
        self.latency_samples = self._converter.latency_samples + self.spec.hop - 1
        self._queue = SampleQueue(4 * (self.latency_samples + self.spec.hop + CHUNK))
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0."""
        self._converter.reset()
        self._queue.clear(zeros=self._waits)

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
        self._queue.write(np.clip(self._converter.push(part), -1.0, 1.0))
