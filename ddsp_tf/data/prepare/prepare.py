"""From recordings to a dataset."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from ddsp_edge.features.loudness import DEFINITION
from ddsp_tf.config import DataConfig
from ddsp_tf.data.prepare.analysis import context_frames
from ddsp_tf.data.prepare.collect import PassageCollector
from ddsp_tf.data.prepare.measure import Outcome, measure
from ddsp_tf.data.prepare.pool import AnalysisPool, jobs_that_fit
from ddsp_tf.data.prepare.recordings import RecordingStream, seconds_in
from ddsp_tf.data.prepare.sources import find_recordings
from ddsp_tf.data.prepare.split import ValidationSplit
from ddsp_tf.data.records.info import DatasetInfo, FileResult, dataset_settings
from ddsp_tf.data.records.store import DatasetStore
from ddsp_tf.errors import DdspError, did_you_mean
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.features.f0_estimators import make_f0_estimator
from ddsp_tf.frames import FrameSpec

FEATURE_SECONDS = 0.004
"""Features are stored about this far apart: twice as fine as any estimator here looks for pitch, and
an eighth of the window of loudness, so that what lies between is well interpolated."""

Progress = Callable[[float, float], None]
"""Called with the seconds of sound that are done, and those that there are in all."""

ENGINES = ("local", "beam")
"""What measures recordings."""


def prepare(
    recordings: Sequence[str | Path],
    out: str | Path,
    spec: FrameSpec,
    data: DataConfig | None = None,
    *,
    crepe_weights: Path | None = None,
    estimator: F0Estimator | None = None,
    jobs: int | None = None,
    overwrite: bool = False,
    engine: str = "local",
    engine_options: Sequence[str] = (),
    progress: Progress | None = None,
) -> DatasetInfo:
    """Cut recordings into passages, measure their pitch and loudness, and write them as a dataset.

    Memory does not grow with the length of the recordings. The dataset is the same whatever the number of
    jobs, and however often the run was interrupted: called again, it goes on where it was. Where `out` holds
    a dataset already, recordings that are not in it are added; those in it stay, and are not read again
    beyond a look whether they are the same. A file that cannot be used is skipped; `files` of the result says
    why.

    Args:
        recordings: Sound files, and folders that hold some.
        out: Folder of the dataset.
        spec: The frame grid on which features are stored; `feature_grid` makes the usual one. Training may
            use any other at the same sample rate.
        data: How recordings become a dataset.
        crepe_weights: Weights file of CREPE.
        estimator: Pitch estimator to use in place of the one that `data.f0` names.
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
            be used, or no pitch is found in any.
    """
    data = data or DataConfig()
    if jobs is not None and jobs < 1:
        raise DdspError(f"jobs must be at least 1. Received: {jobs}")
    if engine not in ENGINES:
        hint = did_you_mean(engine, ENGINES)
        raise DdspError(f"engine must be one of {', '.join(ENGINES)}. Received: {engine!r}.{hint}")
    if engine_options and engine == "local":
        raise DdspError(f"the local engine takes no options. Received: {' '.join(engine_options)}")
    if not str(out):
        raise DdspError("the dataset's folder has an empty name: name one that is to be made, or added to")
    sources = find_recordings(recordings, leave_out=Path(out))
    if estimator is None:
        estimator = make_f0_estimator(
            data.f0,
            f0_min_hz=data.f0_min_hz,
            f0_max_hz=data.f0_max_hz,
            crepe_weights=crepe_weights,
            smoothing=data.f0_smoothing,
        )
    total = seconds_in(sources.recordings)
    jobs = _useful_jobs(jobs, estimator, total, spec, data)
    settings = dataset_settings(
        sample_rate=spec.sample_rate,
        hop=spec.hop,
        audio=data.audio,
        passage_seconds=data.passage_seconds,
        validation_share=data.validation_share,
        f0_estimator={"name": estimator.name, **estimator.settings},
        loudness=DEFINITION,
    )
    with DatasetStore(Path(out), settings, overwrite=overwrite) as store:
        known = {
            file.sha256: file.name if file.passages else ""
            for file in (store.base.files if store.base else ())
            if file.passages or file.silent_passages
        }
        passage = spec.frames_for(data.passage_seconds)
        context = context_frames(spec, estimator.context_seconds)
        stream = RecordingStream(sources.recordings, spec, passage, context, store.journals, known)
        report = _in_seconds(progress, spec, total)
        report(0)
        if engine == "beam":
            from ddsp_tf.data.prepare.beam import MeasureRecording, measure_with_beam

            journals = str(store.journals.absolute())
            one = MeasureRecording(spec, estimator, data.audio, passage, context, journals)
            measure_with_beam(sources.recordings, one, known, engine_options)
        with AnalysisPool(spec, estimator, jobs, data.audio) as pool:
            outcomes = measure(stream, pool, report)
        strays = [FileResult(stray.name, "skipped", stray.reason) for stray in sources.strays]
        if store.base is not None and not _is_news(store.base, outcomes, strays):
            store.remove_strays(store.base)
            return store.base
        try:
            info = _assemble(store, outcomes, strays, spec, data, estimator)
        except DdspError:
            store.discard()  # the same recordings and settings would end here again
            raise
        store.publish(info)
    return info


def feature_grid(sample_rate: int) -> FrameSpec:
    """The frame grid on which features are stored, whatever the hop of the model that will read them."""
    return FrameSpec(sample_rate, max(1, round(FEATURE_SECONDS * sample_rate)))


def _in_seconds(progress: Progress | None, spec: FrameSpec, total: float) -> Callable[[int], None]:
    """Turn frames that are newly done into a report of all seconds done."""
    frames = 0

    def report(more: int) -> None:
        nonlocal frames
        frames += more
        if progress is not None and total > 0:
            progress(min(spec.seconds(frames), total), total)

    return report


def _useful_jobs(
    jobs: int | None, estimator: F0Estimator, seconds: float, spec: FrameSpec, data: DataConfig
) -> int:
    """As many processes as memory holds, and no more than there are passages: each takes seconds to start."""
    if estimator.parallel:
        return 1
    if jobs is None:
        longest = 1.5 * data.passage_seconds  # what is left at the end joins the last passage
        jobs = jobs_that_fit(estimator, longest, spec.sample_rate)
    return max(1, min(jobs, math.ceil(seconds / data.passage_seconds)))


def _is_news(base: DatasetInfo, outcomes: list[Outcome], strays: list[FileResult]) -> bool:
    """Whether a dataset lacks anything that was found now."""
    told = {(file.name, file.reason) for file in base.files}
    results = [*(outcome.result for outcome in outcomes if outcome.journal is None), *strays]
    return any(outcome.journal for outcome in outcomes) or any(
        (result.name, result.reason) not in told for result in results
    )


def _assemble(
    store: DatasetStore,
    outcomes: list[Outcome],
    strays: list[FileResult],
    spec: FrameSpec,
    data: DataConfig,
    estimator: F0Estimator,
) -> DatasetInfo:
    """Make shards of the journals, after those that the dataset has; return what it then holds."""
    collector = PassageCollector(store, spec, ValidationSplit(data.validation_share))
    files: list[FileResult] = []
    for outcome in outcomes:
        for analysis in outcome.journal.read() if outcome.journal else ():
            collector.add(analysis)
        files.append(collector.complete(outcome.result))
    collector.finish()
    _refuse_nothing(collector, [o.error for o in outcomes if o.error], files, data)
    files += strays
    again = {file.name for file in files}
    before = store.base.files if store.base else ()
    return DatasetInfo(
        sample_rate=spec.sample_rate,
        hop=spec.hop,
        audio=data.audio,
        f0_estimator={"name": estimator.name, **estimator.settings},
        loudness=DEFINITION,
        f0_hz_range=collector.statistics.f0_hz_range(),
        loudness_db_range=collector.statistics.loudness_db_range(),
        voiced_share=collector.statistics.voiced_share,
        train_seconds=spec.seconds(collector.frames["train"]),
        validation_seconds=spec.seconds(collector.frames["validation"]),
        passage_seconds=data.passage_seconds,
        validation_share=data.validation_share,
        shards=store.finish_shards(),
        files=(*(f for f in before if f.status == "used" or f.name not in again), *files),
    )


def _refuse_nothing(
    collector: PassageCollector, errors: list[str], files: list[FileResult], data: DataConfig
) -> None:
    """Raise if no dataset can come of what was collected."""
    if collector.kept:
        if not collector.statistics.voiced_share:
            raise DdspError(
                f"no pitch between {data.f0_min_hz:g} and {data.f0_max_hz:g} Hz was found in what is to "
                "train on: recordings must be of one pitched instrument or voice"
            )
        return
    if len(files) == 1:
        raise DdspError(errors[0] if errors else f"{files[0].name} is {files[0].reason}")
    reasons = "; ".join(f"{result.name}: {result.reason}" for result in files[:3])
    more = f"; and {len(files) - 3} more" if len(files) > 3 else ""
    raise DdspError(f"none of the {len(files)} recordings can be used. {reasons}{more}")
