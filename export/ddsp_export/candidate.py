"""A file that gets its name when it has passed."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ddsp_tf.errors import DdspError


def check_out(out: Path) -> None:
    """Refuse a place where no model file can be written, before any work.

    Raises:
        DdspError: Saying why.
    """
    if out.suffix != ".tflite":
        raise DdspError(f"{out}: a model file ends in .tflite")
    if not out.parent.is_dir():
        if out.parent.exists():
            raise DdspError(f"{out} cannot be written: {out.parent} is a file, not a folder")
        raise DdspError(f"{out} cannot be written: the folder {out.parent} does not exist")
    if out.is_dir():
        raise DdspError(f"{out} is a folder; name a .tflite file to write")


@contextlib.contextmanager
def candidate_for(out: Path) -> Iterator[Path]:
    """Write a file in a folder of its own beside `out`, so that two at a time do not meet.

    Args:
        out: The name it gets when all went well; what is there stays until then.

    Yields:
        The path to write to, on the same disk, with the same ending.

    Raises:
        DdspError: If `out` cannot be written, or what went wrong inside, named as what kept it from being
            written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=f".{out.stem}.", dir=out.parent) as folder:
            candidate = Path(folder) / out.name
            yield candidate
            candidate.replace(out)
    except DdspError as error:
        raise DdspError(f"{out} was not written: {error}") from error
    except OSError as error:
        raise DdspError(f"{out} cannot be written: {error.strerror}") from error
