"""Read recordings one after the other as passages; say what is wrong with those that cannot be read."""

import dataclasses
import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddsp_edge.files.audio_file import AudioReader
from ddsp_tf.data.prepare.passages import MIN_SECONDS, Cut, cut_passages
from ddsp_tf.data.prepare.sources import Source
from ddsp_tf.data.records.journal import Journal
from ddsp_tf.data.records.parts import FileResult
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec

_UNREADABLE = (DdspError, OSError)
_READ_AHEAD = 4  # files that are checked while others are measured


@dataclass(frozen=True)
class FileBegins:
    """The passages of a recording come next; some may be in its journal already."""

    source: Source
    journal: Journal


@dataclass(frozen=True)
class FileEnds:
    """No passage of a file comes any more.

    Args:
        result: What became of it, as far as reading it tells.
        error: Why it cannot be used, in a full sentence; empty where it can.
    """

    result: FileResult
    error: str = ""


def check_recording(path: Path, min_seconds: float = MIN_SECONDS) -> FileResult:
    """Read a file from one end to the other, so that nothing of a bad one gets into a dataset.

    Args:
        path: The file.
        min_seconds: Shortest length that is of use.

    Returns:
        Its length, rate, channels and clipped samples, and what is worth knowing: how much of it is missing
        where it holds less than it says, and that more than two channels were averaged; the name is left to
        the caller.

    Raises:
        DdspError: If it is no sound file, cannot be decoded to its end, is too short, holds what are not
            numbers, or its channels cancel each other.
    """
    samples = 0
    with AudioReader(path) as reader:
        for block in reader.blocks():
            samples += len(block)
        rate, channels = reader.file_sample_rate, reader.channels
        told = [*(_without_path(path, text) for text in reader.remarks()), reader.averaged()]
        clipped = reader.clipped_samples
    if samples < min_seconds * rate:
        raise DdspError(
            f"{path} is too short: {samples} samples ({samples / rate:.3g} s); "
            f"at least {min_seconds:g} s of sound is needed"
        )
    if reader.cancelled:
        raise DdspError(reader.silence())
    return FileResult(
        "",
        "used",
        "; ".join(text for text in told if text),
        seconds=samples / rate,
        sample_rate=rate,
        channels=channels,
        clipped_samples=clipped,
    )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal: the same recording whatever its name and date."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seconds_in(sources: Sequence[Source]) -> float:
    """Length of all recordings together by what their headers say; unreadable ones count nothing."""
    seconds = 0.0
    for source in sources:
        try:
            with AudioReader(source.path) as reader:
                seconds += reader.file_samples / reader.file_sample_rate
        except _UNREADABLE:
            continue  # check_recording says what is wrong with it
    return seconds


class RecordingStream:
    """The passages of many recordings, one recording after the other.

    Args:
        sources: The recordings.
        spec: The frame grid.
        passage_frames: Integer > 0, frames of a passage.
        context_frames: Integer >= 0, frames of sound wanted on each side of a passage.
        journals: Folder of the journals.
        known: SHA-256 of the recordings that need not be read, and the names they have in the dataset; empty
            where they were silent, for another recording may have that name.
        min_seconds: Recordings shorter than this are not used.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        spec: FrameSpec,
        passage_frames: int,
        context_frames: int,
        journals: Path,
        known: dict[str, str] | None = None,
        min_seconds: float = MIN_SECONDS,
    ) -> None:
        self._sources = sources
        self._spec = spec
        self._passage_frames = passage_frames
        self._context_frames = context_frames
        self._journals = journals
        self._known = known or {}
        self._min_seconds = min_seconds

    def items(self) -> Iterator[FileBegins | Cut | FileEnds]:
        """Yield what is to be measured, in order; of files that cannot be used only their end.

        Passages that are in a journal already are not yielded again, and nothing of a known recording is.
        """
        taken: dict[str, str] = {}
        for source, journal, ends in self._checked():
            sha256 = ends.result.sha256
            if sha256 and sha256 in self._known:
                continue
            if not ends.error:
                ends = self._once(source, ends, taken)
            if ends.error or journal is None:
                yield ends
                continue
            taken[sha256] = source.name
            yield FileBegins(source, journal)
            if journal.result is None:
                try:
                    yield from self._cuts(source, journal.passages)
                except _UNREADABLE as error:  # it was whole a moment ago: it is being written
                    ends = _skipped(source, _words(source, error), sha256)
            yield ends

    def _once(self, source: Source, ends: FileEnds, taken: dict[str, str]) -> FileEnds:
        """Refuse a recording whose content or name is in the dataset already."""
        sha256 = ends.result.sha256
        if sha256 in taken:
            return _skipped(source, f"{source.path} is the same file as {taken[sha256]}", sha256)
        if source.name in self._known.values():
            error = (
                f"{source.path} has another content than the recording of this name in the dataset. Rename "
                "it if it is another one; --overwrite prepares all anew"
            )
            return _skipped(source, error, sha256)
        return ends

    def _cuts(self, source: Source, measured: int) -> Iterator[Cut]:
        with AudioReader(source.path, self._spec.sample_rate, locate_clipping=True) as reader:
            # What is beyond full scale is clipped here, so that features and audio agree.
            blocks = (np.clip(block, -1.0, 1.0) for block in reader.blocks())
            cuts = cut_passages(blocks, self._spec, self._passage_frames, self._context_frames, source.name)
            for number, cut in enumerate(cuts):
                end = cut.first_sample + cut.n_frames * self._spec.hop
                clipped = reader.clipped_between(cut.first_sample, end)
                if number >= measured:
                    yield dataclasses.replace(
                        cut, clipped_samples=clipped, path=str(source.path), group=source.group
                    )

    def _checked(self) -> Iterator[tuple[Source, Journal | None, FileEnds]]:
        """Yield the recordings in order, checked in threads some files ahead."""
        waiting: deque[Future[tuple[Source, Journal | None, FileEnds]]] = deque()
        with ThreadPoolExecutor(_READ_AHEAD) as threads:
            try:
                for source in self._sources:
                    waiting.append(threads.submit(self._check, source))
                    if len(waiting) > _READ_AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, source: Source) -> tuple[Source, Journal | None, FileEnds]:
        sha256 = ""
        try:
            sha256 = sha256_of(source.path)
            if sha256 in self._known:
                return source, None, FileEnds(FileResult(source.name, "used", sha256=sha256))
            journal = Journal(self._journals / f"{sha256}.journal", source.name)
            if journal.result is not None:
                return source, journal, FileEnds(journal.result)
            found = check_recording(source.path, self._min_seconds)
        except _UNREADABLE as error:
            return source, None, _skipped(source, _words(source, error), sha256)
        return source, journal, FileEnds(dataclasses.replace(found, name=source.name, sha256=sha256))


def _words(source: Source, error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{source.path}: {error.strerror}"
    return str(error)


def _skipped(source: Source, error: str, sha256: str) -> FileEnds:
    reason = _without_path(source.path, error)
    return FileEnds(FileResult(source.name, "skipped", reason, sha256=sha256), error)


def _without_path(path: Path, text: str) -> str:
    """What is said of a file in a report that names it already."""
    return text.removeprefix(str(path)).lstrip(": ")
