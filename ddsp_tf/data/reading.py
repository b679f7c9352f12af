"""Datasets as passages: numpy arrays, ready to use."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ddsp_edge.pitch import hold_unvoiced
from ddsp_edge.units import Array
from ddsp_tf.data.analysis import from_int16
from ddsp_tf.data.info import SPLITS, DatasetInfo, load_dataset_info
from ddsp_tf.data.records import read_records
from ddsp_tf.data.schema import Record
from ddsp_tf.errors import DdspError


@dataclass(frozen=True)
class Passage:
    """A passage of a recording, ready to use.

    Args:
        audio: float32 `[n_frames * hop]`, full scale 1.
        f0_hz: float32 `[n_frames]`; where there is no pitch it holds the last one, as the device does.
        voiced: bool `[n_frames]`, where there is a pitch.
        voicing: float32 `[n_frames]`, 0 to 1, how sure the estimator was.
        loudness_db: float32 `[n_frames]`.
        source: Name of the recording.
        first_sample: Integer, sample of the recording, at the dataset's rate, that it begins with.
    """

    audio: Array
    f0_hz: Array
    voiced: Array
    voicing: Array
    loudness_db: Array
    source: str
    first_sample: int


def read_passages(folder: str | Path, split: str) -> Iterator[Passage]:
    """Yield the passages of a split (`"train"` or `"validation"`) in the order of the recordings.

    Raises:
        DdspError: If there is no such split or dataset, or a shard is damaged.
    """
    if split not in SPLITS:
        raise DdspError(f"split must be one of {', '.join(SPLITS)}. Received: {split!r}")
    info = load_dataset_info(folder)
    for _, record in read_records(Path(folder), info, split):
        yield passage_from_record(record, info)


def passage_from_record(record: Record, info: DatasetInfo) -> Passage:
    """Fill the gaps of f0 and turn the audio into floats."""
    voiced = record.f0_hz > 0
    start_hz = record.held_f0_hz or info.f0_hz_range.median
    return Passage(
        audio=from_int16(record.audio),
        f0_hz=hold_unvoiced(record.f0_hz, voiced, start_hz),
        voiced=voiced,
        voicing=record.voicing,
        loudness_db=record.loudness_db,
        source=record.source,
        first_sample=record.first_sample,
    )
