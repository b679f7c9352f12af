"""Analysis windows on the frame grid, cut from a stream of samples."""

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import Array


class CenteredWindows:
    """Cut windows centred on the frames of a stream, whatever the sizes of its blocks.

    The window of frame `i` covers the `size` samples from `frame_sample(i) - size // 2`; samples before
    the start and after the end of the stream are zero. A frame comes out as soon as its last sample is
    in: `size // 2` samples after the sample that the frame stands for.

    Args:
        spec: The frame grid.
        size: Integer > 0, window length in samples.
    """

    def __init__(self, spec: FrameSpec, size: int) -> None:
        self.spec = spec
        self.size = size
        self.latency_samples = size - size // 2
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample pushed is sample 0."""
        self._start = self.spec.frame_sample(0) - self.size // 2  # first sample of the next window
        self._origin = min(self._start, 0)  # sample number of the buffer's first entry
        self._buffer: Array = np.zeros(-self._origin, np.float32)
        self._pushed = 0
        self._frames = 0

    def push(self, audio: npt.ArrayLike) -> Array:
        """Add samples `[n]`; return the windows that are complete now, float32 `[frames, size]`."""
        block = np.asarray(audio, np.float32)
        self._pushed += len(block)
        self._buffer = np.concatenate([self._buffer, block])
        return self._cut()

    def flush(self) -> Array:
        """End the stream; return the windows that were still waiting, padded with zeros."""
        missing = self.spec.n_frames(self._pushed) - self._frames
        if missing <= 0:
            return np.zeros((0, self.size), np.float32)
        end = self._start + (missing - 1) * self.spec.hop + self.size
        padding = max(0, end - self._origin - len(self._buffer))
        self._buffer = np.concatenate([self._buffer, np.zeros(padding, np.float32)])
        return self._cut(missing)

    def _cut(self, at_most: int | None = None) -> Array:
        skip = self._start - self._origin
        if skip > 0:  # a hop longer than the window leaves samples that nothing looks at
            drop = min(skip, len(self._buffer))
            self._buffer = self._buffer[drop:]
            self._origin += drop
        ready = len(self._buffer) - (self._start - self._origin) - self.size
        count = ready // self.spec.hop + 1 if ready >= 0 and self._start == self._origin else 0
        if at_most is not None:
            count = min(count, at_most)
        if count <= 0:
            return np.zeros((0, self.size), np.float32)
        # A loop: numpy's own view of windows takes longer to make than the few of a live block to copy.
        windows = np.empty((count, self.size), np.float32)
        for i, window in enumerate(windows):
            window[:] = self._buffer[i * self.spec.hop : i * self.spec.hop + self.size]
        self._frames += count
        self._start += count * self.spec.hop
        drop = min(self._start - self._origin, len(self._buffer))
        self._buffer = self._buffer[drop:].copy()
        self._origin += drop
        return windows


class WindowMeter(ABC):
    """Measures a stream frame by frame, each in the window centred on it.

    Args:
        spec: The frame grid.
        size: Integer > 0, window length in samples.

    Attributes:
        window_samples: Window length.
        latency_samples: Samples after the one that a frame stands for until it is known.
    """

    def __init__(self, spec: FrameSpec, size: int) -> None:
        self._windows = CenteredWindows(spec, size)
        self.window_samples = size
        self.latency_samples = self._windows.latency_samples

    def reset(self) -> None:
        """Forget everything: the next sample pushed is sample 0."""
        self._windows.reset()

    def push(self, audio: npt.ArrayLike) -> Array:
        """Add samples `[n]`; return what is measured of the frames complete now, `[frames, ...]`."""
        return self._measure(self._windows.push(audio))

    def flush(self) -> Array:
        """End the stream; return what is measured of its last frames, `[frames, ...]`."""
        return self._measure(self._windows.flush())

    @abstractmethod
    def _measure(self, windows: Array) -> Array:
        """What is measured of windows, float32 `[frames, window_samples]`."""
