"""The notes that lie beside a recording: `NAME.notes.csv` or `NAME.mid` beside `NAME.flac`."""

from collections import defaultdict
from pathlib import Path

from ddsp_edge.files.midi_container import read_midi_bytes
from ddsp_edge.files.midi_file import read_midi_file
from ddsp_edge.transcription.names import known_name, name_of_program
from ddsp_edge.transcription.note import Note, read_table
from ddsp_tf.errors import DdspError

TABLE, MIDI = (".notes.csv",), (".mid", ".midi")
_DRUMS = 9  # channel 10, counted from 0
_TEMPO_US = 500_000  # a beat, until a file says otherwise
_SHORTEST_S = 0.01


def score_beside(recording: Path) -> Path:
    """The file of notes that belongs to a recording.

    Raises:
        DdspError: If there is none.
    """
    beside = {path.name.lower(): path for path in recording.parent.glob("*") if path.is_file()}
    for ending in (*TABLE, *MIDI):
        exact = recording.with_suffix(ending)
        if exact.is_file():
            return exact
        if (found := beside.get(exact.name.lower())) is not None:
            return found
    raise DdspError(
        f"{recording.name} has no notes beside it: neither {recording.stem}{TABLE[0]} nor "
        f"{recording.stem}.mid"
    )


def stem_of_score(name: str) -> str:
    """The stem of the recording that a file of notes would lie beside; empty where it holds no notes."""
    endings = (ending for ending in (*TABLE, *MIDI) if name.lower().endswith(ending))
    return next((name[: -len(ending)] for ending in endings), "")


def read_score(path: Path) -> list[Note]:
    """Read notes, by onset; instruments under the names they have here, empty where they are not known.

    Raises:
        DdspError: If the file cannot be read, or holds no notes.
    """
    if path.suffix.lower() in MIDI:
        notes = _of_midi(path)
    else:
        notes = [
            Note(n.onset_s, n.offset_s, n.pitch, n.velocity, known_name(n.instrument))
            for n in read_table(path)
        ]
    if not notes:
        raise DdspError(f"{path} holds no notes")
    return notes


def _of_midi(path: Path) -> list[Note]:
    try:
        midi = read_midi_file(read_midi_bytes(path)[0])
    except ValueError as error:
        raise DdspError(f"{path} is no MIDI file that can be read: {error}") from error
    programs: dict[int, int] = {}
    struck: dict[tuple[int, int], list[tuple[float, int, str]]] = defaultdict(list)
    notes: list[Note] = []
    seconds, before, tempo = 0.0, 0, _TEMPO_US

    def end(key: tuple[int, int]) -> None:
        if struck[key]:
            onset, velocity, name = struck[key].pop(0)
            notes.append(Note(onset, max(seconds, onset + _SHORTEST_S), key[1], velocity, name))

    for tick, message in midi.messages():
        if midi.ticks_per_second is not None:
            seconds = float(tick / midi.ticks_per_second)
        else:
            seconds += (tick - before) * tempo / 1e6 / midi.ticks_per_beat
        before = tick
        if message.type == "set_tempo":
            tempo = message.tempo
        elif message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type in ("note_on", "note_off") and message.channel != _DRUMS:
            key = (message.channel, message.note)
            if message.type == "note_on" and message.velocity > 0:
                name = name_of_program(programs.get(message.channel, 0))
                struck[key].append((seconds, message.velocity, name))
            else:
                end(key)
    for key in list(struck):
        while struck[key]:
            end(key)
    return sorted(notes, key=lambda note: (note.onset_s, note.pitch))
