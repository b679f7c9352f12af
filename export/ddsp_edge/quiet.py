"""Native libraries that talk on stderr while they load, and how to keep that from a user."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hide what is written to the file descriptor of stderr; exceptions pass."""
    try:
        kept = os.dup(2)
    except OSError:  # no stderr, as in a service: nothing to hide
        yield
        return
    sys.stderr.flush()
    with Path(os.devnull).open("w") as null:
        os.dup2(null.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
