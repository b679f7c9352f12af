"""Music whose notes are known: small files of sums of harmonics, with their notes beside them."""

from pathlib import Path

import numpy as np
import soundfile

from ddsp_edge.transcription.note import Note, write_table
from ddsp_edge.transcription.resynthesis import played

RATE = 16_000
NAMES = ("flute", "cello")


def melody(seed: int, seconds: float, low: int = 50, high: int = 70) -> list[Note]:
    """A random melody."""
    rng = np.random.default_rng(seed)
    notes, at = [], 0.2
    while at < seconds - 0.6:
        length = float(rng.uniform(0.15, 0.5))
        notes.append(
            Note(at, at + length, int(rng.integers(low, high)), int(rng.integers(60, 120)), NAMES[seed % 2])
        )
        at += length + float(rng.choice([0.01, 0.15]))
    return notes


def write_solo(path: Path, seed: int, seconds: float) -> list[Note]:
    """Write a solo with its notes beside it; return them."""
    notes = melody(seed, seconds)
    noise = np.random.default_rng(seed).normal(0.0, 1e-4, int(seconds * RATE))
    soundfile.write(path, played(notes, RATE, int(seconds * RATE)) + noise, RATE)
    write_table(path.with_suffix(".notes.csv"), notes)
    return notes
