"""Keys that a MIDI file strikes more often than it lets them go.

A key that is struck twice is let go twice: MIDI 1.0 asks for as many note-offs as note-ons, and each of them
lets the oldest strike go. Some files have one note-off for both. Played as it stands, such a key would sound
to the end of the piece, so a note-off is put in where one is missing: where the key was struck again.
"""

from array import array
from collections import defaultdict


class LooseStrikes:
    """Find out where the note-offs of a file are missing, while its messages pass by.

    A strike of a key that is down and that is let go right after belongs to a handover: that note-off is of
    the strike before. Any other may be where one is missing. Of as many as are missing, the earliest are
    taken, after the key was last up.

    Args:
        soon: Integer, samples up to which a note-off comes right after a strike.
    """

    def __init__(self, soon: int) -> None:
        self._soon = soon
        self._keys = tuple(defaultdict[int, _Key](_Key) for _ in range(16))  # of each channel, by note
        self._found = array("q")
        self.count = 0
        """How many strikes were never let go, when all was told by `let_all_go`."""

    def strike(self, index: int, sample: int, channel: int, note: int) -> None:
        """A key is struck by the message of a number, at a sample."""
        key = self._keys[channel][note]
        key.decide(sample, self._soon)
        if key.down:
            key.again = index, sample
        key.down += 1

    def release(self, sample: int, channel: int, note: int) -> None:
        """A key is let go."""
        key = self._keys[channel][note]
        key.decide(sample, self._soon)
        key.down = max(0, key.down - 1)
        if not key.down:
            key.candidates = array("q")

    def release_all(self, channel: int) -> None:
        """All keys of a channel are let go, however often they were struck."""
        self._keys[channel].clear()

    def let_all_go(self, sample: int) -> None:
        """The piece, or a pattern of it, ends."""
        for keys in self._keys:
            for key in keys.values():
                key.decide(sample, -1)
                self.count += key.down
                self._found.extend(key.candidates[: key.down])
            keys.clear()

    @property
    def indices(self) -> "array[int]":
        """Numbers of the messages before which a note-off of their key is missing, in their order."""
        return array("q", sorted(self._found))


class _Key:
    def __init__(self) -> None:
        self.down = 0
        self.again: tuple[int, int] | None = None  # number and sample of a strike while it was down
        self.candidates = array("q")

    def decide(self, sample: int, soon: int) -> None:
        """Something happens to the key: whether it was struck again long before."""
        if self.again is not None and sample - self.again[1] > soon:
            self.candidates.append(self.again[0])
        self.again = None
