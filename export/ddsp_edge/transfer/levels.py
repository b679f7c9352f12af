"""Is what was played as loud as what the instrument was trained on, and what would make it so?"""

import numpy as np

from ddsp_edge.card import Range
from ddsp_edge.transfer.settings import TransferSettings
from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array

_TOP_DB = 20.0  # beyond full scale: nothing is louder
_STEPS_PER_DB = 2
_MARGIN_DB = 3.0  # that a frame may be softer or louder than the range
_MANY = 0.25  # of the frames outside: those of the training data itself are a tenth, without the margin


class PlayedLevels:
    """The loudness that an instrument was told, counted in memory that does not grow with the input."""

    def __init__(self) -> None:
        self._counts = np.zeros(round((_TOP_DB - LOUDNESS_FLOOR_DB) * _STEPS_PER_DB), np.int64)

    def add(self, loudness_db: Array) -> None:
        """Count frames `[frames]` that have a pitch, dB."""
        steps = (loudness_db - LOUDNESS_FLOOR_DB) * _STEPS_PER_DB
        np.add.at(self._counts, np.clip(steps, 0, len(self._counts) - 1).astype(np.int64), 1)

    def advice(self, trained: Range, settings: TransferSettings) -> list[str]:
        """One line when much of what was played is softer or louder than the training data.

        Args:
            trained: Loudness of the training data, dB.
            settings: What was changed on the way, the shift of the loudness among it.
        """
        total = int(self._counts.sum())
        if not total:
            return []
        levels = LOUDNESS_FLOOR_DB + (np.arange(len(self._counts)) + 0.5) / _STEPS_PER_DB
        softer = float(self._counts @ (levels < trained.low - _MARGIN_DB)) / total
        louder = float(self._counts @ (levels > trained.high + _MARGIN_DB)) / total
        if softer + louder < _MANY:
            return []
        places = np.searchsorted(np.cumsum(self._counts), np.array([0.05, 0.5, 0.95]) * total)
        low, median, high = levels[places].tolist()
        side = "softer" if softer > louder else "louder"
        shift, matched = round(settings.loudness_shift_db + trained.median - median), settings.match_loudness
        # What was matched had been right before it was shifted.
        hint = "without the shift" if matched else f"--loudness-shift-db {shift}, or --match-loudness"
        return [
            f"{100 * max(softer, louder):.0f} % of what was played ({low:.0f} to {high:.0f} dB) is {side} "
            f"than what the instrument was trained on ({trained.low:.0f} to {trained.high:.0f} dB); "
            f"try {hint}"
        ]
