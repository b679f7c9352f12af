"""Progress on stderr, for people."""

import contextlib
import sys
from typing import Any


class Progress(contextlib.ExitStack):
    """A bar on stderr, in seconds of sound; it appears when work begins and goes when it ends.

    Args:
        name: What is going on, in a word.
    """

    _bar: Any = None

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __call__(self, done: float, total: float) -> None:
        """Show that `done` of `total` seconds are done."""
        if self._bar is None:
            from tqdm import tqdm

            form = "{l_bar}{bar}| {n:.0f} of {total:.0f} s of sound [{elapsed}<{remaining}]"
            self._bar = self.enter_context(
                tqdm(total=total, desc=self._name, bar_format=form, file=sys.stderr, leave=False)
            )
        self._bar.update(min(done, total) - self._bar.n)
