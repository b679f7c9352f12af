"""Files that get their name when they are whole.

Until then they are written beside it, under a name of their own: that of the folder's file it becomes and of
the process that writes it. Runs that write one file at the same time therefore never write into each other's,
and what a run left behind that was killed is removed by the next one that writes the same file.
"""

import contextlib
import functools
import hashlib
import itertools
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from ddsp_edge.children import still_runs
from ddsp_edge.errors import DdspError

_LONGEST_SUFFIX = 32  # bytes; more is no ending that a program would go by
_counter = itertools.count()


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Write a file beside `path`, to be renamed when all went well and removed when it did not.

    Args:
        path: Where to. What is there stays until the new file is complete.

    Yields:
        The path to write to, in the same folder and with the same ending.

    Raises:
        DdspError: If the file system takes no such name.
    """
    check_name(path)
    beside = name_beside(path)
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def name_beside(path: Path) -> Path:
    """A name in the folder of `path`, hidden, with its ending, that no other run and no other call gives.

    It is short, however long that of `path` is. What runs that were killed left under such names is removed.

    Raises:
        DdspError: If the whole path gets too long.
    """
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= _LONGEST_SUFFIX else ""
    _remove_leftovers(path, suffix)
    beside = path.with_name(f".{_file(path)}-{_machine()}-{os.getpid()}-{next(_counter)}.part{suffix}")
    check_name(beside)  # in a folder whose own path is as long as can be
    return beside


def check_name(path: Path) -> None:
    """Refuse a file name that the file system does not take.

    Raises:
        DdspError: If it does not.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    except (OSError, ValueError) as error:  # ValueError: a name with a null in it
        reason = getattr(error, "strerror", None) or error
        raise DdspError(f"{path} cannot be written: {reason}") from error


@contextlib.contextmanager
def renaming_in(folder: Path) -> Iterator[None]:
    """Hold other runs back from renaming in a folder, so that files that belong together are of one run.

    Where the system cannot do that (Windows, some network drives), nobody is held back.
    """
    try:
        import fcntl

        number = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)  # which lets it go


def _remove_leftovers(path: Path, suffix: str) -> None:
    """Remove what processes of this machine that are no more were writing to become `path`."""
    if os.name != "posix":  # where there is no harmless way to ask for a process
        return
    before = f".{_file(path)}-{_machine()}-"
    with contextlib.suppress(OSError):  # the folder cannot be read, or is not there: its writer will tell
        for entry in os.scandir(path.parent):
            if not (entry.name.startswith(before) and entry.name.endswith(f".part{suffix}")):
                continue
            number = entry.name.removeprefix(before).split("-")[0]
            if number.isdecimal() and not still_runs(int(number)):
                with contextlib.suppress(OSError):
                    Path(entry.path).unlink()


def _file(path: Path) -> str:
    return _short(os.fsencode(path.name))


@functools.lru_cache(maxsize=1)
def _machine() -> str:
    """Where the number of a process means this process: a machine, and the container that it runs in."""
    known = [platform.node()]
    with contextlib.suppress(OSError):
        known.append(Path("/etc/machine-id").read_text())
    with contextlib.suppress(OSError):
        known.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return _short("\n".join(known).encode(errors="replace"))


def _short(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=5).hexdigest()
