"""Notes as plain harmonics: to hear what was understood."""

from collections.abc import Iterator, Sequence

import numpy as np

from ddsp_edge.transcription.note import Note
from ddsp_edge.units import Array, midi_to_hz

_LEVELS = (1.0, 0.6, 0.4, 0.25, 0.16, 0.1, 0.06, 0.04)  # amplitudes of the harmonics
_ATTACK_S, _RELEASE_S, _DECAY_S = 0.01, 0.06, 2.0
_PEAK = 0.18


def played(notes: Sequence[Note], sample_rate: int, samples: int) -> Array:
    """Notes as sums of harmonics, float32 `[samples]`; for files of any length there is `played_blocks`."""
    blocks = list(played_blocks(notes, sample_rate, samples))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def played_blocks(
    notes: Sequence[Note], sample_rate: int, samples: int, block: int = 65_536
) -> Iterator[Array]:
    """Yield blocks `[n]` of the same; memory is that of a block and of the notes.

    Args:
        notes: The notes, in any order.
        sample_rate: Integer, Hz.
        samples: Integer, length.
        block: Integer, samples of a block; the last may be shorter.
    """
    waiting = sorted(notes, key=lambda note: note.onset_s)
    first, sounding = 0, list[Note]()
    for begin in range(0, samples, block):
        end = min(begin + block, samples)
        while first < len(waiting) and waiting[first].onset_s * sample_rate < end:
            sounding.append(waiting[first])
            first += 1
        out = np.zeros(end - begin)
        for note in sounding:
            _add(out, begin, note, sample_rate)
        sounding = [note for note in sounding if (note.offset_s + _RELEASE_S) * sample_rate > end]
        yield np.asarray(np.tanh(out), np.float32)


def _add(out: Array, begin: int, note: Note, rate: int) -> None:
    """Add what sounds of a note in the samples from `begin` on."""
    first = max(begin, int(note.onset_s * rate))
    last = min(begin + len(out), int((note.offset_s + _RELEASE_S) * rate))
    if last <= first:
        return
    seconds = np.arange(first, last) / rate - note.onset_s
    held = note.offset_s - note.onset_s
    level = np.minimum(1.0, np.maximum(seconds, 0.0) / _ATTACK_S) * np.exp(-seconds / _DECAY_S)
    level *= np.clip(1.0 - (seconds - held) / _RELEASE_S, 0.0, 1.0)
    hz = float(midi_to_hz(note.pitch))
    level *= _PEAK * 10.0 ** ((note.velocity - 100) / 2.0 / 20.0)
    for number, amplitude in enumerate(_LEVELS, 1):
        if number * hz < 0.45 * rate:
            out[first - begin : last - begin] += (
                level * amplitude * np.sin(2.0 * np.pi * number * hz * seconds)
            )
