"""Power of each frame, the other measure of level that a network may be trained on: that of the device."""

from ddsp_edge.features.power import POWER_FLOOR_DB, POWER_SECONDS, power_db, power_window_size
from ddsp_edge.instrument_card import LEVELS
from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec

__all__ = ["LEVELS", "POWER_FLOOR_DB", "POWER_SECONDS", "level_db", "power_db", "power_window_size"]


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
