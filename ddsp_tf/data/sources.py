"""Which files are recordings: what a user names, turned into a list of sound files."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ddsp_tf.errors import DdspError

_FORMATS = "wav wave w64 rf64 flac ogg oga opus mp3 aif aiff aifc au snd caf"
SOUND_ENDINGS = frozenset(f".{name}" for name in _FORMATS.split(" "))
"""Endings that are looked for in folders. A file that is named itself is tried whatever its ending."""


@dataclass(frozen=True)
class Source:
    """One recording.

    Args:
        path: Where it lies.
        name: What the dataset calls it: unique, and without the folders above what the user named.
    """

    path: Path
    name: str


@dataclass(frozen=True)
class Sources:
    """The recordings found, in order, and the names of files in folders that have another ending."""

    recordings: tuple[Source, ...]
    strays: tuple[str, ...]


def find_recordings(paths: Sequence[str | Path], leave_out: Path | None = None) -> Sources:
    """List the recordings in files and folders (with their sub-folders, sorted, without hidden files).

    A file that is reached twice is taken once. Links to folders are not followed, and what is in the folder
    `leave_out` is not looked at.

    Raises:
        DdspError: If nothing is given, a path does not exist, or there is no sound file at all.
    """
    if not paths:
        raise DdspError("no recordings given: name sound files, or folders that hold some")
    recordings: dict[Path, Source] = {}  # by resolved path
    names: set[str] = set()
    strays: list[str] = []
    for given in map(Path, paths):
        if not given.exists():
            raise DdspError(f"{given}: no such file or folder")
        for path in _files_in(given, leave_out) if given.is_dir() else [given]:
            name = path.relative_to(given).as_posix() if given.is_dir() else path.name
            if given.is_dir() and path.suffix.lower() not in SOUND_ENDINGS:
                strays.append(name)
                continue
            if path.resolve() in recordings:
                continue
            name = _unique(name, path, names)
            names.add(name)
            recordings[path.resolve()] = Source(path, name)
    if not recordings:
        endings = ", ".join(sorted(SOUND_ENDINGS))
        raise DdspError(f"{', '.join(map(str, paths))}: no sound files in there (looked for {endings})")
    return Sources(tuple(recordings.values()), tuple(strays))


def _files_in(folder: Path, leave_out: Path | None) -> list[Path]:
    out = leave_out.resolve() if leave_out is not None else None
    found: list[Path] = []
    for at, folders, files in os.walk(folder):
        if out is not None and Path(at).resolve() == out:
            folders[:] = []
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(at) / name for name in sorted(files) if not name.startswith(".")]
    return found


def _unique(name: str, path: Path, taken: set[str]) -> str:
    if name not in taken:
        return name
    name = path.as_posix()
    count = 2
    while name in taken:
        name = f"{path.as_posix()} ({count})"
        count += 1
    return name
