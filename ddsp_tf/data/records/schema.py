"""The record: one passage of a recording with its features, as a `tf.train.Example`.

| feature          | kind        | what it holds                                                        |
| ---------------- | ----------- | -------------------------------------------------------------------- |
| `schema_version` | int64       | 2                                                                    |
| `audio_format`   | bytes       | `int16` (full scale 32768) or `float32` (full scale 1)               |
| `audio`          | bytes       | `n_frames * hop` samples in that format, little-endian               |
| `f0_hz`          | bytes       | float32, little-endian, `n_frames`; 0 where there is no pitch        |
| `voicing`        | bytes       | float32, little-endian, `n_frames`, 0 to 1                           |
| `loudness_db`    | bytes       | float32, little-endian, `n_frames`                                   |
| `held_f0_hz`     | float       | the last f0 before the passage, Hz; 0 where there was none           |
| `source`         | bytes       | name of the recording, UTF-8                                         |
| `first_sample`   | int64       | sample of the recording, at `sample_rate`, that the passage begins with |
| `sample_rate`    | int64       | Hz                                                                   |
| `hop`            | int64       | samples a frame                                                      |
| `n_frames`       | int64       | frames of the passage                                                |
| `quality`        | bytes       | may be missing; JSON, see `ddsp_tf.data.quality.quality`             |

Frame `i` stands for sample `(i + 1) * hop` of the passage.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.quality.quality import Quality
from ddsp_tf.data.records.example import Value, decode_example, encode_example
from ddsp_tf.errors import DdspError

SCHEMA_VERSION = 2
"""Version of records and of `dataset.json`; one that is not known is refused."""

AUDIO_FORMATS = {"int16": "<i2", "float32": "<f4"}
"""How audio may be stored, and what numpy calls it."""

_T = TypeVar("_T", bytes, float, int)
_INTEGERS = ("schema_version", "first_sample", "sample_rate", "hop", "n_frames")
_FEATURES = ("f0_hz", "voicing", "loudness_db")


@dataclass(frozen=True)
class Record:
    """A passage as it is stored; see the module's table for the fields.

    Args:
        audio: int16 or float32 `[n_frames * hop]`.
        f0_hz: float32 `[n_frames]`, 0 where there is no pitch.
        voicing: float32 `[n_frames]`.
        loudness_db: float32 `[n_frames]`.
        held_f0_hz: Last f0 before the passage, Hz, or 0.
        source: Name of the recording.
        first_sample: Integer, where in the recording the passage begins.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        quality: What else was measured, of the whole passage where this is a part; None where nothing was.
    """

    audio: Array
    f0_hz: Array
    voicing: Array
    loudness_db: Array
    held_f0_hz: float
    source: str
    first_sample: int
    sample_rate: int
    hop: int
    quality: Quality | None = None

    @property
    def n_frames(self) -> int:
        """Frames of the passage."""
        return len(self.f0_hz)

    @property
    def audio_format(self) -> str:
        """`"int16"` or `"float32"`."""
        return str(np.asarray(self.audio).dtype.name)

    def frames(self, first: int, end: int) -> "Record":
        """The part of the passage from frame `first` up to frame `end`."""
        before = self.f0_hz[:first][self.f0_hz[:first] > 0]
        return Record(
            self.audio[first * self.hop : end * self.hop],
            self.f0_hz[first:end],
            self.voicing[first:end],
            self.loudness_db[first:end],
            float(before[-1]) if len(before) else self.held_f0_hz,
            self.source,
            self.first_sample + first * self.hop,
            self.sample_rate,
            self.hop,
            self.quality,
        )


def serialize(record: Record) -> bytes:
    """Encode a record as a serialised `tf.train.Example`; equal records give equal bytes."""
    values: dict[str, Value] = {
        "schema_version": SCHEMA_VERSION,
        "audio_format": record.audio_format.encode(),
        "audio": _bytes(record.audio, AUDIO_FORMATS[record.audio_format]),
        **{name: _bytes(getattr(record, name), "<f4") for name in _FEATURES},
        "held_f0_hz": float(record.held_f0_hz),
        "source": record.source.encode("utf-8", "surrogateescape"),
        "first_sample": record.first_sample,
        "sample_rate": record.sample_rate,
        "hop": record.hop,
        "n_frames": record.n_frames,
    }
    if record.quality is not None:
        values["quality"] = record.quality.to_json().encode()
    return encode_example(dict(sorted(values.items())))


def parse(serialized: bytes) -> Record:
    """Decode a record.

    Raises:
        DdspError: If it is no record, of another schema version, or contradicts itself; the message
            does not say where it was found.
    """
    try:
        values = decode_example(serialized)
    except ValueError as error:
        raise DdspError(f"what is there is no record of the schema: {error}") from error
    numbers = {name: _get(values, name, int) for name in _INTEGERS}
    if numbers["schema_version"] != SCHEMA_VERSION:
        raise DdspError(
            f"a record has schema version {numbers['schema_version']}; this version of ddsp_tf reads "
            f"{SCHEMA_VERSION}"
        )
    audio_format = _get(values, "audio_format", bytes).decode("utf-8", "replace")
    if audio_format not in AUDIO_FORMATS:
        raise DdspError(f"a record has audio as {audio_format!r}; {', '.join(AUDIO_FORMATS)} are known")
    n_frames, hop = numbers["n_frames"], numbers["hop"]
    if n_frames < 1 or hop < 1 or numbers["sample_rate"] < 1:
        raise DdspError(
            f"a record cannot have {n_frames} frames with hop {hop} at {numbers['sample_rate']} Hz"
        )
    held_f0_hz = _get(values, "held_f0_hz", float)
    audio = _array(values, "audio", AUDIO_FORMATS[audio_format], n_frames * hop)
    features = {name: _array(values, name, "<f4", n_frames) for name in _FEATURES}
    if features["f0_hz"].min() < 0.0 or not 0.0 <= held_f0_hz < np.inf:
        raise DdspError("a record has values of f0_hz below 0")
    return Record(
        audio=audio,
        **features,
        held_f0_hz=held_f0_hz,
        source=_get(values, "source", bytes).decode("utf-8", "surrogateescape"),
        first_sample=numbers["first_sample"],
        sample_rate=numbers["sample_rate"],
        hop=hop,
        quality=_quality(values),
    )


def _quality(values: dict[str, Value]) -> Quality | None:
    if "quality" not in values:
        return None
    return Quality.from_json(_get(values, "quality", bytes).decode("utf-8", "replace"))


def _bytes(values: Array, kind: str) -> bytes:
    return np.ascontiguousarray(values, kind).tobytes()


def _get(values: dict[str, Value], name: str, kind: type[_T]) -> _T:
    if name not in values:
        raise DdspError(f"a record lacks fields: {name}. docs/dataset.md says what belongs in one")
    value = values[name]
    if not isinstance(value, kind):
        raise DdspError(f"a record's {name} must be {kind.__name__}. Received: {type(value).__name__}")
    return value


def _array(values: dict[str, Value], name: str, kind: str, length: int) -> Array:
    data = _get(values, name, bytes)
    size = np.dtype(kind).itemsize
    if len(data) != length * size:
        raise DdspError(f"a record has {len(data) / size:g} values of {name} where {length} belong")
    array = np.frombuffer(data, kind)
    if kind == "<f4" and not np.isfinite(array).all():
        raise DdspError(f"a record has values of {name} that are not finite numbers")
    return array
