"""Notes as a page shows them: bars along time."""

from pathlib import Path
from typing import Any

from ddsp_edge.render.midi_score import MidiScore
from ddsp_edge.transcription.note import Note, read_table

MOST = 6000  # that are shown
_RATE = 1000  # of the clock of a score, Hz


def notes_of_midi(path: Path) -> list[Note]:
    """Notes of a MIDI file as they are struck and let go, by onset; drums are left out.

    Raises:
        DdspError: If it cannot be read, or holds no notes.
    """
    score = MidiScore(path, _RATE)
    held: dict[tuple[int, int], list[tuple[int, int]]] = {}
    notes: list[Note] = []

    def let_go(place: tuple[int, int], sample: int) -> None:
        for onset, velocity in held.pop(place, []):
            end = max(sample, onset + 1)
            notes.append(Note(onset / _RATE, end / _RATE, place[1], velocity, f"channel {place[0] + 1}"))

    last = 0
    for sample, message in score.events():
        last = sample
        if message.type == "note_on" and message.velocity:
            held.setdefault((message.channel, message.note), []).append((sample, message.velocity))
        elif message.type in ("note_on", "note_off"):
            let_go((message.channel, message.note), sample)
        elif message.type == "end_of_track":
            for place in list(held):
                let_go(place, sample)
    for place in list(held):
        let_go(place, last)
    return sorted(notes, key=lambda note: (note.onset_s, note.pitch))


def shown_notes(notes: list[Note]) -> dict[str, Any]:
    """Plain data: `parts`, which are names, and of each note onset, end, pitch and the number of its part."""
    parts = list(dict.fromkeys(note.instrument for note in notes))
    number = {name: i for i, name in enumerate(parts)}
    rows = [
        [round(note.onset_s, 3), round(note.offset_s, 3), round(note.pitch, 2), number[note.instrument]]
        for note in notes[:MOST]
    ]
    return {
        "parts": parts,
        "notes": rows,
        "left_out": max(0, len(notes) - MOST),
        "seconds": max((note.offset_s for note in notes), default=0.0),
    }


def notes_in(path: Path) -> list[Note]:
    """Notes of a file that a use wrote, a table or MIDI.

    Raises:
        DdspError: If it cannot be read, or, of MIDI, holds no notes.
    """
    return read_table(path) if path.suffix == ".csv" else notes_of_midi(path)
