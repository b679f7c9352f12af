"""The record: one passage of a recording with its features, as a `tf.train.Example`.

| feature          | kind        | what it holds                                                        |
| ---------------- | ----------- | -------------------------------------------------------------------- |
| `schema_version` | int64       | 1                                                                    |
| `audio`          | bytes       | int16, little-endian, `n_frames * hop` samples, full scale 32768     |
| `f0_hz`          | bytes       | float32, little-endian, `n_frames`; 0 where there is no pitch        |
| `voicing`        | bytes       | float32, little-endian, `n_frames`, 0 to 1                           |
| `loudness_db`    | bytes       | float32, little-endian, `n_frames`                                   |
| `held_f0_hz`     | float       | the last f0 before the passage, Hz; 0 where there was none           |
| `source`         | bytes       | name of the recording, UTF-8                                         |
| `first_sample`   | int64       | sample of the recording, at `sample_rate`, that the passage begins with |
| `sample_rate`    | int64       | Hz                                                                   |
| `hop`            | int64       | samples a frame                                                      |
| `n_frames`       | int64       | frames of the passage                                                |

Frame `i` stands for sample `(i + 1) * hop` of the passage.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError

SCHEMA_VERSION = 1
"""Version of records and of `dataset.json`; one that is not known is refused."""

_INTEGERS = ("schema_version", "first_sample", "sample_rate", "hop", "n_frames")
_ARRAYS = {"audio": "<i2", "f0_hz": "<f4", "voicing": "<f4", "loudness_db": "<f4"}


@dataclass(frozen=True)
class Record:
    """A passage as it is stored; see the module's table for the fields.

    Args:
        audio: int16 `[n_frames * hop]`.
        f0_hz: float32 `[n_frames]`, 0 where there is no pitch.
        voicing: float32 `[n_frames]`.
        loudness_db: float32 `[n_frames]`.
        held_f0_hz: Last f0 before the passage, Hz, or 0.
        source: Name of the recording.
        first_sample: Integer, where in the recording the passage begins.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
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

    @property
    def n_frames(self) -> int:
        """Frames of the passage."""
        return len(self.f0_hz)

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
        )


def serialize(record: Record) -> bytes:
    """Encode a record as a serialised `tf.train.Example`."""
    import tensorflow as tf

    def integer(value: int) -> Any:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    def data(value: bytes) -> Any:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    numbers = {
        "schema_version": SCHEMA_VERSION,
        "first_sample": record.first_sample,
        "sample_rate": record.sample_rate,
        "hop": record.hop,
        "n_frames": record.n_frames,
    }
    features = {name: integer(value) for name, value in numbers.items()}
    for name, kind in _ARRAYS.items():
        features[name] = data(np.ascontiguousarray(getattr(record, name), kind).tobytes())
    features["source"] = data(record.source.encode("utf-8", "surrogateescape"))
    features["held_f0_hz"] = tf.train.Feature(float_list=tf.train.FloatList(value=[record.held_f0_hz]))
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(example.SerializeToString(deterministic=True))


def parse(serialized: bytes) -> Record:
    """Decode a record.

    Raises:
        DdspError: If it is no record, of another schema version, or contradicts itself; the message
            does not say where it was found.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    try:
        feature = tf.train.Example.FromString(serialized).features.feature
        numbers = {name: int(feature[name].int64_list.value[0]) for name in _INTEGERS}
        if numbers["schema_version"] != SCHEMA_VERSION:
            raise DdspError(
                f"a record has schema version {numbers['schema_version']}; this version of ddsp_tf reads "
                f"{SCHEMA_VERSION}"
            )
        arrays = {
            name: np.frombuffer(feature[name].bytes_list.value[0], kind) for name, kind in _ARRAYS.items()
        }
        held_f0_hz = float(feature["held_f0_hz"].float_list.value[0])
        source = feature["source"].bytes_list.value[0].decode("utf-8", "surrogateescape")
    except (DecodeError, IndexError) as error:
        raise DdspError("a record lacks fields: it was not written by `ddsp-tf prepare`") from error
    except DdspError:
        raise
    except ValueError as error:  # numpy, on bytes that are no whole number of values
        raise DdspError(f"a record contradicts itself: {error}") from error
    n_frames, hop = numbers["n_frames"], numbers["hop"]
    wanted = {"audio": n_frames * hop, "f0_hz": n_frames, "voicing": n_frames, "loudness_db": n_frames}
    for name, length in wanted.items():
        if len(arrays[name]) != length:
            raise DdspError(f"a record has {len(arrays[name])} values of {name} where {length} belong")
    return Record(
        **arrays,
        held_f0_hz=held_f0_hz,
        source=source,
        first_sample=numbers["first_sample"],
        sample_rate=numbers["sample_rate"],
        hop=hop,
    )
