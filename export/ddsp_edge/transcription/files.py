"""A sound file in, a file of notes out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ddsp_edge.atomic import check_name
from ddsp_edge.errors import DdspError
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.files.midi_writer import write_midi
from ddsp_edge.transcription.harmonics import Fit, features_of
from ddsp_edge.transcription.judge import Judged
from ddsp_edge.transcription.melody import MelodyNotes
from ddsp_edge.transcription.naming import Namer, has_namer, named, register_likelihoods
from ddsp_edge.transcription.note import Note, by_instrument, midi_parts, write_table
from ddsp_edge.transcription.spectra import HOP
from ddsp_edge.transcription.transcriber import Transcriber
from ddsp_edge.units import Array

ENDINGS = (".mid", ".midi", ".csv")
Progress = Callable[[float, float], None]
"""Called with the seconds that are done, and those that there are."""


@dataclass(frozen=True)
class Transcript:
    """What was heard in a file.

    Args:
        notes: By onset.
        seconds: Length of the file.
        warnings: What whoever asked is to be told.
        features: Of each note, `[notes, 66]`, by which it can be named; None of one voice.
    """

    notes: list[Note]
    seconds: float
    warnings: list[str]
    features: Array | None = None

    def parts(self) -> list[tuple[str, int, float]]:
        """Name, number of notes and mean confidence in the name of each instrument that was named."""
        return [
            (name, len(part), sum(note.name_confidence for note in part) / len(part))
            for name, part in by_instrument(self.notes).items()
            if name
        ]


def check_notes_output(path: Path, source: Path) -> None:
    """Refuse a file of notes that cannot be written, before any work.

    Raises:
        DdspError: If its ending is another, it is a folder, or the recording itself.
    """
    if path.suffix.lower() not in ENDINGS:
        raise DdspError(f"{path}: notes are written as .mid or .csv")
    check_name(path)
    if path.is_dir():
        raise DdspError(f"{path} is a folder; name a .mid or .csv file to write")
    if path.exists() and source.exists() and path.samefile(source):
        raise DdspError(f"{path} is the recording, and would be overwritten; name another file to write")


def transcribe_file(
    hearing: Transcriber | MelodyNotes, source: str | Path, progress: Progress | None = None
) -> Transcript:
    """Hear the notes of a sound file, block by block.

    Args:
        hearing: What hears: a transcriber, or the pitch tracker for one voice.
        source: The sound file.
        progress: Called after each block.

    Raises:
        DdspError: If the file cannot be read, or is silent throughout.
    """
    hearing.reset()
    notes: list[Note] = []
    fits: list[Fit | None] = []
    samples, heard = 0, False

    def take(found: Judged | list[Note]) -> None:
        if isinstance(found, Judged):
            notes.extend(found.notes)
            fits.extend(found.fits)
        else:
            notes.extend(found)

    rate = hearing.spec.sample_rate
    with AudioReader(source, rate) as reader:
        for block in reader.blocks(64 * HOP):
            samples += len(block)
            heard = heard or bool(abs(block).max(initial=0.0) > 0.0)
            take(hearing.push(block))
            if progress is not None:
                progress(samples / rate, max(reader.n_samples, samples) / rate)
        warnings = reader.remarks()
        if not heard or reader.cancelled:
            raise DdspError(reader.silence())
    take(hearing.flush())
    order = sorted(range(len(notes)), key=lambda i: (notes[i].onset_s, notes[i].pitch))
    features = None
    if isinstance(hearing, Transcriber):
        features = features_of([fits[i] for i in order])
    return Transcript([notes[i] for i in order], samples / rate, warnings, features)


def named_transcript(found: Transcript, arrays: Mapping[str, Array], who: Sequence[str] = ()) -> Transcript:
    """Name the notes of a file, all together.

    Args:
        found: The notes.
        arrays: Of the model file, with the network that names; without it notes are named where one
            instrument alone plays, and else by register.
        who: Who plays; empty where that is to be guessed.
    """
    if found.features is None or not has_namer(arrays):
        if not who:
            return found
        likelihoods = register_likelihoods(np.array([note.pitch for note in found.notes]))
    else:
        likelihoods = Namer(arrays).log_likelihoods(found.features)
    return replace(found, notes=named(found.notes, likelihoods, who))


def write_notes(path: str | Path, notes: Sequence[Note]) -> None:
    """Write notes as MIDI, with a track for each instrument, or as a table, by the file's ending.

    Raises:
        DdspError: If the ending is another, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() == ".csv":
        write_table(path, notes)
    elif path.suffix.lower() in ENDINGS:
        write_midi(path, midi_parts(notes))
    else:
        raise DdspError(f"{path}: notes are written as .mid or .csv")
