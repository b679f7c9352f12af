"""Its feature, in numpy: the same for records and devices."""

import numpy as np

from ddsp_edge.units import Array


def level_db(audio: Array, hop: int) -> Array:
    """Level of each hop, dB re full scale, float32 `[frames, 1]`; what is left of a hop is left out."""
    frames = len(audio) // hop
    power = np.mean(np.reshape(audio[: frames * hop], (frames, hop)).astype(np.float64) ** 2, axis=1)
    return np.asarray(10.0 * np.log10(power + 1e-8), np.float32)[:, np.newaxis]


def scaled(level: Array) -> Array:
    """Levels as the network takes them, about -1 to 1."""
    return np.asarray(level / np.float32(20.0) + np.float32(1.5), np.float32)
