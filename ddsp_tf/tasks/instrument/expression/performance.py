"""Performances: recordings with the notes that were played, measured frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from ddsp_edge.card import Range
from ddsp_edge.expression.network import DEEPEST_DB
from ddsp_edge.expression.notes import Ahead, NoteContext, Phrasing, look_ahead, velocity_level_db
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.transcription.note import Note
from ddsp_edge.units import Array, hz_to_midi
from ddsp_tf.data.scores import read_score, score_beside
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.instrument.tracking import analysed

MOST_CENTS_OFF = 150.0
"""What is further from the pitch of a note is another note, or an error of the tracker."""
_RINGS_S = 1.0  # after a note, at most, its end is listened to
_OVERLAP_S = 0.1
_CHORDS = 0.1  # share of notes from which a recording is no melody


@dataclass(frozen=True)
class PlayedNote:
    """A note, and its frames up to the onset of the next.

    Args:
        onset_s: Seconds.
        offset_s: Seconds.
        pitch: MIDI note.
        velocity: 1 to 127.
        context: It among others, with what comes.
        level_db: Its level by its velocity.
        frames: Which of the performance.
    """

    onset_s: float
    offset_s: float
    pitch: int
    velocity: int
    context: NoteContext
    level_db: float
    frames: slice

    @property
    def ahead(self) -> Ahead | None:
        """What comes."""
        return self.context.ahead


@dataclass(frozen=True)
class Performance:
    """A recording of one voice and what was played.

    Args:
        name: Of the recording.
        spec: The frame grid.
        notes: By onset, one at a time.
        midi: `[frames]`, MIDI note with its fraction; NaN where there is no pitch.
        loudness_db: `[frames]`, as loud as the levels of its notes are in the middle.
    """

    name: str
    spec: FrameSpec
    notes: Sequence[PlayedNote]
    midi: Array
    loudness_db: Array

    @property
    def times_s(self) -> Array:
        """The sample that each frame stands for, seconds."""
        return times_of(len(self.midi), self.spec)

    def cents(self, note: PlayedNote) -> Array:
        """Pitch off a note in its frames; NaN where there is none, or that of another note."""
        cents = 100.0 * (self.midi[note.frames] - note.pitch)
        return np.where(np.abs(cents) <= MOST_CENTS_OFF, cents, np.nan)

    def off_level(self, note: PlayedNote) -> Array:
        """Loudness off the level of a note in its frames, dB, at least `DEEPEST_DB`."""
        return np.maximum(self.loudness_db[note.frames] - note.level_db, DEEPEST_DB)


def times_of(frames: int, spec: FrameSpec) -> Array:
    """The samples that frames stand for, seconds."""
    return np.asarray((np.arange(frames) + 1) * spec.hop / spec.sample_rate)


def read_performance(
    recording: Path,
    spec: FrameSpec,
    estimator: F0Estimator,
    loudness_db_range: Range,
    level: str = "loudness",
) -> Performance:
    """Measure a recording that has its notes beside it.

    How loud a recording is as a whole says nothing: it is made as loud as its notes by their velocities.
    Velocities that are all the same say nothing either: they are taken from the loudness of each note.

    Args:
        recording: The sound file.
        spec: The frame grid of the instrument.
        estimator: What tracks pitch.
        loudness_db_range: Loudness of the instrument, in which velocities are levels.
        level: `"power"` where that is what the instrument is told instead.

    Raises:
        DdspError: If it has no notes beside it, or more than one at a time, or either cannot be read.
    """
    notes = read_score(score_beside(recording))
    together = sum(b.onset_s < a.offset_s - _OVERLAP_S for a, b in pairwise(notes))
    if together > _CHORDS * len(notes):
        raise DdspError(
            f"{recording.name}: {together} of its {len(notes)} notes begin while another sounds; an "
            "instrument is played one note at a time"
        )
    with AudioReader(recording, spec.sample_rate) as reader:
        passages = list(analysed(reader, spec, estimator, level))
        if not passages or all(passage.silent for passage in passages):
            raise DdspError(reader.silence())
    f0_hz = np.concatenate([passage.f0_hz for passage in passages])
    loudness = np.concatenate([passage.loudness_db for passage in passages])
    midi = np.where(f0_hz > 0.0, hz_to_midi(f0_hz), np.nan)
    return performance_of(recording.name, notes, midi, loudness, spec, loudness_db_range)


def performance_of(
    name: str, notes: Sequence[Note], midi: Array, loudness_db: Array, spec: FrameSpec, known: Range
) -> Performance:
    """Bring notes and what was measured together; see `read_performance`.

    Args:
        name: Of the recording.
        notes: By onset.
        midi: `[frames]`, MIDI note with its fraction; NaN where there is no pitch.
        loudness_db: `[frames]`.
        spec: The frame grid.
        known: Loudness of the instrument.
    """
    times = times_of(len(midi), spec)
    notes = [note for note in notes if note.onset_s < times[-1]]
    heard = [slice(*np.searchsorted(times, [note.onset_s, note.offset_s])) for note in notes]
    velocities, loudness = _balanced(notes, loudness_db, heard, known)
    onsets, offsets = (np.array([getattr(note, name) for note in notes]) for name in ("onset_s", "offset_s"))
    pitches = np.array([round(note.pitch) for note in notes])
    aheads = look_ahead(onsets, offsets, pitches, np.array(velocities))
    phrasing, played = Phrasing(), list[PlayedNote]()
    for i, (onset, offset, pitch) in enumerate(zip(onsets, offsets, pitches, strict=True)):
        context = phrasing.press(int(pitch), velocities[i], onset, Ahead(*map(float, aheads[i])))
        following = onsets[i + 1] if i + 1 < len(notes) else np.inf
        if following > offset:
            phrasing.release(offset)
        first, end = np.searchsorted(times, [onset, min(following, offset + _RINGS_S)])
        level = velocity_level_db(velocities[i], known)
        frames = slice(int(first), int(end))
        played.append(PlayedNote(onset, offset, int(pitch), velocities[i], context, level, frames))
    return Performance(name, spec, played, midi, loudness)


def _balanced(
    notes: Sequence[Note], loudness_db: Array, heard: Sequence[slice], known: Range
) -> tuple[list[int], Array]:
    """Velocities of the notes, and the loudness `[frames]` in the range that they have on the instrument."""
    given = [note.velocity for note in notes]
    if max(given) > min(given):
        levels = [velocity_level_db(velocity, known) for velocity in given]
        off = [loudness_db[part] - level for part, level in zip(heard, levels, strict=True)]
        return given, loudness_db - np.median(np.concatenate(off))
    sounding = np.concatenate([loudness_db[part] for part in heard])
    loud = loudness_db + (known.median - np.median(sounding))
    width = max(known.high - known.low, 1e-6)
    shares = [(np.median(loud[part]) - known.low) / width if len(loud[part]) else 0.5 for part in heard]
    return [min(max(round(1.0 + 126.0 * share), 1), 127) for share in shares], loud
