"""Where a dataset is written, so that a kill at any moment leaves the old one, the new one, or none.

Everything is written into a hidden folder inside the dataset's folder: first a journal for each recording,
then the shards. A shard's name holds a part of the SHA-256 of its content, so no shard ever takes the place
of another. `dataset.json` is replaced when the shards that it names are in their places: that one rename
makes the dataset. Shards that it does not name, of a dataset that was replaced, are removed after it.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from ddsp_tf.data.records.info import INFO_NAME, SPLITS, DatasetInfo, load_dataset_info
from ddsp_tf.data.records.parts import Shard
from ddsp_tf.data.records.schema import Record, serialize
from ddsp_tf.data.records.tfrecord import frame
from ddsp_tf.errors import DdspError
from ddsp_tf.locks import FolderLock

WORK_NAME = ".prepare"
REPORT_NAME = "report.html"
SHARD_BYTES = 128 << 20
_SETTINGS_NAME, _LOCK_NAME = "settings.json", "lock"
_ESTIMATORS = "f0 estimator's "
_ESTIMATOR = f"{_ESTIMATORS}name"
_AS_GIVEN = {
    _ESTIMATOR: "the f0 estimator",
    f"{_ESTIMATORS}f0_min_hz": "data.f0_min_hz",
    f"{_ESTIMATORS}f0_max_hz": "data.f0_max_hz",
    f"{_ESTIMATORS}smoothing": "data.f0_smoothing",
}
_SHARD_NAME = re.compile(rf"({'|'.join(SPLITS)})-\d{{5}}-(of-\d{{5}}|[0-9a-f]{{8}})\.tfrecord")


class DatasetStore:
    """A dataset that is being written, or added to.

    Args:
        folder: Folder of the dataset; made if it does not exist.
        settings: Everything that the records depend on besides the recordings; goes into JSON.
        overwrite: Whether a dataset that is already there, or is half done, gives way to another.
        shard_bytes: Integer, a shard of this size or more is not added to.

    Attributes:
        base: The dataset that is added to; None where there is none, or it is to be replaced.
        journals: Folder of the journals.

    Raises:
        DdspError: If the folder cannot be written, another process writes it, or it holds what was
            prepared with other settings and `overwrite` is off.
    """

    def __init__(
        self,
        folder: Path,
        settings: dict[str, Any],
        *,
        overwrite: bool = False,
        shard_bytes: int = SHARD_BYTES,
    ) -> None:
        self.folder = folder
        if folder.exists() and not folder.is_dir():
            raise DdspError(f"{folder} is a file; name a folder for the dataset")
        settings = json.loads(json.dumps(settings))
        self.base: DatasetInfo | None = None
        if (folder / INFO_NAME).exists() and not overwrite:
            self.base = load_dataset_info(folder)
            _refuse_other(f"{folder} was prepared", self.base.settings, settings)
        self._made = [p for p in (folder, *folder.parents) if not p.exists()]
        self._work = folder / WORK_NAME
        self.journals = self._work / "journals"
        try:
            self.journals.mkdir(parents=True, exist_ok=True)
            self._lock = FolderLock(folder, self._work / _LOCK_NAME, "another prepare")
        except OSError as error:
            raise DdspError(f"{folder} cannot be written: {error.strerror}") from error
        try:
            self._keep_settings(settings, overwrite)
            for left in self._work.glob("*.tfrecord"):  # shards are quickly made from journals
                left.unlink()
        except BaseException:
            self._lock.close()
            raise
        self._splits = {
            name: _ShardWriter(self._work, name, len(self.base.shards[name]) if self.base else 0, shard_bytes)
            for name in SPLITS
        }

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
        if kind is None or not any(self.journals.glob("*")):
            self.discard()
        self._lock.close()

    def write(self, split: str, record: Record) -> None:
        """Append a record to a split."""
        self._splits[split].write(serialize(record))

    def finish_shards(self) -> dict[str, tuple[Shard, ...]]:
        """End the shards; return those of the dataset by split, the ones that it had first."""
        before = self.base.shards if self.base else dict.fromkeys(SPLITS, ())
        return {name: (*before[name], *writer.finish()) for name, writer in self._splits.items()}

    def publish(self, info: DatasetInfo) -> None:
        """Make the dataset exist, in place of the one that was there."""
        for made in sorted(self._work.glob("*.tfrecord")):
            made.replace(self.folder / made.name)
        _sync(self.folder)
        beside = self._work / INFO_NAME
        with beside.open("w", encoding="utf-8") as file:
            file.write(info.to_json())
            file.flush()
            os.fsync(file.fileno())
        (self.folder / REPORT_NAME).unlink(missing_ok=True)  # it is of the dataset that goes now
        beside.replace(self.folder / INFO_NAME)
        _sync(self.folder)
        self.remove_strays(info)

    def remove_strays(self, info: DatasetInfo) -> None:
        """Remove the shards that a dataset does not name."""
        named = {shard.file for shards in info.shards.values() for shard in shards}
        for path in self.folder.iterdir():
            if _SHARD_NAME.fullmatch(path.name) and path.name not in named:
                path.unlink()

    def discard(self) -> None:
        """Remove what was begun; of the folder itself only what was made for nothing."""
        shutil.rmtree(self._work, ignore_errors=True)
        for folder in self._made:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def _keep_settings(self, settings: dict[str, Any], overwrite: bool) -> None:
        path = self._work / _SETTINGS_NAME
        begun: dict[str, Any] | None = None
        if path.exists():
            with contextlib.suppress(ValueError):  # a loss of power left it empty: begin anew
                begun = json.loads(path.read_text(encoding="utf-8"))
        if begun is not None and begun != settings:
            if not overwrite:
                _refuse_other(f"{self.folder} holds what a run left that was started", begun, settings)
            path.unlink()
            begun = None
        if begun is None:
            shutil.rmtree(self.journals)
            self.journals.mkdir()
            beside = path.with_suffix(".part")
            with beside.open("w", encoding="utf-8") as file:
                file.write(json.dumps(settings))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)


def _refuse_other(what: str, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise if settings differ, and name those that do; of another estimator nothing but its name."""
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    same = "Give the same"
    if _ESTIMATOR in names:
        names = [name for name in names if name == _ESTIMATOR or not name.startswith(_ESTIMATORS)]
        same += f" (--f0 {before.get(_ESTIMATOR)})"
    differing = [f"{_AS_GIVEN.get(n, n)} was {before.get(n)!r}, is {now.get(n)!r}" for n in names]
    if differing:
        raise DdspError(
            f"{what} with other settings: {'; '.join(differing)}. {same}, name another folder, or give "
            "--overwrite to prepare all anew"
        )


def _sync(folder: Path) -> None:
    """Have the names in a folder outlive a loss of power, where the system can do that."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class _ShardWriter:
    """Writes the records of one split into shards of bounded size, numbered from `first` on."""

    def __init__(self, folder: Path, split: str, first: int, shard_bytes: int) -> None:
        self._folder = folder
        self._split = split
        self._first = first
        self._shard_bytes = shard_bytes
        self._file: BinaryIO | None = None
        self._sha256 = hashlib.sha256()
        self._records = 0
        self._shards: list[Shard] = []

    def write(self, serialized: bytes) -> None:
        if self._file is None:
            self._file = self._part().open("wb")
            self._sha256 = hashlib.sha256()
            self._records = 0
        data = frame(serialized)
        self._file.write(data)
        self._sha256.update(data)
        self._records += 1
        if self._file.tell() >= self._shard_bytes:
            self._end()

    def finish(self) -> tuple[Shard, ...]:
        self._end()
        return tuple(self._shards)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _end(self) -> None:
        if self._file is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        size = self._file.tell()
        part = self._part()
        self.close()
        number = self._first + len(self._shards)
        name = f"{self._split}-{number:05d}-{self._sha256.hexdigest()[:8]}.tfrecord"
        part.replace(self._folder / name)
        self._shards.append(Shard(name, self._records, size))

    def _part(self) -> Path:
        return self._folder / f"{self._split}.part"
