"""Which clips of a recording have one note at a time in them, as `prepare` found it."""

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.quality.room import room_seconds
from ddsp_tf.data.quality.survey import ROOM_SECONDS
from ddsp_tf.data.records.shards import RecordPlace
from ddsp_tf.frames import FrameSpec

SEVERAL_NOTES = ("leave_out", "keep")
"""What may become of clips in which several notes sound."""
SEVERAL_SHARE = 0.1  # of a clip, at most, in which several notes sound


class OneNote:
    """Chooses where clips of a passage begin.

    Args:
        several: Where several notes sound at once, bool `[frames]`.
    """

    def __init__(self, several: Array) -> None:
        self._before = np.concatenate([[0], np.cumsum(several)])  # frames of several notes before each

    def starts(self, frames: int) -> Array:
        """Frames with which clips of so many frames may begin, `[n]`; none where no clip will do."""
        if frames >= len(self._before):
            return np.zeros(0, int)
        several = self._before[frames:] - self._before[: len(self._before) - frames]
        return np.flatnonzero(several <= SEVERAL_SHARE * frames)


class Chords:
    """Where several notes sound at once, in recordings where they can be told from one that rings on.

    In a room, and on an instrument, that rings for longer than 0.6 s, a note that was left looks like a
    second one: to leave those out would leave out how notes follow each other. Of a recording whose notes
    never end freely nobody knows how long it rings, and nothing is left out of it either.

    Args:
        spec: The frame grid of the clips.
    """

    def __init__(self, spec: FrameSpec) -> None:
        self._spec = spec
        self._several: dict[RecordPlace, tuple[str, Array]] = {}  # and whose recording it is
        self._decays: dict[str, list[float]] = {}  # by recording, s

    def add(self, place: RecordPlace, record: PitchedRecord) -> None:
        """Take a passage."""
        if (quality := record.quality) is None:
            return
        self._decays.setdefault(record.source, []).extend(quality.decay_seconds)
        several = np.zeros(self._spec.n_frames(len(record.audio)), bool)
        for stretch in quality.several_notes_seconds:
            first, last = (round(s * self._spec.sample_rate) - record.first_sample for s in stretch)
            several[max(0, first) // self._spec.hop : max(0, -(-last // self._spec.hop))] = True
        if several.any():
            self._several[place] = record.source, several

    def told(self) -> dict[RecordPlace, OneNote]:
        """The passages that have some, of dry recordings."""
        rooms = {source: room_seconds(decays) for source, decays in self._decays.items()}
        dry = {source for source, room in rooms.items() if room is not None and room <= ROOM_SECONDS}
        return {
            place: OneNote(several) for place, (source, several) in self._several.items() if source in dry
        }
