"""What a training sounds like so far: files of `ddsp-tf train --sounds`, as a page plays and shows them."""

import contextlib
import re
from pathlib import Path
from typing import Any

from ddsp_edge.errors import DdspError
from ddsp_edge.studio.pictures import look_at

_RECORDING = "recording.wav"
_RESYNTHESIS = re.compile(r"step-(\d{1,12})\.wav")
_STAY = 2  # newest of a kind: somebody may still be listening to the one before


class Heard:
    """The held-back recording and the newest resynthesis of a run, looked at again when they are others.

    Args:
        sounds: Where the training writes them; it need not be there yet.
        folder: For what a page plays and shows of them, of its own.
    """

    def __init__(self, sounds: Path, folder: Path) -> None:
        self._sounds, self._folder = sounds, folder
        self._looked: dict[str, dict[str, Any]] = {}
        self._names: dict[str, list[str]] = {}
        for path in folder.glob("*"):  # of a process that was told to stop; what goes on is looked at anew
            path.unlink(missing_ok=True)

    def now(self) -> list[dict[str, Any]]:
        """What there is, as `look_at` tells of it, with its `kind`, and the `step` that it is of."""
        found = self._sounds / _RECORDING
        if found.is_file():
            self._look("recording", found, {})
        steps = {int(m[1]): path for path in self._sounds.glob("step-*.wav") if (m := _named(path))}
        if steps:
            newest = max(steps)
            self._look("resynthesis", steps[newest], {"step": newest})
        return list(self._looked.values())

    def _look(self, kind: str, path: Path, about: dict[str, Any]) -> None:
        with contextlib.suppress(DdspError, OSError):  # replaced meanwhile: the next look finds it
            name = f"{path.stem}-{path.stat().st_mtime_ns}"  # of its content: none changes under its name
            names = self._names.setdefault(kind, [])
            if name in names[-1:]:
                return
            looked = look_at(path, self._folder, name, lambda done_s, total_s: None)
            del looked["level_db"]
            self._looked[kind] = {"kind": kind, **about, **looked}
            names.append(name)
            for gone in names[:-_STAY]:
                for file in self._folder.glob(f"{gone}.*"):
                    file.unlink(missing_ok=True)
            del names[:-_STAY]


def _named(path: Path) -> re.Match[str] | None:
    return _RESYNTHESIS.fullmatch(path.name)
