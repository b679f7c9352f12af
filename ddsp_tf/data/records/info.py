"""`dataset.json`: what a dataset says of itself."""

import dataclasses
import json
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddsp_edge.card import Range
from ddsp_tf.data.records.parts import FeatureForm, FileResult, Shard, build_part
from ddsp_tf.data.records.schema import AUDIO_FORMATS, READ_VERSIONS, SCHEMA_VERSION
from ddsp_tf.data.records.schema_2 import upgraded
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec

INFO_NAME = "dataset.json"
SPLITS = ("train", "validation")
ANEW = "`ddsp-tf prepare --overwrite` makes the dataset anew"
"""What cures one that is damaged."""


@dataclass(frozen=True)
class DatasetInfo:
    """Everything a dataset says of itself.

    Args:
        sample_rate: Integer, Hz, of all sounds.
        sounds: How each sound is stored, `"int16"` or `"float32"`, by name.
        features: What each feature looks like, by name.
        extractors: What measured each feature, by name: plain data, with a `name`.
        statistics: What was counted over the training passages, plain data.
        train_seconds: Sound to train on.
        validation_seconds: Sound that is held back.
        settings: What its records depend on besides the recordings, under names that a user knows.
        shards: The TFRecord files of each split.
        files: What became of each file.
        schema_version: Integer, version of this file and of the records that are written.
    """

    sample_rate: int
    sounds: dict[str, str]
    features: dict[str, FeatureForm]
    extractors: dict[str, dict[str, Any]]
    statistics: dict[str, Any]
    train_seconds: float
    validation_seconds: float
    settings: dict[str, Any]
    shards: dict[str, tuple[Shard, ...]]
    files: tuple[FileResult, ...]
    schema_version: int = SCHEMA_VERSION

    @property
    def passage_seconds(self) -> float:
        """Length of a passage, as configured."""
        return float(self.settings["data.passage_seconds"])

    @property
    def validation_share(self) -> float:
        """Share that is held back, as configured."""
        return float(self.settings["data.validation_share"])

    # What a dataset with pitch and loudness has besides.

    @property
    def audio(self) -> str:
        """How its sound is stored, `"int16"` or `"float32"`."""
        return self._of(self.sounds, "audio")

    @property
    def hop(self) -> int:
        """Samples between two frames of its pitch as they are stored; any other can be read."""
        form: FeatureForm = self._of(self.features, "f0_hz")
        return form.hop

    @property
    def spec(self) -> FrameSpec:
        """The frame grid of its pitch."""
        return FrameSpec(self.sample_rate, self.hop)

    @property
    def f0_estimator(self) -> dict[str, Any]:
        """Name and settings of its pitch estimator."""
        return dict(self._of(self.extractors, "f0_hz"))

    @property
    def loudness(self) -> str:
        """Definition of its loudness."""
        return str(self._of(self.extractors, "loudness_db")["name"])

    @property
    def f0_hz_range(self) -> Range:
        """f0 of the voiced frames of the training passages, Hz."""
        return Range(**self._of(self.statistics, "f0_hz_range"))

    @property
    def loudness_db_range(self) -> Range:
        """Loudness of the training passages above -70 dB."""
        return Range(**self._of(self.statistics, "loudness_db_range"))

    @property
    def voiced_share(self) -> float:
        """Share of the training frames that have a pitch."""
        return float(self._of(self.statistics, "voiced_share"))

    def _of(self, values: dict[str, Any], name: str) -> Any:
        if name not in values:
            raise DdspError(
                f"the dataset has no {name}; it has {', '.join([*self.sounds, *self.features])}: it was made "
                "for another task"
            )
        return values[name]

    def to_json(self) -> str:
        """The description as JSON text."""
        text = json.dumps(dataclasses.asdict(self), indent=1, allow_nan=False, ensure_ascii=True)
        return text + "\n"

    @classmethod
    def from_json(cls, text: str, origin: str) -> "DatasetInfo":
        """Read and check a description; `origin` names its file in errors.

        One of schema 2 is read as the same of schema 3.

        Raises:
            DdspError: If it is no JSON, of a version that is not read, or a field is missing or cannot be.
        """
        try:
            document = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise DdspError(f"{origin} is not valid JSON: {error}") from error
        version = document.get("schema_version") if isinstance(document, dict) else None
        if version not in READ_VERSIONS or isinstance(version, bool):
            raise DdspError(
                f"{origin} has schema version {version!r}; this version of ddsp_tf reads "
                f"{' and '.join(map(str, READ_VERSIONS))}. Update ddsp_tf, or prepare the recordings anew "
                "with --overwrite"
            )
        if version == 2:
            document = upgraded(document, origin)
        info = typing.cast("DatasetInfo", build_part(cls, document, origin))
        info._check(origin)
        return info

    def _check(self, origin: str) -> None:
        FrameSpec(self.sample_rate, 1)  # refuses a rate that cannot be
        for form in self.features.values():
            if form.hop:
                FrameSpec(self.sample_rate, form.hop)
        for name, kind in self.sounds.items():
            if kind not in AUDIO_FORMATS:
                raise DdspError(f"{origin}: the sound {name!r} is {kind!r}, not {', '.join(AUDIO_FORMATS)}")
        for name, values in self.statistics.items():
            if name.endswith("_range"):
                build_part(Range, values, f"{origin}: {name}")
        for name in ("data.passage_seconds", "data.validation_share"):
            if not isinstance(self.settings.get(name), int | float):
                raise DdspError(f"{origin}: settings lacks {name}")
        if set(self.shards) != set(SPLITS):
            raise DdspError(
                f"{origin}: shards must name {' and '.join(SPLITS)}. Received: {list(self.shards)}"
            )
        for shard in (shard for shards in self.shards.values() for shard in shards):
            if Path(shard.file).name != shard.file or shard.records < 1:
                raise DdspError(f"{origin}: no shard can be {shard!r}")


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


def check_sample_rate(folder: str | Path, info: DatasetInfo, spec: FrameSpec) -> None:
    """Refuse a sample rate that a dataset does not have; any hop can be read.

    Raises:
        DdspError: If it is another.
    """
    if info.sample_rate != spec.sample_rate:
        raise DdspError(
            f"the dataset {folder} has a sample rate of {info.sample_rate} Hz, not {spec.sample_rate} Hz: "
            f"prepare the recordings with that one (--set sample_rate={spec.sample_rate}), into another "
            "folder or with --overwrite"
        )


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")
