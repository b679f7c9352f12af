"""A note that was heard or written, and tables of notes."""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ddsp_edge.atomic import written_whole
from ddsp_edge.errors import DdspError
from ddsp_edge.files.midi_writer import MidiNote, MidiPart
from ddsp_edge.transcription.names import program_of

COLUMNS = ("onset_s", "offset_s", "midi_pitch", "velocity", "instrument")
MAX_TABLE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Note:
    """A note.

    Args:
        onset_s: When it begins, seconds.
        offset_s: When it ends, seconds.
        pitch: MIDI note, 69 for A4; a fraction where it is known to that.
        velocity: 1 to 127.
        instrument: Who plays it; empty where that is not known.
        confidence: 0 to 1, how sure it is that there is such a note.
        name_confidence: 0 to 1, how sure it is that this instrument plays it.
        bends: Pitch from its nearest MIDI note in semitones along time: pairs of seconds and semitones.
    """

    onset_s: float
    offset_s: float
    pitch: float
    velocity: int = 80
    instrument: str = ""
    confidence: float = 1.0
    name_confidence: float = 0.0
    bends: tuple[tuple[float, float], ...] = ()


def write_table(path: str | Path, notes: Iterable[Note]) -> None:
    """Write notes as a table of comma-separated values, beside and renamed.

    Columns: `onset_s,offset_s,midi_pitch,velocity,instrument,confidence`.

    Raises:
        DdspError: If the file cannot be written.
    """
    path = Path(path)
    try:
        with written_whole(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow([*COLUMNS, "confidence"])
            for note in notes:
                out.writerow(
                    [
                        f"{note.onset_s:.4f}",
                        f"{note.offset_s:.4f}",
                        f"{note.pitch:.6g}",
                        note.velocity,
                        note.instrument,
                        f"{note.confidence:.3f}",
                    ]
                )
    except OSError as error:
        raise DdspError(f"{path} cannot be written: {error.strerror}") from error


def read_table(path: str | Path) -> list[Note]:
    """Read notes from a table of comma-separated values with a heading.

    `onset_s`, `offset_s` and `midi_pitch` are needed, `velocity` and `instrument` may be missing; the order
    of columns, and others, do not matter.

    Returns:
        The notes, by onset.

    Raises:
        DdspError: If the file cannot be read, or a row is no note.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise DdspError(f"{path} is larger than {MAX_TABLE_BYTES >> 20} MiB: no table of notes")
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS[:3] if name not in (reader.fieldnames or ())]
            if missing:
                raise DdspError(f"{path} has no column {', '.join(missing)}: it is no table of notes")
            notes = [_note(path, reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DdspError(f"{path} cannot be read as a table of notes: {error}") from error
    return sorted(notes, key=lambda note: (note.onset_s, note.pitch))


def _note(path: Path, line: int, row: dict[str, str]) -> Note:
    try:
        onset, offset, pitch = (float(row[name]) for name in COLUMNS[:3])
        velocity = float(row.get("velocity") or 80)
    except (TypeError, ValueError) as error:
        raise DdspError(f"{path}, line {line}: a note needs numbers: {error}") from error
    if not (0.0 <= onset < offset < math.inf and 0.0 <= pitch <= 127.0 and 0.0 <= velocity <= 127.0):
        raise DdspError(
            f"{path}, line {line}: a note ends after it begins, and its pitch and velocity are MIDI's, 0 to "
            f"127. Received: {onset:g} to {offset:g} s, pitch {pitch:g}, velocity {velocity:g}"
        )
    return Note(onset, offset, pitch, max(1, round(velocity)), (row.get("instrument") or "").strip())


def by_instrument(notes: Sequence[Note]) -> dict[str, list[Note]]:
    """The notes of each instrument, those with the most notes first."""
    parts: dict[str, list[Note]] = {}
    for note in notes:
        parts.setdefault(note.instrument, []).append(note)
    return dict(sorted(parts.items(), key=lambda part: (-len(part[1]), part[0])))


def midi_parts(notes: Sequence[Note]) -> list[MidiPart]:
    """A part for each instrument, that with the most notes first."""
    return [
        MidiPart(
            name or "notes",
            program_of(name),
            [
                MidiNote(n.onset_s, n.offset_s, min(127, max(0, round(n.pitch))), n.velocity, n.bends)
                for n in part
            ],
        )
        for name, part in by_instrument(notes).items()
    ]
