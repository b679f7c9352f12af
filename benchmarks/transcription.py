"""How right a transcriber is on recordings whose notes are known, counted by mir_eval.

    python benchmarks/transcription.py MODEL FOLDER...                  MODEL: a .tflite, or the name of one
    python benchmarks/transcription.py MODEL FOLDER... --each           a line for each file, too
    python benchmarks/transcription.py MODEL FOLDER... --voices 1       the pitch tracker, one voice at a time

Each folder holds NAME.flac (or .wav) beside NAME.notes.csv or NAME.mid. Told: the instruments that play are
told; blind: they are guessed. By register: the same by the pitch of a note alone. Needs mir_eval (the extra
`judge`). Where basic-pitch (with its ONNX network) is installed, it is measured on the same files.
"""

import argparse
import importlib.util
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "export"))

import numpy as np

from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.model.step_model import StepModel
from ddsp_edge.shipped import model_path
from ddsp_edge.transcription.files import transcribe_file
from ddsp_edge.transcription.melody import MelodyNotes
from ddsp_edge.transcription.names import FAMILY, known_name
from ddsp_edge.transcription.naming import Namer, has_namer, named, register_likelihoods
from ddsp_edge.transcription.note import Note, read_table
from ddsp_edge.transcription.transcriber import Transcriber
from ddsp_edge.units import Array

COLUMNS = (
    "precision",
    "recall",
    "onset F1",
    "+ offset",
    "+ name, told",
    "+ family, told",
    "+ name, blind",
    "+ family, blind",
    "name, told, by register",
)
Hear = Callable[[Path], tuple[list[Note], Array | None]]  # notes of a file, and features of them


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=model_path)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--voices", type=int)
    given = parser.parse_args()
    if importlib.util.find_spec("mir_eval") is None:
        sys.exit("mir_eval is not installed: pip install 'ddsp-tf[judge]'")
    model = StepModel(given.model)
    hearing = MelodyNotes(model.spec) if given.voices == 1 else Transcriber.of_card(model, model.card)

    def hear(path: Path) -> tuple[list[Note], Array | None]:
        found = transcribe_file(hearing, path)
        return found.notes, found.features

    arrays = file_arrays(given.model)
    namer = Namer(arrays) if has_namer(arrays) else None
    systems: dict[str, Hear] = {"pitch tracker" if given.voices == 1 else given.model.stem: hear}
    if importlib.util.find_spec("basic_pitch") is not None:
        systems["basic-pitch"] = basic_pitch()
    print(f"{'':<44}{'files':>6}" + "".join(f"{name:>12.12}" for name in COLUMNS) + f"{'CPU s/s':>9}")
    for folder in given.folders:
        for name, system in systems.items():
            measure(folder, name, system, namer, given.each)


def file_arrays(path: Path) -> dict[str, Array]:
    """Arrays of a model file."""
    from ddsp_edge.model.file import read_model_file

    return read_model_file(path).arrays


def measure(folder: Path, name: str, hear: Hear, namer: Namer | None, each: bool) -> None:
    """Print the scores of a system on the files of a folder, the mean of all."""
    rows, seconds, cpu_s = [], 0.0, 0.0
    by_instrument: dict[str, list[float]] = defaultdict(list)
    by_count: dict[str, list[float]] = defaultdict(list)
    for path, reference in recordings(folder):
        began = time.process_time()
        notes, features = hear(path)
        cpu_s += time.process_time() - began
        audio, rate = read_audio(path)
        seconds += len(audio) / rate
        row = scores(reference, notes, features, namer)
        rows.append(row)
        who = {note.instrument for note in reference}
        if len(who) == 1:
            by_instrument[next(iter(who))].append(row[2])
        by_count[str(len(who))].append(row[2])
        if each:
            print(f"  {path.stem:<48}" + "".join(f"{value:12.3f}" for value in row))
    if not rows:
        sys.exit(f"{folder}: no recordings with notes beside them")
    means = np.nanmean(np.array(rows), axis=0)
    label = f"{folder.name}, {name}"
    print(
        f"{label:<44.44}{len(rows):>6}" + "".join(f"{v:12.3f}" for v in means) + f"{cpu_s / seconds:9.3f}",
        flush=True,
    )
    for title, groups in (("solos", by_instrument), ("as many instruments", by_count)):
        if len(groups) > 1:
            words = [f"{group} {np.mean(values):.2f}" for group, values in sorted(groups.items())]
            print(f"    onset F1 of {title}: {', '.join(words)}")


def recordings(folder: Path) -> Iterator[tuple[Path, list[Note]]]:
    """Sound files of a folder and their notes."""
    from ddsp_tf.data.scores import read_score

    for path in sorted([*folder.glob("*.flac"), *folder.glob("*.wav")]):
        table, midi = path.with_suffix(".notes.csv"), path.with_suffix(".mid")
        if table.is_file():
            notes = read_table(table)
            yield path, [replace(note, instrument=known_name(note.instrument)) for note in notes]
        elif midi.is_file():
            yield path, read_score(midi)


def scores(
    reference: Sequence[Note], notes: Sequence[Note], features: Array | None, namer: Namer | None
) -> list[float]:
    """What `COLUMNS` names."""
    matched = matches(reference, notes)
    total = len(reference) + len(notes)
    row = [matched / max(1, len(notes)), matched / len(reference), 2 * matched / total]
    row.append(2 * matches(reference, notes, offset_ratio=0.2) / total)
    who = tuple(dict.fromkeys(note.instrument for note in reference))
    if namer is None or features is None or not all(who):
        return [*row, *[np.nan] * (len(COLUMNS) - len(row))]
    likelihoods = namer.log_likelihoods(features)
    for told in (who, ()):
        found = named(notes, likelihoods, told)
        row += [2 * same(reference, found, part) / total for part in (None, FAMILY)]
    by_register = named(notes, register_likelihoods(np.array([n.pitch for n in notes])), who)
    return [*row, 2 * same(reference, by_register, None) / total]


def same(reference: Sequence[Note], notes: Sequence[Note], groups: dict[str, str] | None) -> int:
    """Matches of notes with the same instrument, or of the same group of instruments."""

    def of(note: Note) -> str:
        return groups.get(note.instrument, "") if groups else note.instrument

    return sum(
        matches([n for n in reference if of(n) == name], [n for n in notes if of(n) == name])
        for name in {of(note) for note in reference}
    )


def matches(reference: Sequence[Note], notes: Sequence[Note], offset_ratio: float | None = None) -> int:
    """Matches by mir_eval: onsets within 50 ms, pitches within 50 cents."""
    from mir_eval.transcription import match_notes

    if not reference or not notes:
        return 0
    given = []
    for part in (reference, notes):
        spans = np.array([[n.onset_s, max(n.offset_s, n.onset_s + 0.02)] for n in part])
        given += [spans, 440.0 * 2.0 ** ((np.array([n.pitch for n in part]) - 69.0) / 12.0)]
    return len(match_notes(*given, offset_ratio=offset_ratio))


def basic_pitch() -> Hear:
    """basic-pitch by its ONNX network, with its own thresholds."""
    import basic_pitch
    from basic_pitch.inference import Model, predict

    model = Model(Path(basic_pitch.__file__).parent / "saved_models/icassp_2022/nmp.onnx")

    def hear(path: Path) -> tuple[list[Note], Array | None]:
        events = predict(str(path), model)[2]
        return [Note(float(e[0]), float(e[1]), float(e[2])) for e in sorted(events)], None

    return hear


if __name__ == "__main__":
    main()
