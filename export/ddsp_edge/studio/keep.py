"""What a studio keeps while it runs: a folder of its own, which goes with it, and files in it by number.

No name that comes from a page is ever a name of a file here.
"""

import itertools
import os
import secrets
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ddsp_edge.children import still_runs
from ddsp_edge.errors import DdspError, printable

_PREFIX = "ddsp-studio-"
_MOST_LETTERS = 120  # of a name that is shown


@dataclass(frozen=True)
class Kept:
    """A file that a page may ask for.

    Args:
        path: Where it is.
        name: What it is called where it is saved.
        media_type: Of its content, by what wrote it, never by what somebody says.
    """

    path: Path
    name: str
    media_type: str


class Keep:
    """A folder for the time of a `with`.

    Args:
        most_bytes: Integer, that all files in it may have together.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._numbers = itertools.count(1)
        self._files: dict[str, Kept] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "Keep":
        _remove_leftovers()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))  # for this user alone
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_folder(self) -> Path:
        """A new empty folder."""
        folder = self.folder / f"{next(self._numbers)}"
        folder.mkdir()
        return folder

    @contextmanager
    def filled_folder(self) -> Iterator[Path]:
        """A new folder to be filled in a `with`; it is dropped where that fails."""
        folder = self.new_folder()
        try:
            yield folder
        except BaseException:
            self.drop(folder)
            raise

    def offer(self, path: Path, name: str, media_type: str) -> str:
        """Let a page ask for a file; returns the word that it is asked for by, which nobody guesses.

        A file that is offered already keeps its word.
        """
        kept = Kept(path, name, media_type)
        with self._lock:
            known = next((word for word, other in self._files.items() if other == kept), None)
            word = known or secrets.token_urlsafe(12)
            self._files[word] = kept
        return word

    def offered(self, word: str) -> Kept | None:
        """The file that is asked for by a word; None where there is none."""
        return self._files.get(word)

    def drop(self, folder: Path) -> None:
        """Remove a folder, and what was offered of it; from any thread."""
        with self._lock:
            self._files = {w: kept for w, kept in self._files.items() if folder not in kept.path.parents}
        shutil.rmtree(folder, ignore_errors=True)

    def forget_removed(self, folder: Path) -> None:
        """Forget what was offered of a folder and is no longer in it."""
        with self._lock:
            self._files = {
                word: kept
                for word, kept in self._files.items()
                if folder not in kept.path.parents or kept.path.is_file()
            }

    def room(self) -> int:
        """How many bytes may still come."""
        return max(0, self._most_bytes - sum(map(_bytes_of, _paths_in(self.folder))))


def shown_name(text: str) -> str:
    """A name that somebody gave a file, as it is shown: its last part, in a line."""
    last = printable(text.replace("\\", "/").split("/")[-1]).strip()
    return last[:_MOST_LETTERS] or "sound"


def without_paths(text: str, folder: Path, name: str) -> str:
    """An error as it is told to a page: files that the studio keeps are called as they were given."""
    for path in sorted(_paths_in(folder), key=lambda p: -len(str(p))):
        text = text.replace(str(path), name)
    return text.replace(str(folder), name)


def _paths_in(folder: Path) -> Iterator[Path]:
    """Files and folders in a folder; what others remove meanwhile is passed over."""
    for place, folders, files in os.walk(folder):
        yield from (Path(place, name) for name in (*folders, *files))


def _bytes_of(path: Path) -> int:
    """Bytes of a file; none of a folder, and of what is gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _remove_leftovers() -> None:
    """Remove folders of studios that were killed: of processes that are no more, and of this user."""
    if os.name != "posix":
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        number = folder.name.removeprefix(_PREFIX).split("-")[0]
        try:
            mine = not folder.is_symlink() and folder.is_dir() and folder.stat().st_uid == os.getuid()
        except OSError:  # gone meanwhile
            continue
        if mine and number.isdecimal() and not still_runs(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def check_room(keep: Keep, wanted: int) -> None:
    """Refuse what there is no room for.

    Raises:
        DdspError: With the room that there is.
    """
    room = keep.room()
    if wanted > room:
        raise DdspError(
            f"there is room for {room / 1e6:.0f} MB more in the studio, and this has {wanted / 1e6:.0f} MB: "
            "remove results that you no longer need"
        )
