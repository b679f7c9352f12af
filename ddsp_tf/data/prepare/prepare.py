"""From recordings to a dataset, whatever is measured of them."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ddsp_tf.data.prepare.collect import PassageCollector
from ddsp_tf.data.prepare.measure import Outcome, measure
from ddsp_tf.data.prepare.pool import ExtractorPool, jobs_that_fit
from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.prepare.recordings import RecordingStream, seconds_in
from ddsp_tf.data.prepare.sources import Sources, find_recordings
from ddsp_tf.data.records.info import DatasetInfo
from ddsp_tf.data.records.parts import FileResult
from ddsp_tf.data.records.store import DatasetStore
from ddsp_tf.errors import DdspError, did_you_mean
from ddsp_tf.frames import FrameSpec

Progress = Callable[[float, float], None]
"""Called with the seconds of sound that are done, and those that there are in all."""

Recordings = Sequence[str | Path] | Mapping[str, Sequence[str | Path]]
"""Sound files, and folders that hold some; of a task that takes several kinds, by the name of the group."""

ENGINES = ("local", "beam")
"""What measures recordings."""


def prepare_dataset(
    recordings: Recordings,
    out: str | Path,
    preparation: Preparation,
    *,
    jobs: int | None = None,
    overwrite: bool = False,
    engine: str = "local",
    engine_options: Sequence[str] = (),
    progress: Progress | None = None,
) -> DatasetInfo:
    """Cut recordings into passages, measure them, and write them as a dataset.

    Memory does not grow with the length of the recordings. The dataset is the same whatever the number of
    jobs, and however often the run was interrupted: called again, it goes on where it was. Where `out` holds
    a dataset already, recordings that are not in it are added; those in it stay, and are not read again
    beyond a look whether they are the same. A file that cannot be used is skipped; `files` of the result says
    why.

    Args:
        recordings: Sound files, and folders that hold some.
        out: Folder of the dataset.
        preparation: What is made of them.
        jobs: Integer > 0, worker processes; if None one for each core, as far as 1.5 GB of memory for all
            together allow.
        overwrite: Whether to begin a new dataset, of these recordings only. One that is there is replaced
            when the new one is complete.
        engine: `"local"`, or `"beam"` to measure in an Apache Beam pipeline; see docs/beam.md.
        engine_options: Options of Beam and its runner, as on a command line: `"--runner=FlinkRunner"`.
        progress: Called when measuring begins, and after each passage.

    Returns:
        What `dataset.json` holds.

    Raises:
        DdspError: If `out` cannot be used, or holds what was prepared with other settings, no recording can
            be used, or nothing could be learned from them.
    """
    check_call(out, jobs, engine, engine_options)
    sources = find_sources(recordings, Path(out))
    total = seconds_in(sources.recordings)
    jobs = _useful_jobs(jobs, preparation, total)
    with DatasetStore(Path(out), preparation.settings, overwrite=overwrite) as store:
        known = {
            file.sha256: file.name if file.passages else ""
            for file in (store.base.files if store.base else ())
            if file.passages or file.silent_passages
        }
        spec = preparation.spec
        passage, context = spec.frames_for(preparation.passage_seconds), preparation.context_frames
        stream = RecordingStream(
            sources.recordings, spec, passage, context, store.journals, known, preparation.min_seconds
        )
        report = _in_seconds(progress, spec, total)
        report(0)
        if engine == "beam":
            from ddsp_tf.data.prepare.beam import MeasureRecording, measure_with_beam

            journals = str(store.journals.absolute())
            one = MeasureRecording(
                spec, preparation.extractor, passage, context, journals, preparation.min_seconds
            )
            measure_with_beam(sources.recordings, one, known, engine_options)
        with ExtractorPool(preparation.extractor, jobs) as pool:
            outcomes = measure(stream, pool, report)
        strays = [FileResult(stray.name, "skipped", stray.reason) for stray in sources.strays]
        if store.base is not None and not _is_news(store.base, outcomes, strays):
            store.remove_strays(store.base)
            return store.base
        try:
            info = _assemble(store, outcomes, strays, preparation)
        except DdspError:
            store.discard()  # the same recordings and settings would end here again
            raise
        store.publish(info)
    return info


def check_call(out: str | Path, jobs: int | None, engine: str, engine_options: Sequence[str]) -> None:
    """Refuse what can be seen to be wrong before any work.

    Raises:
        DdspError: With what would be valid.
    """
    if jobs is not None and jobs < 1:
        raise DdspError(f"jobs must be at least 1. Received: {jobs}")
    if engine not in ENGINES:
        hint = did_you_mean(engine, ENGINES)
        raise DdspError(f"engine must be one of {', '.join(ENGINES)}. Received: {engine!r}.{hint}")
    if engine_options and engine == "local":
        raise DdspError(f"the local engine takes no options. Received: {' '.join(engine_options)}")
    if not str(out):
        raise DdspError("the dataset's folder has an empty name: name one that is to be made, or added to")


def find_sources(recordings: Recordings, out: Path) -> Sources:
    """List the recordings of all groups; those of a named group carry its name in front of theirs.

    Raises:
        DdspError: As `find_recordings`, of each group.
    """
    if not isinstance(recordings, Mapping):
        return find_recordings(recordings, leave_out=out)
    every = [find_recordings(paths, leave_out=out).of_group(group) for group, paths in recordings.items()]
    return Sources(
        tuple(source for found in every for source in found.recordings),
        tuple(stray for found in every for stray in found.strays),
    )


def _in_seconds(progress: Progress | None, spec: FrameSpec, total: float) -> Callable[[int], None]:
    """Turn samples that are newly done into a report of all seconds done."""
    samples = 0

    def report(more: int) -> None:
        nonlocal samples
        samples += more
        if progress is not None and total > 0:
            progress(min(samples / spec.sample_rate, total), total)

    return report


def _useful_jobs(jobs: int | None, preparation: Preparation, seconds: float) -> int:
    """As many processes as memory holds, and no more than there are passages: each takes seconds to start."""
    extractor, passage_seconds = preparation.extractor, preparation.passage_seconds
    if extractor.parallel:
        return 1
    if jobs is None:
        longest = 1.5 * passage_seconds  # what is left at the end joins the last passage
        jobs = jobs_that_fit(extractor, longest, preparation.spec.sample_rate)
    return max(1, min(jobs, math.ceil(seconds / passage_seconds)))


def _is_news(base: DatasetInfo, outcomes: list[Outcome], strays: list[FileResult]) -> bool:
    """Whether a dataset lacks anything that was found now."""
    told = {(file.name, file.reason) for file in base.files}
    results = [*(outcome.result for outcome in outcomes if outcome.journal is None), *strays]
    return any(outcome.journal for outcome in outcomes) or any(
        (result.name, result.reason) not in told for result in results
    )


def _assemble(
    store: DatasetStore, outcomes: list[Outcome], strays: list[FileResult], preparation: Preparation
) -> DatasetInfo:
    """Make shards of the journals, after those that the dataset has; return what it then holds."""
    collector = PassageCollector(store, preparation)
    files: list[FileResult] = []
    for outcome in outcomes:
        for passage in outcome.journal.read() if outcome.journal else ():
            collector.add(passage)
        files.append(collector.complete(outcome.result))
    collector.finish()
    summary = collector.statistics.summary() if collector.kept else {}
    refusal = preparation.refusal(summary) if collector.kept else ""
    _refuse_nothing(collector, refusal, [o.error for o in outcomes if o.error], files)
    files += strays
    again = {file.name for file in files}
    before = store.base.files if store.base else ()
    return DatasetInfo(
        sample_rate=preparation.spec.sample_rate,
        sounds=preparation.sounds,
        features=preparation.features,
        extractors=preparation.extractors,
        statistics=summary,
        train_seconds=collector.samples["train"] / preparation.spec.sample_rate,
        validation_seconds=collector.samples["validation"] / preparation.spec.sample_rate,
        settings=preparation.settings,
        shards=store.finish_shards(),
        files=(*(f for f in before if f.status == "used" or f.name not in again), *files),
    )


def _refuse_nothing(
    collector: PassageCollector, refusal: str, errors: list[str], files: list[FileResult]
) -> None:
    """Raise if no dataset can come of what was collected."""
    if collector.kept:
        if refusal:
            raise DdspError(refusal)
        return
    if len(files) == 1:
        raise DdspError(errors[0] if errors else f"{files[0].name} is {files[0].reason}")
    reasons = "; ".join(f"{result.name}: {result.reason}" for result in files[:3])
    more = f"; and {len(files) - 3} more" if len(files) > 3 else ""
    raise DdspError(f"none of the {len(files)} recordings can be used. {reasons}{more}")
