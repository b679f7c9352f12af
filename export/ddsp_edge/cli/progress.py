"""Progress of a file that is gone through, on stderr, for people."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def seconds_bar(quiet: bool) -> Iterator[Callable[[float, float], None]]:
    """Show a bar in seconds of sound; it appears after a second, on a terminal only, and goes at the end.

    Args:
        quiet: Whether nothing is shown.

    Yields:
        What is called with the seconds done and the seconds in all.
    """
    from tqdm import tqdm

    with tqdm(unit="s", leave=False, delay=1.0, disable=quiet or None, file=sys.stderr) as bar:

        def progress(done_s: float, total_s: float) -> None:
            bar.total = round(total_s)
            bar.update(int(done_s) - bar.n)

        yield progress
