"""A part of a file that is a sound file by itself, with its header put right."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Segment:
    """A part of a file that libsndfile is to read as if it were a file.

    Args:
        start: Integer, its first byte.
        end: Integer, the byte behind it.
        patches: Bytes that stand at places, counted from `start`, other than the file has them.
        samples: Integer, how many samples it has, where the header is not to be believed; None to ask it.
        last_frame: Integer, how many of these may be missing because the last frame is not whole.
        declared: Integer, how many its header says that it has; 0 where it says nothing.
    """

    start: int
    end: int
    patches: Mapping[int, bytes] = field(default_factory=dict)
    samples: int | None = None
    last_frame: int = 0
    declared: int = 0

    def is_all_of(self, size: int) -> bool:
        """Whether it is a whole file of this many bytes, as it is."""
        return not self.start and not self.patches and self.end == size


@dataclass(frozen=True)
class Layout:
    """Where the sound lies in a file.

    Args:
        segments: The parts that are sound, one after the other; empty where the file is read as it is.
        mended: What was wrong with its header, for whoever made the file; empty where nothing was.
        left_over: Bytes behind the sound that are neither sound nor anything that is known.
    """

    segments: tuple[Segment, ...] = ()
    mended: str = ""
    left_over: int = 0


class SegmentFile(io.RawIOBase):
    """A segment as a file that can be read and sought in.

    Args:
        path: The file.
        segment: Which part of it.
    """

    def __init__(self, path: Path, segment: Segment) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._segment = segment
        self._size = segment.end - segment.start
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Place in the segment."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the segment."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Read what comes next, as much as there is room for."""
        count = max(0, min(len(buffer), self._size - self._at))
        self._file.seek(self._segment.start + self._at)
        data = bytearray(self._file.read(count))
        for place, right in self._segment.patches.items():
            first, end = max(place, self._at), min(place + len(right), self._at + len(data))
            if first < end:
                data[first - self._at : end - self._at] = right[first - place : end - place]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
