"""What plays blocks of any size: the frame around both ways of playing live."""

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from ddsp_edge.live.sample_queue import CHUNK, SampleQueue
from ddsp_edge.live.settings import Settings
from ddsp_edge.live.voices import VoiceBank
from ddsp_edge.synthesis.limiter import Output
from ddsp_edge.units import Array, energy

_LOUDEST = 8.0  # 18 dB over full scale; what is beyond is no sound, and would overflow when squared


class BlockPlayer(ABC):
    """Take blocks of any size, render hops, give blocks of that size, a fixed number of samples later.

    Nothing here locks, opens a file or keeps more than it had at the start.

    Args:
        bank: The voices.
        settings: Read for each block, changed by anybody.
        latency_samples: Integer, samples by which the output follows the input.
    """

    def __init__(self, bank: VoiceBank, settings: Settings, latency_samples: int) -> None:
        self.card, self.spec = bank.card, bank.spec
        self.latency_samples = latency_samples
        self._bank = bank
        self._common = settings
        self._output = Output(self.spec)
        self._queue = SampleQueue(4 * (latency_samples + self.spec.hop + CHUNK))
        self._queue.clear(zeros=latency_samples)

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0."""
        self._bank.reset()
        self._output.reset()
        self._queue.clear(zeros=self.latency_samples)

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
        # Where the squares sum up to no more than that of the loudest, none is louder, and each a number.
        if not energy(part) <= _LOUDEST**2 and not (np.abs(part) <= _LOUDEST).all():
            part = np.where(np.isfinite(part), np.clip(part, -_LOUDEST, _LOUDEST), np.float32(0.0))
        self._advance(part)

    @abstractmethod
    def _advance(self, part: Array) -> None:
        """Take in samples `[n]`; see to it that as many can be taken from the queue."""

    def _give(self, dry: Array, fade: Array | None = None) -> None:
        """Send the sum of the voices `[hops * hop]` through the room, a fade and the last stage."""
        room = self._bank.reverberate(dry, self._common.room())
        self._emit(room if fade is None else room * fade)

    def _emit(self, sound: Array) -> None:
        """Send sound `[hops * hop]` through the last stage."""
        self._queue.write(self._output.process(sound, self._common.gain("gain_db")))
