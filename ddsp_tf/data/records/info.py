"""`dataset.json`: what a dataset says of itself."""

import dataclasses
import json
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddsp_edge.card import Range
from ddsp_tf.data.records.schema import SCHEMA_VERSION
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec

INFO_NAME = "dataset.json"
SPLITS = ("train", "validation")
ANEW = "`ddsp-tf prepare --overwrite` makes the dataset anew"
"""What cures one that is damaged."""


@dataclass(frozen=True)
class FileResult:
    """What became of one file.

    Args:
        name: Name of the file in the dataset.
        status: `"used"` or `"skipped"`.
        reason: Why it was skipped, or what is worth knowing of it; may be empty.
        seconds: Its length.
        sample_rate: Integer, its own rate in Hz; 0 if it could not be read.
        channels: Integer; 0 if it could not be read.
        passages: Integer, how many passages of it are in the dataset.
        silent_passages: Integer, how many were dropped because they are silent.
        silent_seconds: How long those are together.
        clipped_samples: Integer, samples of all its channels in runs of three or more at full scale.
        sha256: Of the file's bytes, in hexadecimal; empty if they could not be read.
    """

    name: str
    status: str
    reason: str = ""
    seconds: float = 0.0
    sample_rate: int = 0
    channels: int = 0
    passages: int = 0
    silent_passages: int = 0
    silent_seconds: float = 0.0
    clipped_samples: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Shard:
    """One TFRecord file: its name, how many records and how many bytes it has."""

    file: str
    records: int
    bytes: int


@dataclass(frozen=True)
class DatasetInfo:
    """Everything a dataset says of itself.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples between two frames of the features as they are stored; any other can be read.
        audio: How audio is stored, `"int16"` or `"float32"`.
        f0_estimator: Name and settings of the pitch estimator.
        loudness: Definition of loudness.
        f0_hz_range: f0 of the voiced frames of the training passages, Hz.
        loudness_db_range: Loudness of the training passages above -70 dB.
        voiced_share: Share of the training frames that have a pitch.
        train_seconds: Sound to train on.
        validation_seconds: Sound that is held back.
        passage_seconds: Length of a passage, as configured.
        validation_share: Share that is held back, as configured.
        shards: The TFRecord files of each split.
        files: What became of each file.
        schema_version: Integer, version of this file and of the records.
    """

    sample_rate: int
    hop: int
    audio: str
    f0_estimator: dict[str, Any]
    loudness: str
    f0_hz_range: Range
    loudness_db_range: Range
    voiced_share: float
    train_seconds: float
    validation_seconds: float
    passage_seconds: float
    validation_share: float
    shards: dict[str, tuple[Shard, ...]]
    files: tuple[FileResult, ...]
    schema_version: int = SCHEMA_VERSION

    @property
    def spec(self) -> FrameSpec:
        """The frame grid of the dataset."""
        return FrameSpec(self.sample_rate, self.hop)

    def settings(self) -> dict[str, Any]:
        """What its records depend on besides the recordings."""
        return dataset_settings(
            sample_rate=self.sample_rate,
            hop=self.hop,
            audio=self.audio,
            passage_seconds=self.passage_seconds,
            validation_share=self.validation_share,
            f0_estimator=self.f0_estimator,
            loudness=self.loudness,
        )

    def to_json(self) -> str:
        """The description as JSON text."""
        text = json.dumps(dataclasses.asdict(self), indent=1, allow_nan=False, ensure_ascii=True)
        return text + "\n"

    @classmethod
    def from_json(cls, text: str, origin: str) -> "DatasetInfo":
        """Read and check a description; `origin` names its file in errors.

        Raises:
            DdspError: If it is no JSON, of another version, or a field is missing or cannot be.
        """
        try:
            document = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise DdspError(f"{origin} is not valid JSON: {error}") from error
        version = document.get("schema_version") if isinstance(document, dict) else None
        if version != SCHEMA_VERSION or isinstance(version, bool):
            raise DdspError(
                f"{origin} has schema version {version!r}; this version of ddsp_tf reads {SCHEMA_VERSION}. "
                "Update ddsp_tf, or prepare the recordings anew with --overwrite"
            )
        info = typing.cast("DatasetInfo", _build(cls, document, origin))
        _ = info.spec  # refuses a sample rate or hop that cannot be
        if set(info.shards) != set(SPLITS):
            raise DdspError(
                f"{origin}: shards must name {' and '.join(SPLITS)}. Received: {list(info.shards)}"
            )
        for shard in (shard for shards in info.shards.values() for shard in shards):
            if Path(shard.file).name != shard.file or shard.records < 1:
                raise DdspError(f"{origin}: no shard can be {shard!r}")
        return info


def dataset_settings(
    *,
    sample_rate: int,
    hop: int,
    audio: str,
    passage_seconds: float,
    validation_share: float,
    f0_estimator: dict[str, Any],
    loudness: str,
) -> dict[str, Any]:
    """What records depend on besides the recordings, under names that a user knows; see `DatasetInfo`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "sample_rate": sample_rate,
        "hop of the features": hop,
        "data.audio": audio,
        "data.passage_seconds": passage_seconds,
        "data.validation_share": validation_share,
        **{f"f0 estimator's {name}": value for name, value in f0_estimator.items()},
        "loudness": loudness,
    }


def load_dataset_info(folder: str | Path) -> DatasetInfo:
    """Read what a dataset says of itself.

    Raises:
        DdspError: If there is no dataset, or its description is damaged or of another version.
    """
    folder = Path(folder)
    path = folder / INFO_NAME
    if not folder.exists():
        raise DdspError(f"{folder}: no such dataset. `ddsp-tf prepare` makes one")
    if not path.is_file():
        raise DdspError(f"{folder} is no dataset: it has no {INFO_NAME}. `ddsp-tf prepare` makes one")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DdspError(f"{path} is not valid JSON: it is not UTF-8 text. {ANEW}") from error
    try:
        return DatasetInfo.from_json(text, str(path))
    except DdspError as error:
        if "--overwrite" in str(error):
            raise
        raise DdspError(f"{error}. {ANEW}") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def _build(kind: Any, value: Any, where: str) -> Any:
    """Turn plain JSON values into the dataclass, dict, tuple or scalar that `kind` names."""
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise DdspError(f"{where} must be an object. Received: {str(value)[:60]!r}")
        hints = typing.get_type_hints(kind)
        if missing := sorted(set(hints) - set(value)):
            raise DdspError(f"{where} lacks {', '.join(missing)}")
        fields = {name: _build(hint, value[name], f"{where}: {name}") for name, hint in hints.items()}
        return typing.cast("Any", kind)(**fields)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and isinstance(value, list):
        return tuple(_build(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        if arguments[1] is Any:
            return value
        return {name: _build(arguments[1], item, f"{where}.{name}") for name, item in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if origin is None and isinstance(value, kind) and not isinstance(value, bool):
        return value
    name = {tuple: "list", dict: "object"}.get(origin, getattr(kind, "__name__", str(kind)))
    raise DdspError(f"{where} must be {name}. Received: {str(value)[:60]!r}")
