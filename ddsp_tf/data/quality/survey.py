"""What a dataset holds and what is wrong with it, from one look at its records.

Memory does not grow with the dataset but by a few numbers for each recording.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.quality.quality import Quality
from ddsp_tf.data.quality.room import counted_decays, no_decays, room_of
from ddsp_tf.data.records.info import SPLITS, DatasetInfo
from ddsp_tf.data.records.shards import OnDamage, RecordPlace, read_records

CONCERNS = ("polyphony", "octave errors", "clipping", "hum", "noise", "reverberation")
"""What may be wrong with a passage."""

WORST = 2  # passages of each concern, of different recordings
MIN_JUDGED = 8  # frames, half a second; fewer say nothing
SEVERAL_SHARE = 0.15  # a passage with more frames of several notes looks polyphonic
OCTAVE_SHARE = 0.1  # a passage with more frames an octave off is looked at
HUM_DB = -75.0  # weaker hum is not heard under an instrument
SNR_DB = 20.0  # less of it is learned as part of the sound
ROOM_SECONDS = 0.6  # a longer reverberation smears notes into each other
STRAY_SHARE = 0.005  # of the frames, at most, that lie beyond the lowest or highest note of an instrument
_EDGE = 4  # times as often as all beyond them together the last two notes of an instrument are played,
_EDGE_SHARE = 0.003  # and this share of the frames at least
PITCH_EDGES_MIDI = np.arange(11.5, 136.5)
LOUDNESS_EDGES_DB = np.arange(-80.0, 10.5, 1.0)


@dataclass(frozen=True)
class Worst:
    """A passage with a concern: how bad, and where its record lies."""

    score: float
    source: str
    first_second: float
    seconds: float
    place: RecordPlace


@dataclass
class RecordingSurvey:
    """What was found in one recording.

    Args:
        seconds: How much of it is in the dataset.
        voiced_seconds: How much of that has a pitch.
        concern_seconds: Length of the passages with each concern.
        judged_frames, octave_frames: See `Quality`.
        noise_db: The lowest of its passages, as the others count what the instrument does; +inf if unknown.
        signal_db: The loudest passage's, dB.
        hum_db: The loudest passage's, dB.
        mains_hz: Integer, of that hum.
        decays: Counts of reverberation times.
        worst: Where each concern is heard best.
    """

    seconds: float = 0.0
    voiced_seconds: float = 0.0
    concern_seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CONCERNS, 0.0))
    judged_frames: int = 0
    octave_frames: int = 0
    noise_db: float = np.inf
    signal_db: float = -80.0
    hum_db: float = -120.0
    mains_hz: int = 0
    decays: Array = field(default_factory=no_decays)
    worst: dict[str, Worst] = field(default_factory=dict)

    @property
    def snr_db(self) -> float:
        """How far the background lies below the instrument, dB; inf if unknown."""
        return self.signal_db - self.noise_db if np.isfinite(self.noise_db) else np.inf

    @property
    def room_seconds(self) -> float | None:
        """Reverberation time; None where too few notes end freely."""
        return room_of(self.decays)


@dataclass(frozen=True)
class Strays:
    """Few pitches beyond the lowest or the highest note that an instrument seems to have.

    Args:
        seconds: For how long they were found.
        low, high: The lowest and highest of them, MIDI notes.
        edge: The last note of the instrument, MIDI note.
    """

    seconds: float
    low: int
    high: int
    edge: int


@dataclass
class Survey:
    """What was found in a dataset.

    Args:
        recordings: By name, in the dataset's order.
        pitch: Frames by MIDI note, `[124]`; the edges are `PITCH_EDGES_MIDI`.
        loudness: Frames by dB, `[90]`; the edges are `LOUDNESS_EDGES_DB`.
        measured: Whether its records hold what was measured of their quality; those made by hand do not.
    """

    recordings: dict[str, RecordingSurvey] = field(default_factory=dict)
    pitch: Array = field(default_factory=lambda: np.zeros(len(PITCH_EDGES_MIDI) - 1, np.int64))
    loudness: Array = field(default_factory=lambda: np.zeros(len(LOUDNESS_EDGES_DB) - 1, np.int64))
    measured: bool = False

    @property
    def seconds(self) -> float:
        """Length of all passages."""
        return sum(r.seconds for r in self.recordings.values())

    def concern_seconds(self, concern: str) -> float:
        """Length of the passages with a concern."""
        return sum(r.concern_seconds[concern] for r in self.recordings.values())

    def named(self, concern: str) -> list[str]:
        """The recordings with a concern, those with most of it first."""
        seconds = {name: r.concern_seconds[concern] for name, r in self.recordings.items()}
        return sorted((name for name in seconds if seconds[name]), key=lambda name: -seconds[name])

    def worst(self, concern: str) -> list[Worst]:
        """The passages to listen to, the worst first."""
        found = [r.worst[concern] for r in self.recordings.values() if r.concern_seconds[concern]]
        return sorted(found, key=lambda w: (-w.score, w.source))[:WORST]

    @property
    def octave_share(self) -> float:
        """Share of the frames that could be judged in which f0 seems an octave off, polyphony left out."""
        judged = sum(r.judged_frames for r in self.recordings.values())
        return sum(r.octave_frames for r in self.recordings.values()) / max(1, judged)

    def strays(self) -> list[Strays]:
        """Pitches far from the rest of the histogram, below it and above: most of them octave errors.

        An instrument ends where its last two notes are played far more often than all beyond them together.
        """
        voiced = sum(r.voiced_seconds for r in self.recordings.values())
        found = []
        for counts, step in ((self.pitch, 1), (self.pitch[::-1], -1)):
            beyond = np.concatenate([[0], np.cumsum(counts)[:-1]])
            last_two = counts + np.append(counts[1:], 0)
            total = max(1, counts.sum())
            ends = (beyond > 0) & (beyond < STRAY_SHARE * total)
            ends &= last_two >= np.maximum(_EDGE * beyond, _EDGE_SHARE * total)
            if ends.any():
                edge = int(np.flatnonzero(ends)[-1])
                places = np.flatnonzero(counts[:edge])
                last, first, end = (_note(int(p), step, len(counts)) for p in (places[0], places[-1], edge))
                seconds = voiced * float(beyond[edge] / total)
                found.append(Strays(seconds, min(first, last), max(first, last), end))
        return found

    @property
    def room_seconds(self) -> float | None:
        """Median reverberation time of all recordings."""
        return room_of(sum((r.decays for r in self.recordings.values()), no_decays()))


def survey_dataset(folder: Path, info: DatasetInfo, on_damage: OnDamage | None = None) -> Survey:
    """Look at all records of a dataset.

    Args:
        folder: Folder of the dataset.
        info: What it says of itself.
        on_damage: Called with a sentence for each damaged record, which is then left out; fatal if None.

    Raises:
        DdspError: If a record is damaged.
    """
    survey = Survey({file.name: RecordingSurvey() for file in info.files if file.passages})
    for split in SPLITS:
        for place, record in read_records(folder, info, split, on_damage=on_damage):
            _count(survey, place, PitchedRecord.of(record))
    for recording in survey.recordings.values():  # what can only be said of a whole one
        if recording.snr_db < SNR_DB:
            recording.concern_seconds["noise"] = recording.seconds
        if (recording.room_seconds or 0.0) > ROOM_SECONDS:
            recording.concern_seconds["reverberation"] = recording.seconds
    return survey


def concerns_of(quality: Quality) -> dict[str, float]:
    """What is wrong with a passage: each concern that it has, and how bad it is."""
    found: dict[str, float] = {}
    judged = max(quality.judged_frames, MIN_JUDGED)
    several, octave = quality.several_notes_frames / judged, quality.octave_frames / judged
    if several > SEVERAL_SHARE and octave < several / 2.0:
        found["polyphony"] = several
    elif octave > OCTAVE_SHARE:
        found["octave errors"] = octave
    if quality.clipped_samples:
        found["clipping"] = float(quality.clipped_samples)
    if quality.hum_db > HUM_DB:
        found["hum"] = quality.hum_db
    return found


def _count(survey: Survey, place: RecordPlace, record: PitchedRecord) -> None:
    recording = survey.recordings.setdefault(record.source, RecordingSurvey())
    seconds = len(record.audio) / record.sample_rate
    voiced = record.f0_hz[record.f0_hz > 0]
    recording.seconds += seconds
    recording.voiced_seconds += len(voiced) * record.hop / record.sample_rate
    midi = np.clip(69.0 + 12.0 * np.log2(voiced / 440.0), PITCH_EDGES_MIDI[0], PITCH_EDGES_MIDI[-1])
    survey.pitch += np.histogram(midi, PITCH_EDGES_MIDI)[0]
    loudness = np.clip(record.loudness_db, LOUDNESS_EDGES_DB[0], LOUDNESS_EDGES_DB[-1])
    survey.loudness += np.histogram(loudness, LOUDNESS_EDGES_DB)[0]
    quality = record.quality
    if quality is None:
        return
    survey.measured = True
    found = concerns_of(quality)
    if "polyphony" not in found:
        recording.judged_frames += quality.judged_frames
        recording.octave_frames += quality.octave_frames
        recording.noise_db = min(recording.noise_db, quality.noise_db)  # between many notes none is seen
    recording.signal_db = max(recording.signal_db, quality.signal_db)
    if quality.hum_db > recording.hum_db:
        recording.hum_db, recording.mains_hz = quality.hum_db, quality.mains_hz
    recording.decays = recording.decays + counted_decays(quality.decay_seconds)
    first = record.first_sample / record.sample_rate
    for concern in found:
        recording.concern_seconds[concern] += seconds
    heard = {**found, "noise": quality.noise_db - quality.signal_db}
    if quality.decay_seconds:
        heard["reverberation"] = float(np.median(quality.decay_seconds))
    for concern, score in heard.items():
        if concern not in recording.worst or score > recording.worst[concern].score:
            recording.worst[concern] = Worst(score, record.source, first, seconds, place)


def _note(place: int, step: int, notes: int) -> int:
    """MIDI note of a bin of the histogram of pitch, counted from its beginning (1) or its end (-1)."""
    return round(float(PITCH_EDGES_MIDI[0] + 0.5)) + (place if step > 0 else notes - 1 - place)
