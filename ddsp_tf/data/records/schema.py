"""The record: one passage of a recording with its features, as a `tf.train.Example`.

| feature          | kind  | what it holds                                                                |
| ---------------- | ----- | ---------------------------------------------------------------------------- |
| `schema_version` | int64 | 3                                                                            |
| `layout`         | bytes | JSON: format of each sound by name, `hop` and `shape` of each feature by name |
| `sound/NAME`     | bytes | `n_samples` samples in the format of the layout, little-endian               |
| `feature/NAME`   | bytes | float32, little-endian, of the shape of the layout                           |
| `notes`          | bytes | JSON: what else is known of the passage, plain data                          |
| `source`         | bytes | name of the recording, UTF-8                                                 |
| `group`          | bytes | of which group of recordings it is, UTF-8; empty where there is one          |
| `first_sample`   | int64 | sample of the recording, at `sample_rate`, that the passage begins with      |
| `sample_rate`    | int64 | Hz, of all its sounds                                                        |
| `n_samples`      | int64 | samples of each of its sounds                                                |

A feature with a hop has a row for each hop: row `i` stands for sample `(i + 1) * hop` of the passage. One of
hop 0 is on no grid: a table, of notes for instance. Records of schema 2, which hold one sound, its pitch and
its loudness, are read as such records.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.records.example import Value, decode_example, encode_example
from ddsp_tf.errors import DdspError

SCHEMA_VERSION = 3
"""Version of records and of `dataset.json` that are written."""
READ_VERSIONS = (2, 3)
"""Versions that are read; others are refused."""

AUDIO_FORMATS = {"int16": "<i2", "float32": "<f4"}
"""How a sound may be stored, full scale 32768 or 1, and what numpy calls it."""

MAX_DIMENSIONS = 4
_SOUND, _FEATURE = "sound/", "feature/"
_SCHEMA_2_FEATURES = ("f0_hz", "voicing", "loudness_db")

_T = TypeVar("_T", bytes, float, int)


@dataclass(frozen=True)
class Feature:
    """Values that belong to a passage.

    Args:
        values: float32 `[rows, ...]`.
        hop: Integer, samples from row to row; 0 for a table whose rows are on no grid.
    """

    values: Array
    hop: int


@dataclass(frozen=True)
class Record:
    """A passage as it is stored.

    Args:
        sounds: By name, each int16 or float32 `[n_samples]`; one at least.
        features: By name. A name tells its unit; what ends in `_hz` is never below 0.
        source: Name of the recording.
        first_sample: Integer, where in the recording the passage begins.
        sample_rate: Integer, Hz.
        group: Of which group of recordings it is; empty where there is one.
        notes: What else is known of it, plain data.
    """

    sounds: Mapping[str, Array]
    features: Mapping[str, Feature]
    source: str
    first_sample: int
    sample_rate: int
    group: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n_samples(self) -> int:
        """Samples of each of its sounds."""
        return len(next(iter(self.sounds.values())))

    @property
    def sound_formats(self) -> dict[str, str]:
        """`"int16"` or `"float32"` of each sound, by name."""
        return {name: str(np.asarray(sound).dtype.name) for name, sound in self.sounds.items()}

    def part(self, first: int, end: int) -> "Record":
        """The part from sample `first` up to sample `end`, both whole numbers of every hop.

        Tables on no grid stay as they are.
        """
        return Record(
            {name: sound[first:end] for name, sound in self.sounds.items()},
            {
                name: Feature(f.values[first // f.hop : end // f.hop], f.hop) if f.hop else f
                for name, f in self.features.items()
            },
            self.source,
            self.first_sample + first,
            self.sample_rate,
            self.group,
            self.notes,
        )


def serialize(record: Record) -> bytes:
    """Encode a record as a serialised `tf.train.Example`; equal records give equal bytes."""
    formats = record.sound_formats
    layout = {
        "sounds": formats,
        "features": {
            name: {"hop": feature.hop, "shape": list(feature.values.shape)}
            for name, feature in record.features.items()
        },
    }
    values: dict[str, Value] = {
        "schema_version": SCHEMA_VERSION,
        "layout": _json(layout),
        **{
            _SOUND + name: _bytes(sound, AUDIO_FORMATS[formats[name]])
            for name, sound in record.sounds.items()
        },
        **{_FEATURE + name: _bytes(feature.values, "<f4") for name, feature in record.features.items()},
        "source": record.source.encode("utf-8", "surrogateescape"),
        "group": record.group.encode(),
        "first_sample": record.first_sample,
        "sample_rate": record.sample_rate,
        "n_samples": record.n_samples,
    }
    if record.notes:
        values["notes"] = _json(dict(record.notes))
    return encode_example(dict(sorted(values.items())))


def parse(serialized: bytes) -> Record:
    """Decode a record.

    Raises:
        DdspError: If it is no record, of a schema version that is not read, or contradicts itself; the
            message does not say where it was found.
    """
    try:
        values = decode_example(serialized)
    except ValueError as error:
        raise DdspError(f"what is there is no record of the schema: {error}") from error
    version = _get(values, "schema_version", int)
    if version not in READ_VERSIONS:
        raise DdspError(
            f"a record has schema version {version}; this version of ddsp_tf reads "
            f"{' and '.join(map(str, READ_VERSIONS))}"
        )
    return _parse_2(values) if version == 2 else _parse_3(values)


def _parse_3(values: dict[str, Value]) -> Record:
    layout = _plain(values, "layout")
    formats, shapes = layout.get("sounds"), layout.get("features")
    if not isinstance(formats, dict) or not formats or not isinstance(shapes, dict):
        raise DdspError(f"a record needs a layout of sounds and features. Received: {str(layout)[:60]!r}")
    n_samples, sample_rate = _get(values, "n_samples", int), _get(values, "sample_rate", int)
    if n_samples < 1 or sample_rate < 1:
        raise DdspError(f"a record cannot have {n_samples} samples at {sample_rate} Hz")
    return Record(
        sounds={name: _sound(values, _SOUND + name, kind, n_samples) for name, kind in formats.items()},
        features={name: _feature(values, name, form, n_samples) for name, form in shapes.items()},
        source=_get(values, "source", bytes).decode("utf-8", "surrogateescape"),
        first_sample=_get(values, "first_sample", int),
        sample_rate=sample_rate,
        group=_get(values, "group", bytes).decode("utf-8", "replace"),
        notes=_plain(values, "notes") if "notes" in values else {},
    )


def _parse_2(values: dict[str, Value]) -> Record:
    """One sound, `audio`, with pitch and loudness on one grid."""
    hop, n_frames, sample_rate = (_get(values, name, int) for name in ("hop", "n_frames", "sample_rate"))
    if n_frames < 1 or hop < 1 or sample_rate < 1:
        raise DdspError(f"a record cannot have {n_frames} frames with hop {hop} at {sample_rate} Hz")
    kind = _get(values, "audio_format", bytes).decode("utf-8", "replace")
    held_f0_hz = _get(values, "held_f0_hz", float)
    if not 0.0 <= held_f0_hz < np.inf:
        raise DdspError("a record has values of f0_hz below 0")
    notes: dict[str, Any] = {"held_f0_hz": held_f0_hz}
    if "quality" in values:
        notes["quality"] = _plain(values, "quality")
    return Record(
        sounds={"audio": _sound(values, "audio", kind, n_frames * hop)},
        features={
            name: Feature(_array(values, name, name, "<f4", (n_frames,)), hop) for name in _SCHEMA_2_FEATURES
        },
        source=_get(values, "source", bytes).decode("utf-8", "surrogateescape"),
        first_sample=_get(values, "first_sample", int),
        sample_rate=sample_rate,
        notes=notes,
    )


def _sound(values: dict[str, Value], key: str, kind: Any, n_samples: int) -> Array:
    if kind not in AUDIO_FORMATS:
        raise DdspError(f"a record has audio as {kind!r}; {', '.join(AUDIO_FORMATS)} are known")
    return _array(values, key, key.removeprefix(_SOUND), AUDIO_FORMATS[kind], (n_samples,))


def _feature(values: dict[str, Value], name: str, form: Any, n_samples: int) -> Feature:
    hop, shape = (form.get("hop"), form.get("shape")) if isinstance(form, dict) else (None, None)
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        shape = []
    if type(hop) is not int or hop < 0 or not 1 <= len(shape) <= MAX_DIMENSIONS:
        raise DdspError(f"a record has {name} of the impossible form {str(form)[:60]!r}")
    if hop and shape[0] != n_samples // hop:
        raise DdspError(f"a record has {shape[0]} rows of {name} where {n_samples // hop} belong")
    return Feature(_array(values, _FEATURE + name, name, "<f4", tuple(shape)), hop)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()


def _plain(values: dict[str, Value], name: str) -> dict[str, Any]:
    """An object of JSON, of finite numbers."""
    text = _get(values, name, bytes)
    try:
        document = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise DdspError(f"a record's {name} is not what prepare writes: {text[:60]!r}") from error
    if not isinstance(document, dict):
        raise DdspError(f"a record's {name} is not what prepare writes: {text[:60]!r}")
    return document


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def _bytes(values: Array, kind: str) -> bytes:
    return np.ascontiguousarray(values, kind).tobytes()


def _get(values: dict[str, Value], name: str, kind: type[_T]) -> _T:
    if name not in values:
        raise DdspError(f"a record lacks fields: {name}. docs/dataset.md says what belongs in one")
    value = values[name]
    if not isinstance(value, kind):
        raise DdspError(f"a record's {name} must be {kind.__name__}. Received: {type(value).__name__}")
    return value


def _array(values: dict[str, Value], key: str, name: str, kind: str, shape: tuple[int, ...]) -> Array:
    data = _get(values, key, bytes)
    size, length = np.dtype(kind).itemsize, int(np.prod(shape, dtype=np.float64))
    if len(data) != length * size:
        raise DdspError(f"a record has {len(data) / size:g} values of {name} where {length} belong")
    array = np.frombuffer(data, kind).reshape(shape)
    if kind == "<f4" and not np.isfinite(array).all():
        raise DdspError(f"a record has values of {name} that are not finite numbers")
    if name.endswith("_hz") and array.min(initial=0.0) < 0.0:
        raise DdspError(f"a record has values of {name} below 0")
    return array
