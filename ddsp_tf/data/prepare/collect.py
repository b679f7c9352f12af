"""Sort measured passages into training and validation, and count them."""

import dataclasses
from collections import Counter

from ddsp_tf.data.prepare.analysis import SILENCE_DB, Analysis
from ddsp_tf.data.prepare.passages import MIN_SECONDS
from ddsp_tf.data.prepare.split import ValidationSplit
from ddsp_tf.data.prepare.statistics import FeatureStatistics
from ddsp_tf.data.records.info import SPLITS, DatasetInfo, FileResult
from ddsp_tf.data.records.schema import Record
from ddsp_tf.data.records.shards import read_records
from ddsp_tf.data.records.store import DatasetStore
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec


class PassageCollector:
    """Takes the passages of all recordings in order and writes those worth keeping.

    Args:
        store: Where they go.
        spec: The frame grid.
        split: Which of them are held back.

    Attributes:
        kept: Integer, passages that were not silent.
        frames: Frames written to each split.
        statistics: Of the training passages.
    """

    def __init__(self, store: DatasetStore, spec: FrameSpec, split: ValidationSplit) -> None:
        self._store = store
        self._spec = spec
        self._split = split
        self._passages: Counter[str] = Counter()  # these three by recording
        self._silent: Counter[str] = Counter()
        self._silent_frames: Counter[str] = Counter()
        self._source = ""
        self._held_f0_hz = 0.0
        self._first: Record | None = None  # waits for a second: alone, it is cut in two
        self.kept = 0
        self.frames = dict.fromkeys(SPLITS, 0)
        self.statistics = FeatureStatistics()
        if store.base is not None:
            self._take(store.base)

    def add(self, analysis: Analysis) -> None:
        """Take the next passage."""
        if analysis.source != self._source:
            self._source, self._held_f0_hz = analysis.source, 0.0
        if analysis.silent:
            self._silent[analysis.source] += 1
            self._silent_frames[analysis.source] += len(analysis.loudness_db)
            return
        record = Record(
            analysis.audio,
            analysis.f0_hz,
            analysis.voicing,
            analysis.loudness_db,
            self._held_f0_hz,
            analysis.source,
            analysis.first_sample,
            self._spec.sample_rate,
            self._spec.hop,
            analysis.quality,
        )
        voiced = analysis.f0_hz[analysis.f0_hz > 0]
        if len(voiced):
            self._held_f0_hz = float(voiced[-1])
        self._passages[analysis.source] += 1
        number, self.kept = self.kept, self.kept + 1
        if number == 0:
            self._first = record
            return
        self._write_first()
        self._write("validation" if self._split.is_validation(number) else "train", record)

    def finish(self) -> None:
        """Write what is still waiting.

        Raises:
            DdspError: If there is one passage only, and it is too short to be cut in two.
        """
        if self._first is None:
            return
        record, self._first = self._first, None
        if not self._split.share:
            self._write("train", record)
            return
        if self._spec.seconds(record.n_frames) < 2 * MIN_SECONDS:
            raise DdspError(
                f"{record.source} has {self._spec.seconds(record.n_frames):.2g} s of sound; at least "
                f"{2 * MIN_SECONDS:g} s are needed, one half to train on and one to validate with"
            )
        half = record.n_frames // 2
        self._write("train", record.frames(0, half))
        self._write("validation", record.frames(half, record.n_frames))

    def complete(self, result: FileResult) -> FileResult:
        """Add to what is known of a file what became of its passages."""
        if result.status != "used":
            return result
        counted = dataclasses.replace(
            result,
            passages=self._passages[result.name],
            silent_passages=self._silent[result.name],
            silent_seconds=self._spec.seconds(self._silent_frames[result.name]),
        )
        if counted.passages:
            return counted
        reason = (
            f"silent throughout (loudness never above {SILENCE_DB:g} dB): if there is something to hear in "
            "it, raise its level, or record it again at a higher one"
        )
        return dataclasses.replace(counted, status="skipped", reason=reason)

    def _take(self, base: DatasetInfo) -> None:
        """Count what is in the dataset already: its passages stay where they are."""
        self.kept = sum(file.passages for file in base.files)
        for split in SPLITS:
            for _, record in read_records(self._store.folder, base, split):
                self._count(split, record)

    def _write_first(self) -> None:
        if self._first is not None:
            self._write("validation" if self._split.is_validation(0) else "train", self._first)
            self._first = None

    def _write(self, split: str, record: Record) -> None:
        self._store.write(split, record)
        self._count(split, record)

    def _count(self, split: str, record: Record) -> None:
        self.frames[split] += record.n_frames
        if split == "train":
            self.statistics.add(record.f0_hz, record.loudness_db)
