"""From what a player does to what the instrument is to do: tracked features in, features out, frame by frame.

This is the timbre transfer, once for all that play: `ddsp-edge play` (live), `ddsp-edge render` and `ddsp-tf
transfer` (whole recordings, see `ddsp_edge.transfer.recording`).
"""

from collections.abc import Iterable

from ddsp_edge.card import Range
from ddsp_edge.frames import FrameSpec
from ddsp_edge.transfer.matching import Gate, OctaveMatch, QuantileMatch
from ddsp_edge.transfer.settings import TransferSettings


class FeatureMapping:
    """Map the pitch and loudness of a player to those of an instrument.

    Of each frame: the octave is matched and the pitch moved; a frame without pitch holds the last pitch that
    the instrument had; loudness is mapped to the instrument's range and gated. What it learns for matching it
    learns as it goes, or from a whole recording before (`learn`).

    Args:
        spec: The frame grid.
        start_hz: Pitch before the first frame that has one, Hz.
        octave: Matches octaves.
        loudness: Matches loudness.
        doubt_frames: Integer, frames after an onset in which a pitch may be there and not be found yet.
    """

    def __init__(
        self,
        spec: FrameSpec,
        start_hz: float,
        octave: OctaveMatch,
        loudness: QuantileMatch,
        doubt_frames: int,
    ) -> None:
        self._start_hz, self._highest_hz = start_hz, spec.sample_rate / 2
        self._octave, self._loudness = octave, loudness
        self._gate = Gate(spec, doubt_frames)
        self.reset()

    def reset(self) -> None:
        """Forget everything, what was learned of the player too."""
        self._octave.reset()
        self._loudness.reset()
        self._gate.reset()
        self._f0_hz = self._start_hz
        self._learns = True

    def learn(self, frames: Iterable[tuple[float, ...]], settings: TransferSettings) -> None:
        """Hear frames of a recording before it is played, f0 (0 Hz where there is no pitch) and loudness."""
        for f0_hz, loudness_db in frames:
            self._hear(f0_hz, loudness_db, settings)

    def stop_learning(self) -> None:
        """Keep what was learned, whatever is played from here on."""
        self._octave.settle()
        self._loudness.settle()
        self._learns = False

    def map(
        self, frames: Iterable[tuple[float, ...]], settings: TransferSettings
    ) -> tuple[list[float], list[float]]:
        """Map frames.

        Args:
            frames: f0 in Hz, 0 where there is no pitch, and loudness in dB, of each.
            settings: What is to be changed.

        Returns:
            f0 in Hz, always above 0 and at most Nyquist, and loudness in dB, of each frame. The shift of the
            loudness is left to the caller.
        """
        match_octave, match_loudness, gate = settings.match_octave, settings.match_loudness, settings.gate
        matches, threshold_db = match_octave or match_loudness or gate, settings.gate_db
        played_db = settings.played_db if match_loudness else None
        transposed = settings.octaves + settings.transposition / 12.0
        pitches, levels = list[float](), list[float]()
        for f0_hz, loudness_db in frames:
            octaves, level_db = transposed, loudness_db
            if matches:
                if self._learns:
                    self._hear(f0_hz, loudness_db, settings)
                if match_octave:
                    octaves += self._octave.octaves
                if played_db:
                    level_db = self._loudness.map_from(*played_db, loudness_db)
                elif match_loudness:
                    level_db = self._loudness.map(loudness_db)
                if gate:
                    # Of the sound before it was mapped: the threshold is the player's.
                    level_db += self._gate.process(f0_hz, loudness_db, threshold_db) - loudness_db
            if f0_hz > 0.0:
                self._f0_hz = min(f0_hz * 2.0**octaves, self._highest_hz)
            pitches.append(self._f0_hz)
            levels.append(level_db)
        return pitches, levels

    def _hear(self, f0_hz: float, loudness_db: float, settings: TransferSettings) -> None:
        sounds = f0_hz > 0.0 and loudness_db >= settings.gate_db
        self._octave.add(f0_hz if sounds else 0.0)
        if sounds and not (settings.match_loudness and settings.played_db):
            self._loudness.add(loudness_db)


def live_mapping(
    spec: FrameSpec, f0_hz: Range, loudness_db: Range, doubt_frames: int
) -> tuple[FeatureMapping, QuantileMatch]:
    """The mapping of an instrument that is played live, and what it learns of the player's loudness.

    Args:
        spec: The frame grid.
        f0_hz: Pitches of the training data, Hz.
        loudness_db: Loudness of the training data, dB.
        doubt_frames: As in `FeatureMapping`.
    """
    loudness = QuantileMatch(spec, loudness_db)
    return FeatureMapping(spec, f0_hz.median, OctaveMatch(spec, f0_hz), loudness, doubt_frames), loudness
