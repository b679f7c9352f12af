"""Read the shards of a dataset, with every byte of them checked."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddsp_tf.data.info import DatasetInfo, Shard
from ddsp_tf.data.schema import Record, parse
from ddsp_tf.errors import DdspError

_HEADER_BYTES = 12  # length and its checksum, before the data of a TFRecord
_FRAMING_BYTES = 16  # with the checksum of the data, after it


@dataclass(frozen=True)
class RecordPlace:
    """Where a record's data lies, and how many frames it has."""

    path: Path
    offset: int
    bytes: int
    n_frames: int

    def read(self) -> Record:
        """Read the record again, without checking its checksum a second time."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return parse(file.read(self.bytes))


def read_records(folder: Path, info: DatasetInfo, split: str) -> Iterator[tuple[RecordPlace, Record]]:
    """Yield the records of a split in order, with their places.

    Raises:
        DdspError: If a shard is missing, cut short or damaged, or a record is not of this dataset; the
            message names the shard and the number of the record in it.
    """
    for shard in info.shards[split]:
        path = folder / shard.file
        if not path.is_file():
            raise DdspError(f"{path} is missing: the dataset is not complete. Prepare it again")
        place = 0
        number = -1
        for number, data in enumerate(_raw_records(path)):
            try:
                record = parse(data)
            except DdspError as error:
                raise DdspError(f"{path}, record {number}: {error}") from error
            if (record.sample_rate, record.hop) != (info.sample_rate, info.hop):
                raise DdspError(
                    f"{path}, record {number}: made for {record.sample_rate} Hz with hop {record.hop}; "
                    f"its dataset has {info.sample_rate} Hz with hop {info.hop}"
                )
            yield RecordPlace(path, place + _HEADER_BYTES, len(data), record.n_frames), record
            place += len(data) + _FRAMING_BYTES
        _check_count(path, shard, number + 1)


def _raw_records(path: Path) -> Iterator[bytes]:
    import tensorflow as tf

    number = 0
    records: Any = tf.data.TFRecordDataset(str(path))
    try:
        for data in records.as_numpy_iterator():
            yield bytes(data)
            number += 1
    except (tf.errors.DataLossError, tf.errors.OutOfRangeError) as error:
        raise DdspError(
            f"{path}: record {number} is damaged or cut short ({path.stat().st_size} bytes). "
            "Prepare the dataset again"
        ) from error


def _check_count(path: Path, shard: Shard, records: int) -> None:
    size = path.stat().st_size
    if records != shard.records or size != shard.bytes:
        raise DdspError(
            f"{path} is cut short or was changed at record {min(records, shard.records)}: it has {records} "
            f"records in {size} bytes; dataset.json counts {shard.records} in {shard.bytes}"
        )
