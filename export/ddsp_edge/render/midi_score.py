"""A Standard MIDI File, checked and timed; docs/midi.md says what is made of what is odd in it."""

import dataclasses
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import mido
import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.files.midi_container import read_midi_bytes
from ddsp_edge.files.midi_file import MidiFile, Place, read_midi_file
from ddsp_edge.files.midi_parts import DRUMS
from ddsp_edge.files.midi_strikes import LooseStrikes
from ddsp_edge.live.controllers import ALL_SOUND_OFF, NOTES_OFF
from ddsp_edge.units import Array, midi_to_hz

MAX_SECONDS = 24 * 3600

_USUAL_TEMPO = 500_000  # microseconds a beat
_SOON_S = 0.05  # a key that is handed over is let go in that time


class MidiScore:
    """A Standard MIDI File, checked and timed. Memory is that of the file, however long it plays.

    Args:
        path: The file.
        sample_rate: Integer, Hz, of the samples that time is counted in.
        only: The track and the channel that are heard, counted from 0; None for all.

    Raises:
        DdspError: If the file is missing, damaged, longer than a day, or holds no notes.
    """

    def __init__(self, path: str | Path, sample_rate: int, only: Place | None = None) -> None:
        self.path = Path(path)
        self._rate = sample_rate
        self._missing = array("q")
        self.notes: Counter[int] = Counter()
        """How often each MIDI note is struck."""
        self.n_samples = 0
        """Sample at which the piece ends; what was let go then fades after it."""
        self._odd = dict[str, None]()
        file, odd = open_midi(self.path)
        self._odd.update(dict.fromkeys(odd))
        self._file = dataclasses.replace(file, only=only)
        strikes, drums = LooseStrikes(round(_SOON_S * sample_rate)), 0
        for number, (sample, message) in enumerate(self._timed()):
            self.n_samples = sample
            if _is_of_drums(message):
                drums += _strikes(message)
            else:
                self._look_at(number, sample, message, strikes)
        self._missing = strikes.indices
        if strikes.count:
            self._say(
                f"notes that are never let go: {strikes.count}; each ends where its key is struck again, or "
                "with the piece"
            )
        if drums:
            self._say(f"notes of channel 10, which are drums and left out: {drums}")
        if not self.notes:
            raise DdspError(f"{self.path} holds no notes (drums on channel 10 are left out)")

    @property
    def f0_hz(self) -> Array:
        """Frequencies of all notes struck, `[notes]`, at most a thousand for each of the 128."""
        notes, counts = np.array(sorted(self.notes.items())).T
        share = min(1.0, 1000.0 / counts.max())
        return np.asarray(midi_to_hz(np.repeat(notes, np.ceil(counts * share).astype(int))))

    @property
    def warnings(self) -> list[str]:
        """What was odd and how it is played, one line each."""
        return [f"{self.path}: {words}" for words in self._odd]

    def events(self) -> Iterator[tuple[int, mido.Message]]:
        """Yield messages and the first sample that is not before them.

        Where the file ends there is an `end_of_track`, and of type 2 where each of its patterns does: all
        keys and pedals are let go there.
        """
        missing = iter(self._missing)
        following = next(missing, -1)
        for number, (sample, message) in enumerate(self._timed()):
            if _is_of_drums(message):
                continue
            if number == following:
                yield sample, mido.Message("note_off", note=message.note, channel=message.channel)
                following = next(missing, -1)
            yield sample, message

    def _timed(self) -> Iterator[tuple[int, mido.Message]]:
        file = self._file
        if file.ticks_per_second is None:
            weight, second = _USUAL_TEMPO, 1_000_000 * file.ticks_per_beat
        else:
            weight, second = file.ticks_per_second.denominator, file.ticks_per_second.numerator
        usual, elapsed, before = weight, 0, 0  # elapsed: ticks, each times its weight
        for tick, message in file.messages():
            elapsed += (tick - before) * weight
            before = tick
            if elapsed > MAX_SECONDS * second:
                raise DdspError(f"{self.path} is longer than {MAX_SECONDS // 3600} hours")
            if message.type == "set_tempo":
                if file.ticks_per_second is None and message.tempo > 0:
                    weight = message.tempo
                elif message.tempo == 0:
                    self._say("a tempo of 0 microseconds a beat, which cannot be, is passed over")
                continue
            if message.type == "end_of_track":
                weight = usual
            yield -(-elapsed * self._rate // second), message

    def _look_at(self, number: int, sample: int, message: mido.Message, strikes: LooseStrikes) -> None:
        if _strikes(message):
            self.notes[message.note] += 1
            strikes.strike(number, sample, message.channel, message.note)
        elif message.type in ("note_on", "note_off"):
            strikes.release(sample, message.channel, message.note)
        elif message.type == "control_change" and message.control in (ALL_SOUND_OFF, *NOTES_OFF):
            strikes.release_all(message.channel)
        elif message.type == "end_of_track":
            strikes.let_all_go(sample)

    def _say(self, words: str) -> None:
        self._odd[words] = None


def open_midi(path: Path) -> tuple[MidiFile, list[str]]:
    """Read a Standard MIDI File; return it and what is odd about it, in words.

    Raises:
        DdspError: If it is missing or damaged.
    """
    if path.is_dir():
        raise DdspError(f"{path} is a folder, not a MIDI file")
    if not path.exists():
        raise DdspError(f"{path}: no such file")
    if not path.is_file():
        raise DdspError(f"{path} is a pipe or a device; name a file")
    try:
        data, odd = read_midi_bytes(path)
        file = read_midi_file(data)
    except OSError as error:
        raise DdspError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise DdspError(f"{path} is not a readable MIDI file: {error}") from error
    return file, [*odd, *file.warnings]


def _strikes(message: mido.Message) -> bool:
    return bool(message.type == "note_on" and message.velocity > 0)


def _is_of_drums(message: mido.Message) -> bool:
    return bool(message.type != "end_of_track" and message.channel == DRUMS)
