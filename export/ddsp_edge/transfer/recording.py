"""The timbre transfer of a whole recording, which is known before it is played.

Where something is to be matched, a recording is gone through twice: what is tracked waits in a temporary
file, 4 bytes a feature and frame, so that memory does not grow with it.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple

import numpy as np

from ddsp_edge.card import Range
from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.further import Usual, brighter, has_brightness
from ddsp_edge.transfer.further import FurtherMapping
from ddsp_edge.transfer.levels import PlayedLevels
from ddsp_edge.transfer.mapping import FeatureMapping
from ddsp_edge.transfer.matching import OctaveMatch, WholeQuantileMatch
from ddsp_edge.transfer.settings import TransferSettings
from ddsp_edge.transfer.transposition import PlayedPitches
from ddsp_edge.units import Array

START_HZ = 220.0
"""Held before the first pitch by a model that does not know its range."""
_DOUBT_S = 0.016  # as live with the surest tracking of pitches from 55 Hz on
_NO_ROOM = "what was tracked cannot be kept in a temporary file: {}"

_NONE: Mapping[str, Array] = {}


class Tracked(NamedTuple):
    """What was tracked.

    Args:
        f0_hz: float32 `[frames]`, 0 where there is no pitch.
        loudness_db: float32 `[frames]`.
        further: float32 `[frames]` by name, further features that the instrument takes.
    """

    f0_hz: Array
    loudness_db: Array
    further: Mapping[str, Array] = _NONE


class Played(NamedTuple):
    """What is to be played.

    Args:
        f0_hz: float32 `[frames]`, above 0.
        loudness_db: float32 `[frames]`.
        pitched: Boolean `[frames]`, whether the player had a pitch.
        further: float32 `[frames]` by name.
    """

    f0_hz: Array
    loudness_db: Array
    pitched: Array
    further: Mapping[str, Array] = _NONE


class RecordingTransfer:
    """Turn what was tracked in a recording into what an instrument is to do.

    Blocks may be cut in any way: the result is the same.

    Args:
        spec: The frame grid.
        settings: What is to be changed.
        f0_hz: Pitches of the training data, Hz; None where they are not known.
        loudness_db: Loudness of the training data, dB; None where it is not known.
        usual: Further features of the instrument.

    Raises:
        DdspError: If a setting is out of range, matching is asked for and there is nothing to match, or
            brightness of an instrument that has neither that nor partials.
    """

    def __init__(
        self,
        spec: FrameSpec,
        settings: TransferSettings,
        f0_hz: Range | None,
        loudness_db: Range | None,
        usual: Mapping[str, Usual] | None = None,
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
        usual = {} if usual is None else usual
        check_brightness(settings.brightness, usual)
        self._trained_hz, self._trained_db = f0_hz, loudness_db
        start = START_HZ if f0_hz is None else f0_hz.median
        nothing = Range(start, start, start)
        self._octave = OctaveMatch(spec, f0_hz or nothing)
        loudness = WholeQuantileMatch(spec, loudness_db or nothing)
        doubt = spec.frames_for(_DOUBT_S)
        self._mapping = FeatureMapping(spec, start, self._octave, loudness, doubt)
        self._pitches, self._levels = PlayedPitches(), PlayedLevels()
        self._further = FurtherMapping(spec, usual, WholeQuantileMatch)
        self.learns = settings.learns or self._further.learns
        """Whether a recording is gone through twice."""
        if not self.learns:
            self._mapping.stop_learning()
            self._further.stop_learning()

    def process(self, blocks: Iterable[Tracked], block_frames: int = 1024) -> Iterator[Played]:
        """Map blocks of tracked features; yield what is to be played.

        Args:
            blocks: What was tracked, from the beginning to the end of the recording.
            block_frames: Integer > 0, frames of a block that is yielded, where the recording is gone through
                twice; else blocks come as they are given, each before the next is asked for.
        """
        if not self.learns:
            for tracked in blocks:
                yield self._mapped(*tracked)
            return
        with FeatureStore(self._further.names) as store:
            for tracked in blocks:
                self._mapping.learn(_frames(tracked.f0_hz, tracked.loudness_db), self.settings)
                self._further.learn(self._sounds(tracked.f0_hz, tracked.loudness_db), tracked.further)
                store.write(*tracked)
            self._mapping.stop_learning()
            self._further.stop_learning()
            for tracked in store.blocks(block_frames):
                yield self._mapped(*tracked)

    def _sounds(self, f0_hz: Array, loudness_db: Array) -> Array:
        return np.asarray((f0_hz > 0.0) & (loudness_db >= self.settings.gate_db))

    def _mapped(self, f0_hz: Array, loudness_db: Array, further: Mapping[str, Array] = _NONE) -> Played:
        shift = self.settings.transposition / 12.0
        if self.settings.match_octave:
            shift += self._octave.octaves
        self._pitches.add(f0_hz * 2.0**shift)
        pitches, levels = self._mapping.map(_frames(f0_hz, loudness_db), self.settings)
        played_db = np.array(levels, np.float32) + self.settings.loudness_shift_db
        sounds = self._sounds(f0_hz, loudness_db)
        self._levels.add(played_db[sounds])
        told = brighter(self._further.map(sounds, further), self.settings.brightness)
        return Played(np.array(pitches, np.float32), played_db, f0_hz > 0.0, told)

    def advice(self) -> list[str]:
        """What the user might want to change, one line each."""
        told = []
        if self._trained_hz is not None:
            told += self._pitches.advice(self._trained_hz, self.settings.octaves)
        if self._trained_db is not None:
            told += self._levels.advice(self._trained_db, self.settings)
        return told


def check_brightness(octaves: float, usual: Mapping[str, Usual]) -> None:
    """Refuse brightness of an instrument that was trained with neither that nor partials.

    Raises:
        DdspError: With what to do.
    """
    if octaves and not has_brightness(usual):
        raise DdspError(
            f"brightness={octaves:g} is for an instrument that was trained with brightness or partials "
            "(model.features: [brightness, partials]), and this one was not"
        )


class FeatureStore:
    """Features of a recording in a temporary file that goes with the store.

    Args:
        further: Names of further features.
    """

    def __init__(self, further: Sequence[str] = ()) -> None:
        self._names = tuple(further)

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

    def write(self, f0_hz: Array, loudness_db: Array, further: Mapping[str, Array] = _NONE) -> None:
        """Append frames `[frames]`, all further features among them.

        Raises:
            DdspError: If there is no room for them.
        """
        columns = [f0_hz, loudness_db, *(further[name] for name in self._names)]
        try:
            self._file.write(np.stack(columns, axis=1).astype("<f4").tobytes())
        except OSError as error:
            raise DdspError(_NO_ROOM.format(error.strerror)) from error

    def blocks(self, frames: int = 1024) -> Iterator[Tracked]:
        """Yield what was written, in blocks of `frames`, from the beginning."""
        self._file.seek(0)
        width = 2 + len(self._names)
        while data := self._file.read(frames * 4 * width):
            f0_hz, loudness_db, *rest = np.frombuffer(data, "<f4").astype(np.float32).reshape(-1, width).T
            yield Tracked(f0_hz, loudness_db, dict(zip(self._names, rest, strict=True)))


def _frames(f0_hz: Array, loudness_db: Array) -> Iterator[tuple[float, float]]:
    return zip(f0_hz.tolist(), loudness_db.tolist(), strict=True)
