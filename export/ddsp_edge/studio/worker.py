"""A job of the studio in a process of its own: it can be ended at any moment, and takes nothing down with it.

It reads what is to be done from stdin, JSON, and tells of it on stdout, a line of JSON each: `progress`, a
share of 1 with words, and at the end `done` or `error`. It is started by `ddsp_edge.studio.jobs`.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ddsp_edge.threads import THREAD_VARIABLES

_EVERY_S = 0.1  # that progress is told
_SHARE = 0.8  # of the bar that the work itself takes; the rest is looking at what came of it
_WORDS = {".wav": "sound", ".flac": "sound", ".mid": "MIDI", ".csv": "table", ".npz": "controls"}
OUT = "out"
"""What the files of a job are called."""


class CurveWatch:
    """Pitch and loudness before and after, in as many columns as a screen has; a `Watch`."""

    def __init__(self) -> None:
        from ddsp_edge.studio.columns import Columns

        self._columns = {name: Columns(3) for name in ("heard", "told")}

    def heard(self, f0_hz: Any, loudness_db: Any) -> None:
        """See `ddsp_edge.render.watch.Watch`."""
        self._add("heard", f0_hz, loudness_db)

    def told(self, f0_hz: Any, loudness_db: Any, controls: Mapping[str, Any]) -> None:
        """See `ddsp_edge.render.watch.Watch`."""
        self._add("told", f0_hz, loudness_db)

    def _add(self, name: str, f0_hz: Any, loudness_db: Any) -> None:
        import numpy as np

        pitched = f0_hz > 0.0
        octaves = np.where(pitched, np.log2(np.where(pitched, f0_hz, 1.0)), 0.0)
        self._columns[name].add(np.stack([octaves, pitched, loudness_db], axis=1))

    def curves(self) -> dict[str, Any]:
        """By `heard` and `told`: `f0_hz`, None where most of a column has no pitch, and `loudness_db`."""
        found = {}
        for name, columns in self._columns.items():
            rows = columns.means().tolist()
            found[name] = {
                "f0_hz": [round(2.0 ** (o / p), 2) if p >= 0.5 else None for o, p, _ in rows],
                "loudness_db": [round(db, 1) for _, _, db in rows],
            }
        return found if found["told"]["f0_hz"] else {}


def main() -> int:
    """Do one job; return 0, or 1 where it could not be done."""
    from ddsp_edge.errors import DdspError

    asked = json.loads(sys.stdin.read())
    try:
        done = {"look": look, "use": use, "train": _train}[asked["kind"]](asked, _teller())
    except DdspError as error:
        _tell({"error": " ".join(str(error).split())})
        return 1
    except KeyboardInterrupt:  # it was stopped, and goes on another time
        return 1
    _tell({"done": done})
    return 0


def look(asked: Mapping[str, Any], progress: Callable[[float, str], None]) -> dict[str, Any]:
    """Look at what somebody gave: a sound, or MIDI.

    Args:
        asked: `source`, and `folder`, where to.
        progress: Is told how far it is.
    """
    from ddsp_edge.files.midi_container import is_midi_file
    from ddsp_edge.studio.pictures import look_at
    from ddsp_edge.studio.scores import notes_of_midi, shown_notes
    from ddsp_edge.units import length_in_words

    source, folder = Path(asked["source"]), Path(asked["folder"])
    if is_midi_file(source):
        notes = notes_of_midi(source)
        about = f"MIDI, {len(notes)} notes, {length_in_words(max(note.offset_s for note in notes))}"
        return {"takes": "MIDI", "about": about, "score": shown_notes(notes)}
    sound = look_at(source, folder, "input", _shares(progress, 0.0, 1.0, "looking"))
    return {"takes": "sound", "about": sound.pop("about"), "sound": sound}


def use(asked: Mapping[str, Any], progress: Callable[[float, str], None]) -> dict[str, Any]:
    """Do what a model does with a file.

    Args:
        asked: `task`, `use` (its number among those of the task), `model`, `source`, `folder`, `values`.
        progress: Is told how far it is.
    """
    from ddsp_edge.cli.file_use import Files
    from ddsp_edge.cli.file_uses import uses_of
    from ddsp_edge.studio.knobs import arguments_of

    chosen = uses_of(asked["task"])[asked["use"]]
    folder = Path(asked["folder"])
    arguments = arguments_of(chosen, asked["values"])
    for option, ending in chosen.also.items():
        setattr(arguments, option, folder / f"{OUT}-{option}{ending}")
    arguments.settings = None
    files = Files(Path(asked["model"]), Path(asked["source"]), folder / f"{OUT}{chosen.ending}")
    progress(0.0, "starting")
    watch = CurveWatch()
    outcome = chosen.run(files, arguments, _shares(progress, 0.0, _SHARE, "working"), watch)
    result: dict[str, Any] = {"told": outcome.told, "warnings": outcome.warnings}
    if curves := watch.curves():
        result["curves"] = curves
    return {**result, **_made(folder, chosen.ending, progress)}


def _train(asked: Mapping[str, Any], progress: Callable[..., None]) -> dict[str, Any]:
    from ddsp_edge.studio.training import train

    return train(asked, progress)


def _made(folder: Path, ending: str, progress: Callable[[float, str], None]) -> dict[str, Any]:
    """What is shown of the files that came of a use, the one that was asked for first."""
    from ddsp_edge.errors import DdspError
    from ddsp_edge.studio.pictures import look_at
    from ddsp_edge.studio.scores import notes_in, shown_notes

    paths = sorted(folder.glob(f"{OUT}*"), key=lambda path: (path.stem != OUT, path.name))
    files, sounds, score = [], [], None
    for number, path in enumerate(paths):
        label = path.stem.removeprefix(OUT).removeprefix("-")
        files.append({"file": path.name, "label": label, "kind": _WORDS.get(path.suffix, "file")})
        start = _SHARE + (1.0 - _SHARE) * number / len(paths)
        step = (1.0 - _SHARE) / len(paths)
        if path.suffix in (".wav", ".flac"):
            looked = look_at(path, folder, f"shown-{number}", _shares(progress, start, step, "looking at it"))
            sounds.append({"label": label, **looked})
    tables = [path for path in paths if path.suffix == ".csv"] or [p for p in paths if p.suffix == ".mid"]
    if ending == ".mid" and tables:
        try:
            score = shown_notes(notes_in(tables[0]))
        except DdspError:  # no note was found, which is told by their number
            score = shown_notes([])
    return {"files": files, "sounds": sounds, **({} if score is None else {"score": score})}


def _shares(
    progress: Callable[[float, str], None], start: float, length: float, words: str
) -> Callable[[float, float], None]:
    """Turn seconds done and seconds in all into a share of the whole job."""

    def told(done_s: float, total_s: float) -> None:
        progress(start + length * min(1.0, done_s / max(total_s, 1e-9)), words)

    return told


def _teller() -> Callable[..., None]:
    last = [0.0]

    def progress(share: float, words: str, live: Mapping[str, Any] | None = None) -> None:
        now = time.monotonic()
        if now - last[0] >= _EVERY_S:
            last[0] = now
            _tell({"progress": share, "words": words, **({"live": live} if live else {})})

    return progress


def _tell(event: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for variable in THREAD_VARIABLES:
        os.environ.setdefault(variable, "1")
    sys.exit(main())
