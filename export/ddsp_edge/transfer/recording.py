"""The timbre transfer of a whole recording, which is known before it is played.

Where something is to be matched, a recording is gone through twice: what is tracked waits in a temporary
file, 8 bytes a frame, so that memory does not grow with it.
"""

import tempfile
from collections.abc import Iterable, Iterator
from types import TracebackType

import numpy as np

from ddsp_edge.card import Range
from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.transfer.levels import PlayedLevels
from ddsp_edge.transfer.mapping import FeatureMapping
from ddsp_edge.transfer.matching import OctaveMatch, WholeLoudnessMatch
from ddsp_edge.transfer.settings import TransferSettings
from ddsp_edge.transfer.transposition import PlayedPitches
from ddsp_edge.units import Array

_START_HZ = 220.0  # held before the first pitch by a model that does not know its range
_DOUBT_S = 0.016  # as live with the surest tracking of pitches from 55 Hz on
_NO_ROOM = "what was tracked cannot be kept in a temporary file: {}"

Tracked = tuple[Array, Array]
"""f0, 0 Hz where there is no pitch, and loudness in dB: float32 `[frames]` each."""

Played = tuple[Array, Array, Array]
"""f0 above 0 Hz and loudness in dB, float32, and whether the player had a pitch: `[frames]` each."""


class RecordingTransfer:
    """Turn what was tracked in a recording into what an instrument is to do.

    Blocks may be cut in any way: the result is the same.

    Args:
        spec: The frame grid.
        settings: What is to be changed.
        f0_hz: Pitches of the training data, Hz; None where they are not known.
        loudness_db: Loudness of the training data, dB; None where it is not known.

    Raises:
        DdspError: If a setting is out of range, or matching is asked for and there is nothing to match.
    """

    def __init__(
        self, spec: FrameSpec, settings: TransferSettings, f0_hz: Range | None, loudness_db: Range | None
    ) -> None:
        self.settings = settings = settings.checked()
        for wanted, known, words in (
            (settings.match_octave, f0_hz, "pitches"),
            (settings.match_loudness, loudness_db, "loudness"),
        ):
            if wanted and known is None:
                raise DdspError(
                    f"the instrument does not know the {words} of its training data: nothing to match"
                )
        self._trained_hz, self._trained_db = f0_hz, loudness_db
        start = _START_HZ if f0_hz is None else f0_hz.median
        nothing = Range(start, start, start)
        self._octave = OctaveMatch(spec, f0_hz or nothing)
        loudness = WholeLoudnessMatch(spec, loudness_db or nothing)
        doubt = spec.frames_for(_DOUBT_S)
        self._mapping = FeatureMapping(spec, start, self._octave, loudness, doubt)
        self._pitches, self._levels = PlayedPitches(), PlayedLevels()
        if not settings.learns:
            self._mapping.stop_learning()

    def process(self, blocks: Iterable[Tracked], block_frames: int = 1024) -> Iterator[Played]:
        """Map blocks of tracked features; yield what is to be played.

        Args:
            blocks: What was tracked, from the beginning to the end of the recording.
            block_frames: Integer > 0, frames of a block that is yielded, where the recording is gone through
                twice; else blocks come as they are given, each before the next is asked for.
        """
        if not self.settings.learns:
            for tracked in blocks:
                yield self._mapped(*tracked)
            return
        with FeatureStore() as store:
            for f0_hz, loudness_db in blocks:
                self._mapping.learn(_frames(f0_hz, loudness_db), self.settings)
                store.write(f0_hz, loudness_db)
            self._mapping.stop_learning()
            for tracked in store.blocks(block_frames):
                yield self._mapped(*tracked)

    def _mapped(self, f0_hz: Array, loudness_db: Array) -> Played:
        shift = self.settings.transposition / 12.0
        if self.settings.match_octave:
            shift += self._octave.octaves
        self._pitches.add(f0_hz * 2.0**shift)
        pitches, levels = self._mapping.map(_frames(f0_hz, loudness_db), self.settings)
        played_db = np.array(levels, np.float32) + self.settings.loudness_shift_db
        self._levels.add(played_db[(f0_hz > 0.0) & (loudness_db >= self.settings.gate_db)])
        return np.array(pitches, np.float32), played_db, f0_hz > 0.0

    def advice(self) -> list[str]:
        """What the user might want to change, one line each."""
        told = []
        if self._trained_hz is not None:
            told += self._pitches.advice(self._trained_hz, self.settings.octaves)
        if self._trained_db is not None:
            told += self._levels.advice(self._trained_db, self.settings)
        return told


class FeatureStore:
    """Features of a recording in a temporary file that goes with the store."""

    _FRAME_BYTES = 8

    def __enter__(self) -> "FeatureStore":
        self._file = tempfile.TemporaryFile()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, f0_hz: Array, loudness_db: Array) -> None:
        """Append frames `[frames]`.

        Raises:
            DdspError: If there is no room for them.
        """
        try:
            self._file.write(np.stack([f0_hz, loudness_db], axis=1).astype("<f4").tobytes())
        except OSError as error:
            raise DdspError(_NO_ROOM.format(error.strerror)) from error

    def blocks(self, frames: int = 1024) -> Iterator[Tracked]:
        """Yield what was written, in blocks of `frames`, from the beginning."""
        self._file.seek(0)
        while data := self._file.read(frames * self._FRAME_BYTES):
            table = np.frombuffer(data, "<f4").astype(np.float32).reshape(-1, 2)
            yield table[:, 0], table[:, 1]


def _frames(f0_hz: Array, loudness_db: Array) -> Iterator[tuple[float, float]]:
    return zip(f0_hz.tolist(), loudness_db.tolist(), strict=True)
