"""Curves and pictures of a sound of any length, in as many columns as a screen has: memory does not grow."""

import numpy as np

from ddsp_edge.units import Array

MOST = 1200


class Columns:
    """Means over stretches of frames; whenever there are too many columns, each two become one.

    Args:
        width: Integer, values of a frame.
    """

    def __init__(self, width: int) -> None:
        self._sums: Array = np.zeros((0, width))
        self._waiting: Array = np.zeros((0, width))
        self._stride = 1

    def add(self, frames: Array) -> None:
        """Take frames `[n, width]` that follow those before."""
        frames = np.concatenate([self._waiting, np.asarray(frames, np.float64)])
        whole = len(frames) // self._stride
        cut = whole * self._stride
        columns = frames[:cut].reshape(whole, self._stride, frames.shape[1]).sum(axis=1)
        self._sums, self._waiting = np.concatenate([self._sums, columns]), frames[cut:]
        while len(self._sums) >= 2 * MOST:
            pairs = len(self._sums) // 2
            rest = self._sums[2 * pairs :]
            self._sums = self._sums[: 2 * pairs].reshape(pairs, 2, -1).sum(axis=1)
            # A column that is left over is half of the next one: its mean stands for its frames.
            self._waiting = np.concatenate(
                [np.repeat(rest / self._stride, self._stride, axis=0), self._waiting]
            )
            self._stride *= 2

    def means(self) -> Array:
        """Mean of each column, `[columns, width]`; the last one may be of fewer frames."""
        means = self._sums / self._stride
        return (
            np.concatenate([means, self._waiting.mean(axis=0, keepdims=True)])
            if len(self._waiting)
            else means
        )
