"""Notes as trained instruments play them: to hear what was understood."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.files.audio_writer import AudioWriter
from ddsp_edge.files.midi_parts import Part, parts_of
from ddsp_edge.files.midi_writer import write_midi
from ddsp_edge.render.midi_score import open_midi
from ddsp_edge.render.mix import Player, render_mix
from ddsp_edge.transcription.note import Note, by_instrument, midi_parts
from ddsp_edge.transcription.resynthesis import played_blocks
from ddsp_edge.units import Array

_BLOCK = 65_536  # samples


def write_performance(
    path: str | Path, notes: Sequence[Note], seconds: float, instruments: Mapping[str, Path], sample_rate: int
) -> list[str]:
    """Play notes into a sound file, which is as long as the recording: each part by a trained instrument.

    Parts without one are played as plain harmonics. Memory is that of a block and of the notes.

    Args:
        path: Where to, `.wav` or `.flac`.
        notes: The notes.
        seconds: Length of the recording.
        instruments: Model files by the name of the instrument in the notes.
        sample_rate: Integer, Hz, where no trained instrument plays; else it is the highest of theirs.

    Returns:
        The names of the instruments that played, by number of notes.
    """
    parts = by_instrument(notes)
    playing = [name for name in parts if name in instruments]
    rest = [note for name, part in parts.items() if name not in instruments for note in part]
    with contextlib.ExitStack() as stack:
        trained: Iterator[Array] = iter(())
        if playing:
            mix = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "trained.wav"
            _mix([note for name in playing for note in parts[name]], instruments, mix)
            reader = stack.enter_context(AudioReader(mix))
            sample_rate, trained = reader.sample_rate, reader.blocks(_BLOCK)
        writer = stack.enter_context(AudioWriter(path, sample_rate))
        for block in played_blocks(rest, sample_rate, round(seconds * sample_rate), _BLOCK):
            other = next(trained, np.zeros(0, np.float32))[: len(block)]
            writer.write(block + np.pad(other, (0, len(block) - len(other))))
    return playing


def _mix(notes: Sequence[Note], instruments: Mapping[str, Path], out: Path) -> None:
    """Play notes by trained instruments, all in their own rooms."""
    song = out.with_suffix(".mid")
    write_midi(song, midi_parts(notes))
    parts: list[Part] = parts_of(open_midi(song)[0])[0]
    render_mix(song, out, [Player(part, instruments[part.name]) for part in parts], seed=0)
