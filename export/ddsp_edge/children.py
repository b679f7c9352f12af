"""Processes of Python that this one starts, and whether a process still runs.

The folder that a user stands in is no place of modules for those that are started.

Python puts the current folder first among the places of modules where it is started with `-m` or `-c`, so
that a file `random.py` of the user's would be run in place of the library's.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

_VARIABLE = "PYTHONSAFEPATH"
_changing = threading.Lock()


def module_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module in a new process."""
    return [sys.executable, "-P", "-m", module, *arguments]


def still_runs(process: int) -> bool:
    """Whether there is a process of a number; one of somebody else counts, too. For POSIX alone."""
    try:
        os.kill(process, 0)  # asks only
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # somebody else's
    return True


@contextlib.contextmanager
def without_current_folder() -> Iterator[None]:
    """Let processes that anything starts meanwhile not look for modules in the current folder."""
    with _changing:
        before = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = "1"
        try:
            yield
        finally:
            if before is None:
                os.environ.pop(_VARIABLE, None)
            else:
                os.environ[_VARIABLE] = before
