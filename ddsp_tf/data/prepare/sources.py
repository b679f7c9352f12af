"""Which files are recordings: what a user names, turned into a list of sound files."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ddsp_edge.files.stored_sound import CONVERT, OTHER_SOUND
from ddsp_tf.data.scores import stem_of_score
from ddsp_tf.errors import DdspError

_FORMATS = "wav wave w64 rf64 flac ogg oga opus mp3 aif aiff aifc au snd caf"
SOUND_ENDINGS = frozenset(f".{name}" for name in _FORMATS.split(" "))
"""Endings that are looked for in folders. A file that is named itself is tried whatever its ending."""

_NAMED_IN_ERROR = 3


@dataclass(frozen=True)
class Source:
    """One recording.

    Args:
        path: Where it lies.
        name: What the dataset calls it: unique, and without the folders above what the user named.
        group: Of which group of recordings it is; empty where there is one.
    """

    path: Path
    name: str
    group: str = ""


@dataclass(frozen=True)
class Stray:
    """What was found and is no recording, under the name that a report calls it by, and why it is none."""

    name: str
    reason: str


@dataclass(frozen=True)
class Sources:
    """The recordings found, in order, and what else there was."""

    recordings: tuple[Source, ...]
    strays: tuple[Stray, ...]

    def of_group(self, group: str) -> "Sources":
        """The same as recordings of a group, whose name stands in front of theirs."""
        if not group:
            return self
        return Sources(
            tuple(Source(source.path, f"{group}/{source.name}", group) for source in self.recordings),
            tuple(Stray(f"{group}/{stray.name}", stray.reason) for stray in self.strays),
        )


def find_recordings(paths: Sequence[str | Path], leave_out: Path | None = None) -> Sources:
    """List the recordings in files and folders (with their sub-folders, sorted, without hidden files).

    A file that is reached twice is taken once. Links to files are followed, links to folders are not. What is
    in the folder `leave_out` is not looked at.

    Raises:
        DdspError: If nothing is given, a path is empty, does not exist or is neither file nor folder, or
            there is no sound file at all.
    """
    if not paths:
        raise DdspError("no recordings given: name sound files, or folders that hold some")
    recordings: dict[Path, Source] = {}  # by resolved path
    names: set[str] = set()
    strays: list[Stray] = []
    for given in paths:
        if not str(given):
            raise DdspError("a recording has an empty name: name a sound file, or a folder that holds some")
        for path, name, reason in _found(Path(given), leave_out):
            if reason:
                strays.append(Stray(name, reason))
            elif path.resolve() not in recordings:
                unique = _unique(name, path, names)
                names.add(unique)
                recordings[path.resolve()] = Source(path, unique)
    if not recordings:
        raise DdspError(_nothing(paths, strays))
    return Sources(tuple(recordings.values()), tuple(strays))


def _found(given: Path, leave_out: Path | None) -> Iterator[tuple[Path, str, str]]:
    """Yield path and name of what a user's path stands for, and why it is no recording where it is none."""
    problem, is_folder = _problem(given)
    if is_folder:
        for path, reason in _files_in(given, leave_out):
            yield path, _text(path.relative_to(given)), reason
    elif problem:
        raise DdspError(f"{given}: {problem}")
    else:
        yield given, _text(Path(given.name)), ""


def _files_in(folder: Path, leave_out: Path | None) -> list[tuple[Path, str]]:
    """The files of a folder and those below, each with why it is no recording; empty where it may be one.

    Notes that lie beside a recording belong to it, and are not listed.
    """
    out = leave_out.resolve() if leave_out is not None else None
    found: list[tuple[Path, str]] = []

    def cannot_list(error: OSError) -> None:
        found.append((Path(error.filename), f"a folder that cannot be listed: {error.strerror}"))

    for at, folders, files in os.walk(folder, onerror=cannot_list):
        if out is not None and Path(at).resolve() == out:
            folders[:] = []
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [Path(at) / name for name in folders if (Path(at) / name).is_symlink()]
        found += [(path, "a link to a folder, which is not followed: name the folder too") for path in links]
        paths = [Path(at) / name for name in sorted(files) if not name.startswith(".")]
        stems = {path.stem for path in paths if not _by_ending(path)}
        paths = [path for path in paths if stem_of_score(path.name) not in stems]
        found += [(path, _by_ending(path) or _problem(path)[0]) for path in paths]
    return found


def _by_ending(path: Path) -> str:
    """Why a file in a folder is no recording, as far as its name tells."""
    ending = path.suffix.lower()
    if ending in SOUND_ENDINGS:
        return ""
    return CONVERT if ending in OTHER_SOUND else "not the ending of a sound file"


def _problem(path: Path) -> tuple[str, bool]:
    """Why a path is no file that can be read, empty where it is one; and whether it is a folder.

    Opening a pipe would wait for somebody to write into it, for ever.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        gone = "a link to what is not there" if path.is_symlink() else "no such file or folder"
        return gone, False
    except (OSError, ValueError) as error:  # a link that leads back to itself; a folder that is locked
        return f"cannot be reached: {getattr(error, 'strerror', None) or error}", False
    if stat.S_ISDIR(mode):
        return "a folder", True
    return ("" if stat.S_ISREG(mode) else "a pipe, socket or device, not a file"), False


def _nothing(paths: Sequence[str | Path], strays: list[Stray]) -> str:
    """Say that there is no recording, and what there is of those who look like one."""
    endings = ", ".join(sorted(SOUND_ENDINGS))
    text = f"{', '.join(map(str, paths))}: no sound files in there (looked for {endings})"
    near = [
        f"{s.name}: {s.reason}" for s in strays if Path(s.name).suffix.lower() in SOUND_ENDINGS | OTHER_SOUND
    ]
    if near:
        more = f"; and {len(near) - _NAMED_IN_ERROR} more" if len(near) > _NAMED_IN_ERROR else ""
        text += f". {'; '.join(near[:_NAMED_IN_ERROR])}{more}"
    return text


def _text(path: Path) -> str:
    """A name that can be written as UTF-8 wherever a dataset is read; a disk knows bytes that cannot."""
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")


def _unique(name: str, path: Path, taken: set[str]) -> str:
    if name not in taken:
        return name
    name = _text(path)
    count = 2
    while name in taken:
        name = f"{_text(path)} ({count})"
        count += 1
    return name
