"""Datasets as passages: numpy arrays, ready to use, on the frame grid that is asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddsp_edge.features.pitch import hold_unvoiced
from ddsp_edge.units import Array
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.prepare.analysis import as_float
from ddsp_tf.data.records.info import SPLITS, DatasetInfo, check_sample_rate, load_dataset_info
from ddsp_tf.data.records.shards import OnDamage, read_records
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0_grid import interpolate_f0
from ddsp_tf.frames import FrameSpec


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


def read_passages(
    folder: str | Path,
    split: str,
    spec: FrameSpec | None = None,
    *,
    on_damage: OnDamage | None = None,
) -> Iterator[Passage]:
    """Yield the passages of a split (`"train"` or `"validation"`) in the order of the recordings.

    Args:
        folder: Folder of the dataset.
        split: Which split.
        spec: The frame grid of the passages; that on which the dataset stores features if None.
        on_damage: Called with a sentence for each damaged record, which is then skipped; damage is fatal
            if None.

    Raises:
        DdspError: If there is no such split or dataset, a shard is damaged, or the sample rate is another.
    """
    if split not in SPLITS:
        raise DdspError(f"split must be one of {', '.join(SPLITS)}. Received: {split!r}")
    info = load_dataset_info(folder)
    check_sample_rate(folder, info, spec or info.spec)
    for _, record in read_records(Path(folder), info, split, on_damage=on_damage):
        yield passage_from_record(PitchedRecord.of(record), info, spec)


def passage_from_record(record: PitchedRecord, info: DatasetInfo, spec: FrameSpec | None = None) -> Passage:
    """Bring a record onto a grid, fill the gaps of f0 and turn the audio into floats."""
    spec = spec or info.spec
    f0_hz, voicing, loudness_db = features_on_grid(record, spec)
    voiced = f0_hz > 0
    start_hz = record.held_f0_hz or info.f0_hz_range.median
    audio = record.audio[: len(f0_hz) * spec.hop]
    return Passage(
        audio=as_float(audio),
        f0_hz=hold_unvoiced(f0_hz, voiced, start_hz),
        voiced=voiced,
        voicing=voicing,
        loudness_db=loudness_db,
        source=record.source,
        first_sample=record.first_sample,
    )


def features_on_grid(record: PitchedRecord, spec: FrameSpec) -> tuple[Array, Array, Array]:
    """Return f0, voicing and loudness of a record on a frame grid of another hop.

    Where the new grid is a part of the stored one, values are those that were measured. Elsewhere f0 is
    interpolated in log frequency, never across a gap or a step; voicing and loudness (in dB) linearly.
    A frame before the first stored one has its values.

    Args:
        record: The record.
        spec: The frame grid.

    Returns:
        Three arrays float32 `[len(audio) // spec.hop]`; f0 is 0 where there is no pitch.
    """
    n_frames = spec.n_frames(len(record.audio))
    if spec.hop % record.hop == 0:
        every = spec.hop // record.hop
        part = slice(every - 1, n_frames * every, every)
        return record.f0_hz[part], record.voicing[part], record.loudness_db[part]
    stored = (np.arange(record.n_frames) + 1.0) * record.hop
    wanted = (np.arange(n_frames) + 1.0) * spec.hop
    f0_hz, voicing = interpolate_f0(stored, record.f0_hz, record.voicing, wanted)
    loudness_db = np.interp(wanted, stored, record.loudness_db).astype(np.float32)
    return f0_hz, voicing, loudness_db
