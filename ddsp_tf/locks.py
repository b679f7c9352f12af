"""Folders that one process writes at a time; a second one is told who has them."""

import contextlib
import datetime
import json
import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from ddsp_tf.errors import DdspError

_AT = 1 << 20  # byte that is locked: Windows lets nobody read what is
_LONGEST = 500  # bytes of a lock file that are read
_TELLING_S = 1.0  # that whoever took a lock may need to write who it is


class FolderLock:
    """The lock of a folder, which is given back when it is closed, or its process is gone.

    Args:
        folder: What is written.
        path: The lock file, which goes with the lock.
        by: What writes it, as a second one is told: `"another prepare"`.

    Raises:
        DdspError: If another process has it, naming that process.
        OSError: If the lock file cannot be written.
    """

    def __init__(self, folder: Path, path: Path, by: str) -> None:
        self._path = path
        while True:
            self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)), "r+b")
            if not _taken(self._file):
                who = _who(path)
                self._file.close()
                raise DdspError(
                    f"{folder} is being written by {by}{who}: wait until it ends, or name another folder"
                )
            if _is_at(self._file, path):
                break
            self._file.close()  # whoever had it has removed it in between
        self._file.seek(0)
        self._file.truncate()
        since = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        who_has_it = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
        self._file.write(json.dumps(who_has_it).encode())
        self._file.flush()

    def __enter__(self) -> "FolderLock":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give it back."""
        if os.name == "posix":
            self._path.unlink(missing_ok=True)  # before it is free: nobody may wait for what goes
            self._file.close()
        else:  # what is open cannot be removed
            self._file.close()
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Whether a file that is open is what lies at a path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _taken(file: BinaryIO) -> bool:
    """Take the lock of a file, unless another process has it."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        file.seek(_AT)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network drives have no locks: nobody is held back
        return True
    return True


def _who(path: Path) -> str:
    """Who has a lock, in a few words; it may just be saying so."""
    end = time.monotonic() + _TELLING_S
    while True:
        try:
            with path.open("rb") as file:
                told = json.loads(file.read(_LONGEST))
            host = "" if told["host"] == socket.gethostname() else f" on {told['host']}"
            return f" (process {int(told['pid'])}{host}, since {told['since']})"
        except (OSError, ValueError, KeyError, TypeError):
            if time.monotonic() > end:
                return ""
            time.sleep(0.05)
