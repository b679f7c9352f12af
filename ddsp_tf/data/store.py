"""Where a dataset is written: beside, and named when it is complete.

Shards are written into a hidden folder inside the dataset's folder. They get their names when all are
complete, and `dataset.json` comes last: a folder without it is not a dataset, so nothing half-written
is ever read as one.
"""

import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

from ddsp_tf.data.info import INFO_NAME, SPLITS, DatasetInfo, Shard
from ddsp_tf.data.schema import Record, serialize
from ddsp_tf.data.tfrecord import frame
from ddsp_tf.errors import DdspError

_BESIDE = ".prepare.part"


class DatasetStore:
    """A dataset that is being written.

    Args:
        folder: Folder of the dataset; made if it does not exist.
        overwrite: Whether a dataset that is already there may be replaced.
        shard_bytes: Integer, a shard of this size or more is not added to.

    Raises:
        DdspError: If the folder cannot be written, or holds a dataset and `overwrite` is off.
    """

    def __init__(self, folder: Path, *, overwrite: bool = False, shard_bytes: int = 128 << 20) -> None:
        self.folder = folder
        if (folder / INFO_NAME).exists() and not overwrite:
            raise DdspError(f"{folder} already holds a dataset. Name another folder, or give --overwrite")
        self._made = [p for p in (folder, *folder.parents) if not p.exists()]
        self._beside = folder / _BESIDE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if self._beside.exists():  # of a run that was killed
                shutil.rmtree(self._beside)
            self._beside.mkdir()
        except OSError as error:
            raise DdspError(f"{folder} cannot be written: {error.strerror}") from error
        self._splits = {name: _ShardWriter(self._beside, name, shard_bytes) for name in SPLITS}

    def __enter__(self) -> "DatasetStore":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for writer in self._splits.values():
            writer.close()
        shutil.rmtree(self._beside, ignore_errors=True)
        if kind is not None:
            for folder in self._made:  # what was made for nothing
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()

    def write(self, split: str, record: Record) -> None:
        """Append a record to a split."""
        self._splits[split].write(serialize(record))

    def finish_shards(self) -> dict[str, tuple[Shard, ...]]:
        """End the shards; return them by split, under the names they will have."""
        return {name: writer.finish() for name, writer in self._splits.items()}

    def publish(self, info: DatasetInfo) -> None:
        """Make the dataset exist, in place of the one that was there."""
        (self._beside / INFO_NAME).write_text(info.to_json(), encoding="utf-8")
        (self.folder / INFO_NAME).unlink(missing_ok=True)
        for split in SPLITS:
            for old in self.folder.glob(f"{split}-?????-of-?????.tfrecord"):
                old.unlink()
        for shard in (shard for shards in info.shards.values() for shard in shards):
            (self._beside / shard.file).replace(self.folder / shard.file)
        (self._beside / INFO_NAME).replace(self.folder / INFO_NAME)


class _ShardWriter:
    """Writes the records of one split into shards of bounded size."""

    def __init__(self, folder: Path, split: str, shard_bytes: int) -> None:
        self._folder = folder
        self._split = split
        self._shard_bytes = shard_bytes
        self._writer: Any = None
        self._size = 0
        self._records: list[int] = []  # of each shard

    def write(self, serialized: bytes) -> None:
        if self._writer is None:
            self._writer = self._path(len(self._records)).open("wb")
            self._records.append(0)
            self._size = 0
        self._writer.write(frame(serialized))
        self._records[-1] += 1
        self._size += len(serialized)
        if self._size >= self._shard_bytes:
            self.close()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def finish(self) -> tuple[Shard, ...]:
        self.close()
        shards = []
        for number, records in enumerate(self._records):
            name = f"{self._split}-{number:05d}-of-{len(self._records):05d}.tfrecord"
            path = self._path(number).replace(self._folder / name)
            shards.append(Shard(name, records, path.stat().st_size))
        return tuple(shards)

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._split}-{number:05d}.part"
