"""`dataset.json` of schema 2: one sound with its pitch and loudness on one grid."""

import typing
from dataclasses import dataclass
from typing import Any

from ddsp_edge.card import Range
from ddsp_tf.data.records.parts import FileResult, Shard, build_part
from ddsp_tf.data.records.schema import SCHEMA_VERSION
from ddsp_tf.frames import FrameSpec


@dataclass(frozen=True)
class _Schema2:
    """The fields of schema 2: one sound with its pitch and loudness on one grid."""

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


def upgraded(document: dict[str, Any], origin: str) -> dict[str, Any]:
    """A description of schema 2 as one of schema 3, in plain data."""
    old = typing.cast("_Schema2", build_part(_Schema2, document, origin))
    FrameSpec(old.sample_rate, old.hop)  # refuses a grid that cannot be
    form = {"hop": old.hop, "shape": []}
    return {
        **{name: document[name] for name in ("sample_rate", "train_seconds", "validation_seconds")},
        **{name: document[name] for name in ("shards", "files")},
        "sounds": {"audio": old.audio},
        "features": {"f0_hz": form, "voicing": form, "loudness_db": form},
        "extractors": {"f0_hz": old.f0_estimator, "loudness_db": {"name": old.loudness}},
        "statistics": {name: document[name] for name in ("f0_hz_range", "loudness_db_range", "voiced_share")},
        "settings": pitched_settings(
            sample_rate=old.sample_rate,
            hop=old.hop,
            audio=old.audio,
            passage_seconds=old.passage_seconds,
            validation_share=old.validation_share,
            f0_estimator=old.f0_estimator,
            loudness=old.loudness,
        ),
        "schema_version": SCHEMA_VERSION,
    }


def pitched_settings(
    *,
    sample_rate: int,
    hop: int,
    audio: str,
    passage_seconds: float,
    validation_share: float,
    f0_estimator: dict[str, Any],
    loudness: str,
) -> dict[str, Any]:
    """What records with pitch and loudness depend on besides the recordings, under names for a user."""
    return {
        "sample_rate": sample_rate,
        "hop of the features": hop,
        "data.audio": audio,
        "data.passage_seconds": passage_seconds,
        "data.validation_share": validation_share,
        **{f"f0 estimator's {name}": value for name, value in f0_estimator.items()},
        "loudness": loudness,
    }
