"""Sort measured passages into training and validation, and count them."""

import dataclasses
import math
from collections import Counter

from ddsp_tf.data.prepare.passages import SILENCE_DB
from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.records.info import SPLITS, DatasetInfo
from ddsp_tf.data.records.journal import Silence
from ddsp_tf.data.records.parts import FileResult
from ddsp_tf.data.records.schema import Record
from ddsp_tf.data.records.shards import read_records
from ddsp_tf.data.records.store import DatasetStore
from ddsp_tf.errors import DdspError

ALONE_SECONDS = 2.0
"""Length that a passage needs which is the only one, to be cut in two."""


class PassageCollector:
    """Takes the passages of all recordings in order and writes those worth keeping.

    Args:
        store: Where they go.
        preparation: What they are made for: what is counted, and which of them are held back.

    Attributes:
        kept: Integer, passages that were not silent.
        samples: Samples written to each split.
        statistics: Of the training passages.
    """

    def __init__(self, store: DatasetStore, preparation: Preparation) -> None:
        self._store = store
        self._preparation = preparation
        self._rate = preparation.spec.sample_rate
        self._passages: Counter[str] = Counter()  # these three by recording
        self._silent: Counter[str] = Counter()
        self._silent_samples: Counter[str] = Counter()
        self._before: Record | None = None  # of the same recording
        self._first: Record | None = None  # waits for a second: alone, it is cut in two
        self.kept = 0
        self.samples = dict.fromkeys(SPLITS, 0)
        self.statistics = preparation.statistics()
        if store.base is not None:
            self._take(store.base)

    def add(self, passage: Record | Silence) -> None:
        """Take the next passage."""
        if self._before is not None and passage.source != self._before.source:
            self._before = None
        if isinstance(passage, Silence):
            self._silent[passage.source] += 1
            self._silent_samples[passage.source] += passage.n_samples
            return
        record = self._before = self._preparation.linked(self._before, passage)
        self._passages[record.source] += 1
        number, self.kept = self.kept, self.kept + 1
        if number == 0:
            self._first = record
            return
        self._write_first()
        self._write_to_split(number, record)

    def finish(self) -> None:
        """Write what is still waiting.

        Raises:
            DdspError: If there is one passage only, and it is too short to be cut in two.
        """
        if self._first is None:
            return
        record, self._first = self._first, None
        if not self._preparation.validation_share:
            self._write("train", record)
            return
        seconds = record.n_samples / self._rate
        if seconds < ALONE_SECONDS:
            raise DdspError(
                f"{record.source} has {seconds:.2g} s of sound; at least "
                f"{ALONE_SECONDS:g} s are needed, one half to train on and one to validate with"
            )
        hop = math.lcm(self._preparation.spec.hop, *(f.hop for f in record.features.values() if f.hop))
        half = record.n_samples // hop // 2 * hop
        first = record.part(0, half)
        self._write("train", first)
        self._write("validation", self._preparation.linked(first, record.part(half, record.n_samples)))

    def complete(self, result: FileResult) -> FileResult:
        """Add to what is known of a file what became of its passages."""
        if result.status != "used":
            return result
        counted = dataclasses.replace(
            result,
            passages=self._passages[result.name],
            silent_passages=self._silent[result.name],
            silent_seconds=self._silent_samples[result.name] / self._rate,
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
            self._write_to_split(0, self._first)
            self._first = None

    def _write_to_split(self, number: int, record: Record) -> None:
        self._write("validation" if self._preparation.is_validation(number, record) else "train", record)

    def _write(self, split: str, record: Record) -> None:
        self._store.write(split, record)
        self._count(split, record)

    def _count(self, split: str, record: Record) -> None:
        self.samples[split] += record.n_samples
        if split == "train":
            self.statistics.add(record)
