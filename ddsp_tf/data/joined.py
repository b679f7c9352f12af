"""Single notes and other short recordings, joined with silence until a clip fits into them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ddsp_edge.features.loudness import POWER_FLOOR
from ddsp_edge.units import Array
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.records.shards import RecordPlace
from ddsp_tf.frames import FrameSpec

SILENCE_SECONDS = 0.1
"""Silence after each recording that is joined to another."""
FADE_SECONDS = 0.004
"""A recording that is joined fades in and out over this long, so that cuts in it do not click."""
_SILENCE_DB = 10.0 * np.log10(POWER_FLOOR)


@dataclass(frozen=True)
class Joined:
    """One passage, or short recordings that follow each other.

    Args:
        places: Where the records lie, in order.
        n_samples: Integer, samples of all of them with the silence after each; of a single one its own.
    """

    places: tuple[RecordPlace, ...]
    n_samples: int

    def read(self) -> PitchedRecord:
        """Read it as one record, whose name and place are those of the first.

        Raises:
            DdspError: If a record is damaged.
        """
        records = [PitchedRecord.of(place.read()) for place in self.places]
        if records[0].n_frames * records[0].hop >= self.n_samples:
            return records[0]
        frames = _silent_frames(records[0].sample_rate, records[0].hop)
        parts = [_then_silence(record, frames) for record in records]
        missing = self.n_samples - sum(len(part.audio) for part in parts)
        if missing > 0:
            parts[-1] = _padded(parts[-1], -(-missing // records[0].hop))
        return replace(
            records[0],
            audio=np.concatenate([part.audio for part in parts]),
            f0_hz=np.concatenate([part.f0_hz for part in parts]),
            voicing=np.concatenate([part.voicing for part in parts]),
            loudness_db=np.concatenate([part.loudness_db for part in parts]),
            quality=None,
        )


def joined(
    places: Iterable[RecordPlace], wanted: int, sample_rate: int, hop: int, *, pad: bool
) -> Iterator[Joined]:
    """Join recordings in order until each of the results has the samples that are wanted.

    Args:
        places: Short recordings.
        wanted: Integer, samples that each result has at least.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame of what is stored.
        pad: Whether a rest that is too short for a result of its own gets silence in place of the sound that
            is missing. If not it joins the result before it, and where there is none nothing comes.

    Yields:
        The recordings, joined.
    """
    silence = _silent_frames(sample_rate, hop) * hop
    rest: list[RecordPlace] = []
    done: Joined | None = None
    for place in places:
        rest.append(place)
        samples = _samples(rest, silence)
        if samples >= wanted:
            if done is not None:
                yield done
            done, rest = Joined(tuple(rest), samples), []
    if rest and pad:
        if done is not None:
            yield done
        done = Joined(tuple(rest), max(wanted, _samples(rest, silence)))
    elif rest and done is not None:
        together = [*done.places, *rest]
        done = Joined(tuple(together), _samples(together, silence))
    if done is not None:
        yield done


def _samples(places: list[RecordPlace], silence: int) -> int:
    return sum(place.n_samples + silence for place in places)


def _silent_frames(sample_rate: int, hop: int) -> int:
    return max(1, FrameSpec(sample_rate, hop).frames_for(SILENCE_SECONDS))


def _then_silence(record: PitchedRecord, frames: int) -> PitchedRecord:
    fade = min(round(FADE_SECONDS * record.sample_rate), len(record.audio) // 2)
    ramp = (np.arange(fade) + 0.5) / max(fade, 1)
    audio = record.audio.astype(np.float64)
    audio[:fade] *= ramp
    audio[len(audio) - fade :] *= ramp[::-1]
    if np.issubdtype(record.audio.dtype, np.integer):
        audio = np.rint(audio)
    return _padded(replace(record, audio=audio.astype(record.audio.dtype)), frames)


def _padded(record: PitchedRecord, frames: int) -> PitchedRecord:
    """A record with silence behind it."""

    def padded(values: Array, count: int, value: float = 0.0) -> Array:
        return np.pad(values, (0, count), constant_values=values.dtype.type(value))

    return replace(
        record,
        audio=padded(record.audio, frames * record.hop),
        f0_hz=padded(record.f0_hz, frames),
        voicing=padded(record.voicing, frames),
        loudness_db=padded(record.loudness_db, frames, _SILENCE_DB),
    )
