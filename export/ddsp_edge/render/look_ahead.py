"""What comes after each note of a MIDI file."""

from array import array
from collections import defaultdict, deque
from collections.abc import Iterator

import numpy as np

from ddsp_edge.expression.notes import Ahead, look_ahead
from ddsp_edge.render.midi_score import MidiScore
from ddsp_edge.units import Array


def notes_ahead(score: MidiScore, sample_rate: int) -> Iterator[Ahead]:
    """Yield what comes after each note, in the order in which the file strikes them.

    The file is read once before the first; kept are a few numbers a note.

    Args:
        score: The piece.
        sample_rate: Integer, Hz, of its samples.
    """
    table = _struck(score)
    found = np.zeros((len(table), 5), np.float32)
    for channel in np.unique(table[:, 0]):
        rows = np.flatnonzero(table[:, 0] == channel)
        begins, ends, pitch, velocity = table[rows, 1:].T
        found[rows] = look_ahead(begins / sample_rate, ends / sample_rate, pitch, velocity)
    for row in found:
        yield Ahead(*row.tolist())


def _struck(score: MidiScore) -> Array:
    """Channel, sample of the onset and of the end, pitch and velocity of each note struck, `[notes, 5]`."""
    notes = array("q")
    down: dict[tuple[int, int], deque[int]] = defaultdict(deque)  # where the ends of what is held stand
    for sample, message in score.events():
        if message.type == "note_on" and message.velocity > 0:
            down[message.channel, message.note].append(len(notes) + 2)
            notes.extend([message.channel, sample, score.n_samples, message.note, message.velocity])
        elif message.type in ("note_on", "note_off"):
            if down[message.channel, message.note]:
                notes[down[message.channel, message.note].popleft()] = sample
        elif message.type == "end_of_track":
            for keys in down.values():
                while keys:
                    notes[keys.popleft()] = sample
    return np.array(notes, np.int64).reshape(-1, 5)
