"""Clipping in a recording: runs of samples at the highest level that its format holds.

Integers cannot go beyond full scale, so one sample there says nothing; a waveform that stays there was cut
off. Meters of CD mastering (Sony's DMU-30) light "over" after some samples in a row at full scale, four by
custom, and Audacity's "Find Clipping" takes three, which is what is counted here.
"""

import numpy as np

from ddsp_edge.units import Array

RUN_SAMPLES = 3

_TOP_OF_16_BITS = 32_767.0 / 32_768.0
_FULL_SCALE = {
    "PCM_S8": 127.0 / 128.0,
    "PCM_U8": 127.0 / 128.0,
    "PCM_16": _TOP_OF_16_BITS,
    "PCM_24": _TOP_OF_16_BITS,  # 16 bits that were clipped are often stored as 24 or 32
    "PCM_32": _TOP_OF_16_BITS,
    "ULAW": 32_124.0 / 32_768.0,
    "ALAW": 32_256.0 / 32_768.0,
}


def full_scale(subtype: str) -> float:
    """Level from which on a sample is at full scale, by libsndfile's name of how samples are stored."""
    return _FULL_SCALE.get(subtype, 1.0)


class ClippingCounter:
    """Counts the samples of runs at full scale in a stream of blocks, each channel by itself.

    Args:
        level: Magnitude from which on a sample is at full scale.
        channels: Integer > 0.
    """

    def __init__(self, level: float, channels: int) -> None:
        self._level = level
        self._open = np.zeros(channels, np.int64)  # length of the run that reaches the end of what was seen
        self._ended = 0

    @property
    def samples(self) -> int:
        """Samples in runs of at least three, of all channels together, in what was seen so far."""
        return self._ended + int(self._open[self._open >= RUN_SAMPLES].sum())

    def add(self, block: Array) -> None:
        """Take the next block `[n, channels]`, n > 0."""
        loud = np.abs(block) >= self._level
        if not loud.any() and not self._open.any():
            return
        for channel, mask in enumerate(loud.T):
            steps = np.diff(mask.astype(np.int8), prepend=0, append=0)
            starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
            lengths = ends - starts
            if len(starts) and starts[0] == 0:
                lengths[0] += self._open[channel]
            else:
                lengths = np.append(lengths, self._open[channel])  # it ended with the block before
            self._open[channel] = 0
            if mask[-1]:
                last = len(starts) - 1
                self._open[channel] = lengths[last]
                lengths = np.delete(lengths, last)
            self._ended += int(lengths[lengths >= RUN_SAMPLES].sum())
