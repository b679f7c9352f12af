"""Measure recordings into their journals, on all cores."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from ddsp_tf.data.prepare.pool import ExtractorPool, Failure
from ddsp_tf.data.prepare.recordings import FileBegins, FileEnds, RecordingStream
from ddsp_tf.data.records.journal import Journal, Silence
from ddsp_tf.data.records.parts import FileResult
from ddsp_tf.data.records.schema import Record


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    Args:
        result: As it will stand in the dataset.
        error: Why it is not used, in a full sentence; empty where it is.
        journal: Its passages; None where it is not used.
    """

    result: FileResult
    error: str
    journal: Journal | None


def measure(
    stream: RecordingStream, pool: ExtractorPool, progress: Callable[[int], None] = lambda samples: None
) -> list[Outcome]:
    """Measure what is not in a journal yet; return what became of each file, in order.

    Args:
        stream: The recordings.
        pool: What measures passages.
        progress: Called with the samples that are newly done.
    """
    outcomes: list[Outcome] = []
    journal: Journal | None = None
    failure = ""
    try:
        for item in pool.map(stream.items()):
            if isinstance(item, FileBegins):
                journal, failure = item.journal, ""
                progress(journal.samples)
            elif isinstance(item, FileEnds):
                outcomes.append(_end(item, journal, failure))
                journal, failure = None, ""
            elif isinstance(item, Failure):
                failure = failure or item.error
            elif isinstance(item, Record | Silence):
                if journal is None:
                    raise RuntimeError("a passage came before its file")
                if not failure:
                    journal.add(item)
                progress(item.n_samples)
    finally:
        if journal is not None:
            journal.close()
    return outcomes


def _end(ends: FileEnds, journal: Journal | None, failure: str) -> Outcome:
    result, error = ends.result, ends.error or failure
    if failure and not ends.error:
        result = dataclasses.replace(result, status="skipped", reason=f"cannot be measured: {failure}")
        error = f"{result.name} {result.reason}"
    if error or journal is None:
        if journal is not None:
            journal.discard()
        return Outcome(result, error, None)
    if journal.result is None:
        journal.finish(result)
    return Outcome(result, "", journal)
