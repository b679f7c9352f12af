"""From recordings and their notes to records: the sound, and a table of the notes in it."""

from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.transcription.names import NAMES
from ddsp_edge.transcription.note import Note
from ddsp_edge.units import Array
from ddsp_tf.data.prepare.analysis import to_int16
from ddsp_tf.data.prepare.passages import Cut
from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.records.journal import Silence
from ddsp_tf.data.records.parts import FeatureForm
from ddsp_tf.data.records.schema import Feature, Record
from ddsp_tf.data.scores import read_score, score_beside
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.transcription.config import TranscriptionConfig

COLUMNS = ("onset_s", "offset_s", "midi_pitch", "velocity", "instrument")
"""Of the table of notes. Time counts from the beginning of the passage, and may be before it; the instrument
is its number among `NAMES`, -1 where it is not known."""

_SILENT = 1e-4  # of full scale, -80 dB


class NotesExtractor:
    """Puts the notes that lie beside a recording into its passages.

    Args:
        spec: The frame grid.
        audio: `"int16"` or `"float32"`, how sound is kept.
    """

    context_seconds = 0.0
    parallel = False

    def __init__(self, spec: FrameSpec, audio: str) -> None:
        self.spec, self._audio = spec, audio

    def memory_mib(self, seconds: float) -> float:
        """Python, numpy and a table of notes."""
        return 60.0

    def __call__(self, cut: Cut) -> Record | Silence:
        """Make a record of a passage."""
        notes = read_score(score_beside(Path(cut.path)))
        hop, rate = self.spec.hop, self.spec.sample_rate
        audio = cut.audio[cut.lead_frames * hop : (cut.lead_frames + cut.n_frames) * hop]
        table = note_table(notes, cut.first_sample / rate, len(audio) / rate)
        if np.abs(audio).max(initial=0.0) < _SILENT:
            return Silence(cut.source, cut.first_sample, len(audio))
        sound = to_int16(audio) if self._audio == "int16" else np.asarray(audio, np.float32)
        return Record(
            sounds={"audio": sound},
            features={"notes": Feature(table, 0)},
            source=cut.source,
            first_sample=cut.first_sample,
            sample_rate=rate,
        )


def note_table(notes: list[Note], begin_s: float, seconds: float) -> Array:
    """The notes that sound in a passage, float32 `[notes, 5]`; see `COLUMNS`."""
    rows = [
        (
            note.onset_s - begin_s,
            note.offset_s - begin_s,
            note.pitch,
            note.velocity,
            NAMES.index(note.instrument) if note.instrument in NAMES else -1,
        )
        for note in notes
        if note.offset_s > begin_s and note.onset_s < begin_s + seconds
    ]
    return np.array(rows, np.float32).reshape(-1, len(COLUMNS))


class SoloPreparation(Preparation):
    """As every preparation, with recordings held back by their names.

    Args:
        held_back: Words; what has one of them in its name is held back. Empty for a share of all passages.
        **settings: Of `Preparation`.
    """

    def __init__(self, held_back: tuple[str, ...], **settings: Any) -> None:
        super().__init__(**settings)
        self._held_back = held_back

    def is_validation(self, number: int, record: Record) -> bool:
        """Whether a passage is held back: by the name of its recording, else by share."""
        if self._held_back:
            return any(word in record.source for word in self._held_back)
        return super().is_validation(number, record)


def preparation(config: TranscriptionConfig) -> Preparation:
    """What is made of recordings."""
    spec, data = config.spec, config.data
    return SoloPreparation(
        data.held_back,
        spec=spec,
        extractor=NotesExtractor(spec, data.audio),
        sounds={"audio": data.audio},
        features={"notes": FeatureForm(0, (len(COLUMNS),))},
        extractors={"notes": {"name": "score beside the recording", "names": list(NAMES)}},
        settings={
            "sample_rate": spec.sample_rate,
            "hop": spec.hop,
            "data.audio": data.audio,
            "data.held_back": list(data.held_back),
        },
        passage_seconds=data.passage_seconds,
        validation_share=data.validation_share,
    )
