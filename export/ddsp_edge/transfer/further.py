"""Further features of a player, as an instrument is told them: of the spectrum matched, voicing as it is."""

from collections.abc import Mapping

import numpy as np

from ddsp_edge.frames import FrameSpec
from ddsp_edge.further import BRIGHTNESS, PARTIALS, Usual
from ddsp_edge.transfer.matching import BRIGHTNESS_SCALE, PARTIALS_SCALE, QuantileMatch
from ddsp_edge.units import Array

# On which scale each is matched, and how far beyond what it was trained on an instrument is told, in octaves
# and dB: a player's s is far brighter.
_MATCHED = {BRIGHTNESS: (BRIGHTNESS_SCALE, 0.5), **dict.fromkeys(PARTIALS, (PARTIALS_SCALE, 3.0))}


class FurtherMapping:
    """Map further features, frame by frame.

    Brightness and levels of partials are mapped to those of the training data as loudness is, quantile by
    quantile, but always: a voice and a violin never have the same. They are held to half an octave and 3 dB
    beyond what the instrument knows.

    Args:
        spec: The frame grid.
        usual: The features of the instrument.
        match: What learns the player's range: as it goes, or of a whole recording.
    """

    def __init__(
        self, spec: FrameSpec, usual: Mapping[str, Usual], match: type[QuantileMatch] = QuantileMatch
    ) -> None:
        self._ranges = {name: known.range for name, known in usual.items() if name in _MATCHED}
        self._matches = {name: match(spec, known, _MATCHED[name][0]) for name, known in self._ranges.items()}
        self.names = tuple(usual)
        """What it maps."""
        self.reset()

    @property
    def learns(self) -> bool:
        """Whether anything hangs on what is played as a whole."""
        return bool(self._matches)

    def reset(self) -> None:
        """Forget what was learned of the player."""
        for match in self._matches.values():
            match.reset()
        self._learning = True

    def learn(self, sounds: Array, values: Mapping[str, Array]) -> None:
        """Hear frames.

        Args:
            sounds: Boolean `[frames]`, whether a frame has a pitch and is loud enough to count.
            values: `[frames]` by name, of the player.
        """
        for name, match in self._matches.items():
            for value in values[name][sounds].tolist():
                match.add(value)

    def stop_learning(self) -> None:
        """Keep what was learned, whatever is played from here on."""
        for match in self._matches.values():
            match.settle()
        self._learning = False

    def map(self, sounds: Array, values: Mapping[str, Array]) -> dict[str, Array]:
        """Map frames, of which is learned first where the player is not known yet; arguments as in `learn`.

        Returns:
            What the instrument is told, `[frames]` by name.
        """
        if self._learning:
            self.learn(sounds, values)
        mapped = {name: np.asarray(values[name]) for name in self.names}
        for name, match in self._matches.items():
            known = self._ranges[name]
            told = np.array([match.map(value) for value in values[name].tolist()], np.float64)
            beyond = _MATCHED[name][1]
            mapped[name] = np.clip(told, known.low - beyond, known.high + beyond)
        return mapped
