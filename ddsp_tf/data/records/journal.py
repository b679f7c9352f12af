"""What was measured of one recording, written passage by passage as it comes.

A run that was killed goes on from here. A journal is a TFRecord file; what a kill cut short in it fails its
checksum and is measured again. It is complete when its last entry says what became of the recording.
"""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ddsp_tf.data.records.parts import FileResult
from ddsp_tf.data.records.schema import Record, parse, serialize
from ddsp_tf.data.records.tfrecord import FRAMING_BYTES, frame, read_frames

_NAME, _PASSAGE, _SILENCE, _END = b"n", b"p", b"s", b"e"  # the first byte of an entry says what it is


@dataclass(frozen=True)
class Silence:
    """A passage with nothing in it that is worth keeping.

    Args:
        source: Name of the recording.
        first_sample: Integer, sample of the recording that the passage begins with.
        n_samples: Integer, its length.
    """

    source: str
    first_sample: int
    n_samples: int


class Journal:
    """The journal of one recording; opening it drops what a kill cut short.

    Args:
        path: The file; it need not exist yet.
        name: Name of the recording. A journal of another name is begun anew.

    Attributes:
        passages: Integer, passages that are in it.
        samples: Integer, their samples together.
        result: What became of the recording; None while the journal is not complete.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.passages = self.samples = 0
        self.result: FileResult | None = None
        self._name = name
        self._file: BinaryIO | None = None
        self._end = 0
        for number, (kind, data, end) in enumerate(self._entries()):
            if number == 0 and (kind != _NAME or data != _encode(name)):
                break
            if kind in (_PASSAGE, _SILENCE):
                self.passages += 1
                self.samples += self._passage(kind, data).n_samples
            elif kind == _END:
                self.result = FileResult(**json.loads(data))
            self._end = end

    def add(self, passage: Record | Silence) -> None:
        """Append the next passage."""
        if isinstance(passage, Silence):
            place = {"first_sample": passage.first_sample, "n_samples": passage.n_samples}
            self._append(_SILENCE, json.dumps(place).encode())
        else:
            self._append(_PASSAGE, serialize(passage))
        self.passages += 1
        self.samples += passage.n_samples

    def finish(self, result: FileResult) -> None:
        """Complete it."""
        self._append(_END, json.dumps(dataclasses.asdict(result)).encode())
        self.result = result
        self.close()

    def close(self) -> None:
        """Close the file; what is in it stays."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def discard(self) -> None:
        """Remove it."""
        self.close()
        self.path.unlink(missing_ok=True)

    def read(self) -> Iterator[Record | Silence]:
        """Yield the passages in order."""
        for kind, data, _ in self._entries():
            if kind in (_PASSAGE, _SILENCE):
                yield self._passage(kind, data)

    def _entries(self) -> Iterator[tuple[bytes, bytes, int]]:
        """Yield kind, data and end of the entries, up to the first that is damaged."""
        if not self.path.exists():
            return
        for found in read_frames(self.path):
            if not found.data:
                return
            yield found.data[:1], found.data[1:], found.offset + FRAMING_BYTES + len(found.data)

    def _append(self, kind: bytes, data: bytes) -> None:
        if self._file is None:
            self._file = self.path.open("r+b" if self.path.exists() else "w+b")
            self._file.truncate(self._end)
            self._file.seek(self._end)
            if not self._end:
                self._file.write(frame(_NAME + _encode(self._name)))
        self._file.write(frame(kind + data))
        self._file.flush()  # a kill may come at any time

    def _passage(self, kind: bytes, data: bytes) -> Record | Silence:
        return Silence(self._name, **json.loads(data)) if kind == _SILENCE else parse(data)


def _encode(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
