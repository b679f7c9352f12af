"""Read the shards of a dataset, with every byte of them checked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ddsp_tf.data.records.info import ANEW, DatasetInfo
from ddsp_tf.data.records.parts import Shard
from ddsp_tf.data.records.schema import Record, parse
from ddsp_tf.data.records.tfrecord import Frame, read_frame, read_frames
from ddsp_tf.errors import DdspError

OnDamage = Callable[[str], None]
"""Called with a sentence that names shard, record and byte; what is damaged is then left out."""

_CURE = f"{ANEW}; `ddsp-tf train --skip-damaged` leaves what is damaged out"


@dataclass(frozen=True)
class RecordPlace:
    """Where a record lies, and how many samples it has."""

    path: Path
    number: int
    offset: int
    n_samples: int

    def read(self) -> Record:
        """Read the record, and check it again: disks forget, and files are replaced.

        Raises:
            DdspError: If it is damaged.
        """
        with self.path.open("rb") as file:
            return _record(self.path, self.number, read_frame(file, self.offset))


def read_records(
    folder: Path, info: DatasetInfo, split: str, *, on_damage: OnDamage | None = None
) -> Iterator[tuple[RecordPlace, Record]]:
    """Yield the records of a split in order, with their places.

    Args:
        folder: Folder of the dataset.
        info: What the dataset says of itself.
        split: `"train"` or `"validation"`.
        on_damage: Where damage is told; what is damaged is then skipped. Damage is fatal if None.

    Raises:
        DdspError: If a shard is missing, cut short or damaged, or a record is not of this dataset; the
            message names the shard, the number of the record in it, and the byte it begins at.
    """

    def damaged(error: DdspError) -> None:
        if on_damage is None:
            raise error
        on_damage(str(error))

    for shard in info.shards[split]:
        path = folder / shard.file
        if not path.is_file():
            damaged(DdspError(f"{path} is missing: the dataset is not complete. {_CURE}"))
            continue
        number = -1
        for number, found in enumerate(read_frames(path)):
            try:
                record = _record(path, number, found)
                _check_form(path, number, record, info)
            except DdspError as error:
                damaged(error)
                continue
            yield RecordPlace(path, number, found.offset, record.n_samples), record
        try:
            _check_count(path, shard, number + 1)
        except DdspError as error:
            damaged(error)


def _record(path: Path, number: int, found: Frame) -> Record:
    if found.data is None:
        raise DdspError(
            f"{path}: record {number} is damaged or cut short, at byte {found.offset} of "
            f"{path.stat().st_size}: {found.problem}. {_CURE}"
        )
    try:
        return parse(found.data)
    except DdspError as error:
        raise DdspError(f"{path}, record {number} at byte {found.offset}: {error}. {_CURE}") from error


def _check_form(path: Path, number: int, record: Record, info: DatasetInfo) -> None:
    """Refuse a record that is not what its dataset says that its records are."""
    has, wants = _form(record), _form(info)
    if has != wants:
        raise DdspError(f"{path}, record {number}: made for {has}; its dataset has {wants}. {_CURE}")


def _form(of: Record | DatasetInfo) -> str:
    hops = {name: feature.hop for name, feature in of.features.items()}
    grids = ", ".join(f"{name} with hop {hop}" for name, hop in sorted(hops.items()))
    return f"{of.sample_rate} Hz, {', '.join(sorted(of.sounds))}{', ' * bool(grids)}{grids}"


def _check_count(path: Path, shard: Shard, records: int) -> None:
    size = path.stat().st_size
    if records != shard.records or size != shard.bytes:
        raise DdspError(
            f"{path} is damaged or cut short, or was changed, at record {min(records, shard.records)}: it "
            f"has {records} records in {size} bytes; dataset.json counts {shard.records} in {shard.bytes}. "
            f"{_CURE}"
        )
