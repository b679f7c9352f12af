"""Read recordings one after the other as passages; say what is wrong with those that cannot be read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddsp_edge.audio_file import AudioReader
from ddsp_tf.data.info import FileResult
from ddsp_tf.data.passages import MIN_SECONDS, Cut, cut_passages
from ddsp_tf.data.sources import Source
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec


@dataclass(frozen=True)
class FileFacts:
    """A sound file that can be read to its end: length, rate, channels, samples beyond full scale."""

    seconds: float
    sample_rate: int
    channels: int
    clipped_samples: int


def check_recording(path: Path) -> FileFacts:
    """Read a file from one end to the other, so that nothing of a bad one gets into a dataset.

    Raises:
        DdspError: If it is no sound file, breaks off, is too short or holds what are not numbers.
    """
    samples = clipped = 0
    with AudioReader(path) as reader:
        for block in reader.blocks():
            samples += len(block)
            clipped += int(np.count_nonzero(np.abs(block) > 1.0))
        rate, channels = reader.file_sample_rate, reader.channels
    if samples < MIN_SECONDS * rate:
        raise DdspError(
            f"{path} is too short: {samples} samples ({samples / rate:.3g} s); "
            f"at least {MIN_SECONDS:g} s of sound is needed"
        )
    return FileFacts(samples / rate, rate, channels, clipped)


def seconds_in(sources: Sequence[Source]) -> float:
    """Length of all recordings together by what their headers say; unreadable ones count nothing."""
    seconds = 0.0
    for source in sources:
        try:
            with AudioReader(source.path) as reader:
                seconds += reader.file_samples / reader.file_sample_rate
        except (DdspError, OSError):
            continue  # check_recording says what is wrong with it
    return seconds


class RecordingStream:
    """The passages of many recordings, one recording after the other.

    Args:
        sources: The recordings.
        spec: The frame grid.
        passage_frames: Integer > 0, frames of a passage.
        context_frames: Integer >= 0, frames of sound wanted on each side of a passage.

    Attributes:
        results: What is known of each file that was reached so far.
        errors: Why files were skipped, one full sentence each.
    """

    def __init__(
        self, sources: Sequence[Source], spec: FrameSpec, passage_frames: int, context_frames: int
    ) -> None:
        self._sources = sources
        self._spec = spec
        self._passage_frames = passage_frames
        self._context_frames = context_frames
        self.results: list[FileResult] = []
        self.errors: list[str] = []

    def cuts(self) -> Iterator[Cut]:
        """Yield the passages in order; files that cannot be read give none."""
        for source in self._sources:
            try:
                facts = check_recording(source.path)
            except (DdspError, OSError) as error:
                self._skip(source, str(error))
                continue
            self.results.append(
                FileResult(
                    source.name,
                    "used",
                    seconds=facts.seconds,
                    sample_rate=facts.sample_rate,
                    channels=facts.channels,
                    clipped_samples=facts.clipped_samples,
                )
            )
            with AudioReader(source.path, self._spec.sample_rate) as reader:
                # What is beyond full scale is clipped here, so that features and audio agree.
                blocks = (np.clip(block, -1.0, 1.0) for block in reader.blocks())
                yield from cut_passages(
                    blocks, self._spec, self._passage_frames, self._context_frames, source.name
                )

    def _skip(self, source: Source, error: str) -> None:
        self.errors.append(error)
        reason = error.removeprefix(str(source.path)).lstrip(": ")
        self.results.append(FileResult(source.name, "skipped", reason))
