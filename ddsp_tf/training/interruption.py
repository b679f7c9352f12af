"""Stopping at the next step: what a signal means to a run."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

_TWICE_S = 1.0  # a signal is often sent twice: GNU timeout sends it to the process and to its group


class Stopped(Exception):
    """A run stopped because somebody asked for it, with its checkpoint written."""


class Interruption:
    """Whether somebody asked a run to stop.

    Attributes:
        signal: Number of the signal that asked; None if none came.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    @property
    def asked(self) -> bool:
        """Whether the run is to stop."""
        return self.signal is not None


@contextlib.contextmanager
def signals_deferred() -> Iterator[Interruption]:
    """Let Ctrl-C, SIGTERM and SIGHUP ask for an end instead of making one; the second time they make it.

    Signals that are ignored stay so, and outside of the main thread, where no handler can be set, nothing
    changes.

    Yields:
        What tells whether one came.
    """
    interruption = Interruption()
    before: dict[int, object] = {}
    first = 0.0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal first
        if not interruption.asked:
            interruption.signal, first = number, time.monotonic()
        elif number == signal.SIGINT or time.monotonic() - first >= _TWICE_S:
            signal.signal(number, before[number])  # type: ignore[arg-type]
            signal.raise_signal(number)

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
            number = getattr(signal, name, None)
            # None: a handler that was not set from Python, and could not be put back.
            if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, note)
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
