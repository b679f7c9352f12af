"""Progress on stderr, for people."""

import contextlib
import sys
import threading
from typing import Any

_TICK_S = 0.5


class Progress(contextlib.ExitStack):
    """A bar on stderr, in seconds of sound; it appears when work begins and goes when it ends.

    On a terminal its clock goes on by itself: the first news may take a minute on a slow machine.

    Args:
        name: What is going on, in a word.
        quiet: Whether nothing is shown.
    """

    _bar: Any = None

    def __init__(self, name: str, quiet: bool = False) -> None:
        super().__init__()
        self._name, self._quiet = name, quiet

    def __call__(self, done: float, total: float) -> None:
        """Show that `done` of `total` seconds are done."""
        if self._quiet:
            return
        if self._bar is None:
            from tqdm import tqdm

            form = "{l_bar}{bar}| {n:.0f} of {total:.0f} s of sound [{elapsed}<{remaining}]"
            self._bar = self.enter_context(
                tqdm(total=total, desc=self._name, bar_format=form, file=sys.stderr, leave=False)
            )
            if sys.stderr.isatty():
                self._tick()
        self._bar.update(min(done, total) - self._bar.n)

    def _tick(self) -> None:
        stop = threading.Event()

        def tick() -> None:
            while not stop.wait(_TICK_S):
                self._bar.refresh()

        clock = threading.Thread(target=tick, daemon=True)
        clock.start()
        self.callback(clock.join)
        self.callback(stop.set)  # called before it
