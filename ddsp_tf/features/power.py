"""Power of each frame, the other measure of level that a network may be trained on."""

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec

POWER_SECONDS = 0.064  # 1024 samples at 16 kHz, as the plug-in DDSP-VST has it
POWER_FLOOR_DB = -100.0
LEVELS = ("loudness", "power")
"""What a network may be told of the level: A-weighted loudness, or power."""


def level_db(level: str, audio: Array, loudness_db: Array, spec: FrameSpec) -> Array:
    """What a network that is told of `level` hears of a sound, dB.

    Args:
        level: One of `LEVELS`.
        audio: `[frames * hop]`, full scale 1.
        loudness_db: `[frames]`, its A-weighted loudness.
        spec: The frame grid.

    Returns:
        float32 `[frames]`: the loudness, or the power in its place.
    """
    return power_db(audio, spec) if level == "power" else loudness_db


def power_window_size(sample_rate: int) -> int:
    """Window length in samples: 64 ms."""
    return round(POWER_SECONDS * sample_rate)


def power_db(audio: Array, spec: FrameSpec) -> Array:
    """Power of each frame in dB: 10 log10 of the mean square over 64 ms around the frame's sample.

    Beyond the ends of `audio` is silence: give more of a passage than the frames that are wanted.

    Args:
        audio: `[frames * hop]`, full scale 1.
        spec: The frame grid.

    Returns:
        float32 `[frames]`, -100 dB at least.
    """
    size = power_window_size(spec.sample_rate)
    sums = np.cumsum(np.concatenate([[0.0], np.square(audio.astype(np.float64))]))
    ends = spec.frame_sample(0) + spec.hop * np.arange(len(audio) // spec.hop) + size // 2
    last = np.minimum(ends, len(audio))
    energy = sums[last] - sums[np.clip(ends - size, 0, len(audio))]
    floor = 10.0 ** (POWER_FLOOR_DB / 10.0)
    return np.asarray(10.0 * np.log10(np.maximum(energy / size, floor)), np.float32)
