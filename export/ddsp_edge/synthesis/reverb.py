"""A room: convolution with a long impulse response, a hop at a time."""

import numpy as np
import numpy.typing as npt

from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import Array

_NEAR_TAPS = 1024
"""Taps that are summed sample by sample, in whole hops: as many as cost what the transforms of a hop cost."""


class Reverb:
    """Linear convolution with a whole impulse response, without delay.

    The first taps are summed in the time domain, so that a hop comes out as soon as it is in. Those that
    follow are convolved in the frequency domain, in partitions as long as the first ones (Gardner 1995), the
    sum of which is due only when the next begins. Most hops need no transform, and touch an eighth of the
    memory that partitions of a hop would: where other work shares the cache, that is what counts.

    Args:
        spec: The frame grid.
        impulse_response: `[taps]`; tap 0 is the dry path.
    """

    def __init__(self, spec: FrameSpec, impulse_response: npt.ArrayLike) -> None:
        response = np.asarray(impulse_response, np.float32)
        if response.ndim != 1 or not len(response):
            raise DdspError(f"impulse_response must have one dimension. Received shape: {response.shape}")
        self.spec = spec
        self.tail_samples = len(response) - 1
        near = spec.hop * (_NEAR_TAPS // spec.hop) or _NEAR_TAPS
        self._near = response[:near][::-1].copy()
        self._far = _FarTaps(response[near:], near) if len(response) > near else None
        self.reset()

    def reset(self) -> None:
        """Silence the room."""
        self._past: Array = np.zeros(len(self._near) - 1, np.float32)
        if self._far is not None:
            self._far.reset()

    def process(self, *, audio: Array) -> Array:
        """Convolve samples `[frames * hop]`; return as many, float32."""
        hop = self.spec.hop
        if audio.ndim != 1 or len(audio) % hop:
            raise DdspError(f"audio must hold whole hops of {hop} samples. Received shape: {audio.shape}")
        if not len(audio):
            return np.zeros(0, np.float32)
        audio = np.asarray(audio, np.float32)
        heard = np.concatenate((self._past, audio))
        self._past = heard[len(audio) :]
        out = np.correlate(heard, self._near, "valid")
        if self._far is not None:
            self._far.add(audio, out)
        return out


class _FarTaps:
    """Convolution that is due `size` samples late, in partitions of that size.

    Args:
        response: `[taps]`, at least one.
        size: Integer > 0, samples of a partition.
    """

    def __init__(self, response: Array, size: int) -> None:
        self._size = size
        self._parts = -(-len(response) // size)
        padded = np.zeros(self._parts * size, np.float32)
        padded[: len(response)] = response
        # The last partition first: the order in which the line below keeps the spectra of the past.
        spectra = np.fft.rfft(padded.reshape(self._parts, size), 2 * size)[::-1]
        self._response = np.ascontiguousarray(spectra, np.complex64)
        self._products = np.empty_like(self._response)
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        # Longer than the partitions, so that the line moves back only once in that many.
        self._line: Array = np.zeros((2 * self._parts, self._size + 1), np.complex64)
        self._end = self._parts - 1
        self._heard: Array = np.zeros(self._size, np.float32)  # of the partition that is coming in
        self._due: Array = np.zeros(self._size, np.float32)  # while it does
        self._tail: Array = np.zeros(self._size, np.float32)
        self._place = 0

    def add(self, audio: Array, out: Array) -> None:
        """Hear samples `[n]`; add what is due with them to `out` `[n]`."""
        start = 0
        while start < len(audio):
            count = min(len(audio) - start, self._size - self._place)
            now, there = slice(start, start + count), slice(self._place, self._place + count)
            out[now] += self._due[there]
            self._heard[there] = audio[now]
            start += count
            self._place = there.stop % self._size
            if not self._place:
                self._convolve()

    def _convolve(self) -> None:
        if self._end == len(self._line):
            keep = self._parts - 1
            self._line[:keep] = self._line[self._end - keep :]
            self._end = keep
        self._line[self._end] = np.fft.rfft(self._heard, 2 * self._size)
        self._end += 1
        np.multiply(self._line[self._end - self._parts : self._end], self._response, out=self._products)
        piece = np.fft.irfft(np.add.reduce(self._products, axis=0), 2 * self._size)
        self._due = np.asarray(piece[: self._size] + self._tail, np.float32)
        self._tail = piece[self._size :]
