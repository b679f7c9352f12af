"""`prepare` beyond one machine: recordings are measured in an Apache Beam pipeline.

Beam measures; everything else is as without it. A worker runs the per-file code of the local engine on one
recording and leaves its journal, complete, where the local engine would have written it. When the pipeline
has ended, the local engine goes on as after an interruption: it finds journals of what was measured, looks at
what is left, and writes the same bytes.
"""

import os
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddsp_tf.data.prepare.measure import measure
from ddsp_tf.data.prepare.pool import ExtractorPool
from ddsp_tf.data.prepare.preparation import Extractor
from ddsp_tf.data.prepare.recordings import RecordingStream, sha256_of
from ddsp_tf.data.prepare.sources import Source
from ddsp_tf.data.records.journal import Journal
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec

_Found = tuple[int, bytes, bytes, bytes]  # number, path, name and group of a recording


@dataclass(frozen=True)
class MeasureRecording:
    """Measures one recording into its journal, on whatever machine it finds itself.

    Args:
        spec: The grid on whose hops passages begin and end.
        extractor: What measures passages.
        passage_frames: Integer > 0, frames of a passage.
        context_frames: Integer >= 0, frames of sound wanted on each side of a passage.
        journals: Folder of the journals, which all workers can reach.
        min_seconds: Recordings shorter than this are not used.
    """

    spec: FrameSpec
    extractor: Extractor
    passage_frames: int
    context_frames: int
    journals: str
    min_seconds: float

    def __call__(self, sha256: str, sources: Iterable["_Found"]) -> int:
        """Measure the first of the recordings that have the same content; return the samples measured.

        Args:
            sha256: Of their content.
            sources: Number, path, name and group of each; in bytes, for runners encode text as UTF-8, which
                not every name is.
        """
        path, name, group = map(os.fsdecode, min(sources)[1:])
        finished = Path(self.journals) / f"{sha256}.journal"
        if Journal(finished, name).result is not None:
            return 0
        # A runner may start the same work twice: each has a folder of its own, and the last rename wins.
        own = Path(self.journals) / f".{uuid.uuid4().hex}"
        own.mkdir()
        try:
            source = Source(Path(path), name, group)
            stream = RecordingStream(
                [source],
                self.spec,
                self.passage_frames,
                self.context_frames,
                own,
                min_seconds=self.min_seconds,
            )
            with ExtractorPool(self.extractor, 1) as pool:
                (outcome,) = measure(stream, pool)
            if outcome.journal is None:
                return 0  # the local engine will find the same, and say why
            outcome.journal.path.replace(finished)
            return outcome.journal.samples
        finally:
            for left in own.iterdir():
                left.unlink()
            own.rmdir()


def measure_with_beam(
    sources: Sequence[Source],
    measure_recording: MeasureRecording,
    known: Iterable[str],
    options: Sequence[str],
) -> None:
    """Run a pipeline that measures recordings into journals.

    Args:
        sources: The recordings.
        measure_recording: What is done with each.
        known: SHA-256 of those that are in the dataset already.
        options: The runner's own, as Beam takes them: `--runner=FlinkRunner`, ...

    Raises:
        DdspError: If Beam is not installed, does not know an option, or the pipeline fails.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise DdspError(
            'engine "beam" needs Apache Beam, which is not installed: pip install ".[train,beam]" in a '
            "checkout of ddsp_tf"
        ) from error
    parsed = PipelineOptions(list(options))
    if unknown := _unknown(parsed):
        raise DdspError(
            f"Beam knows no option {', '.join(unknown)}; the documentation of the runner has them"
        )
    found: list[_Found] = [
        (i, os.fsencode(source.path.absolute()), os.fsencode(source.name), source.group.encode())
        for i, source in enumerate(sources)
    ]
    try:
        with beam.Pipeline(options=parsed) as pipeline:
            (
                pipeline
                | "recordings" >> beam.Create(found)
                | "spread" >> beam.Reshuffle()
                | "content" >> beam.FlatMap(_by_content, known=frozenset(known))
                | "once" >> beam.GroupByKey()
                | "measure" >> beam.MapTuple(measure_recording)
            )
    except Exception as error:  # whatever a runner and its workers raise
        reason = " ".join(str(error).split())[:500]
        raise DdspError(f"the Beam pipeline failed: {type(error).__name__}: {reason}") from error


def _by_content(source: _Found, known: frozenset[str]) -> list[tuple[str, _Found]]:
    """A recording under its SHA-256, unless it cannot be read or is known; the local engine says so."""
    try:
        sha256 = sha256_of(Path(os.fsdecode(source[1])))
    except OSError:
        return []
    return [] if sha256 in known else [(sha256, source)]


def _unknown(options: Any) -> list[str]:
    """Options that no part of Beam takes; it would leave them out with a warning."""
    taken = options.get_all_options(retain_unknown_options=False)
    return [name for name in options.get_all_options(retain_unknown_options=True) if name not in taken]
