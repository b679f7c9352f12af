"""Files that get their name when they are whole."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Write a file beside `path`, to be renamed when all went well and removed when it did not.

    Args:
        path: Where to. What is there stays until the new file is complete.

    Yields:
        The path to write to, in the same folder and with the same ending.
    """
    beside = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
