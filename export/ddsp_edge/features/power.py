"""Power: the mean square of the sound around each frame, in dB; the other measure of level.

One definition serves the device and the library (`ddsp_tf.features.power`), and it is that of the plug-in
DDSP-VST:

    power_db = 10 log10( max( mean of x[n]^2, 1e-10 ) )

over 64 ms centred on the frame, 1024 samples at 16 kHz, as they are: no window, no weighting. Full scale is
1, so a full-scale sine has -3.01 dB and digital silence has -100 dB.
"""

from math import log10

import numpy as np
import numpy.typing as npt

from ddsp_edge.features.windows import WindowMeter
from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import Array

POWER_SECONDS = 0.064  # 1024 samples at 16 kHz, as the plug-in DDSP-VST has it
POWER_FLOOR_DB = -100.0
DEFINITION = "mean square, 64 ms, dB re full scale, floor -100"
"""How a model names this definition."""

_FLOOR = 10.0 ** (POWER_FLOOR_DB / 10.0)


def power_window_size(sample_rate: int) -> int:
    """Window length in samples: 64 ms."""
    return round(POWER_SECONDS * sample_rate)


class PowerMeter(WindowMeter):
    """Measure the power of a stream, frame by frame: float32 `[frames]`, dB.

    Args:
        spec: The frame grid.
        size: Integer > 0, window length in samples; None for that of the definition, 64 ms.
    """

    def __init__(self, spec: FrameSpec, size: int | None = None) -> None:
        size = size or power_window_size(spec.sample_rate)
        super().__init__(spec, size)
        self._squares = np.empty(size, np.float64)

    def follow(self, window: Array) -> float:
        """Measure one window `[window_samples]` in dB, for whoever cuts windows already."""
        squares = np.square(window, out=self._squares, dtype=np.float64)
        return 10.0 * log10(max(float(squares.sum()) / self.window_samples, _FLOOR))

    def _measure(self, windows: Array) -> Array:
        return np.array([self.follow(window) for window in windows], np.float32)


def power_db(audio: npt.ArrayLike, spec: FrameSpec) -> Array:
    """Measure a whole signal, as `PowerMeter` does to the rounding of float32, and faster.

    Beyond the ends of `audio` is silence: give more of a passage than the frames that are wanted.

    Args:
        audio: Samples `[n]`, full scale 1.
        spec: The frame grid.

    Returns:
        float32 `[n // hop]`, -100 dB at least; frame `i` is centred on sample `(i + 1) * hop`.
    """
    samples = np.asarray(audio)
    size = power_window_size(spec.sample_rate)
    sums = np.cumsum(np.concatenate([[0.0], np.square(samples.astype(np.float64))]))
    ends = spec.frame_sample(0) + spec.hop * np.arange(len(samples) // spec.hop) - size // 2 + size
    last = np.minimum(ends, len(samples))
    energy = sums[last] - sums[np.clip(ends - size, 0, len(samples))]
    return np.asarray(10.0 * np.log10(np.maximum(energy / size, _FLOOR)), np.float32)
