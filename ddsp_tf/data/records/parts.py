"""The parts of `dataset.json`, and how plain data becomes them."""

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any

from ddsp_tf.errors import DdspError


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
class FeatureForm:
    """What the values of a feature look like.

    Args:
        hop: Integer, samples from row to row; 0 for a table on no grid.
        shape: Integers, shape of a row; empty for one number.
    """

    hop: int
    shape: tuple[int, ...] = ()


def build_part(kind: Any, value: Any, where: str) -> Any:
    """Turn plain JSON values into the dataclass, dict, tuple or scalar that `kind` names.

    Raises:
        DdspError: If a field is missing or of another type; `where` names the place.
    """
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise DdspError(f"{where} must be an object. Received: {str(value)[:60]!r}")
        hints = typing.get_type_hints(kind)
        if missing := sorted(set(hints) - set(value)):
            raise DdspError(f"{where} lacks {', '.join(missing)}")
        fields = {name: build_part(hint, value[name], f"{where}: {name}") for name, hint in hints.items()}
        return typing.cast("Any", kind)(**fields)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(build_part(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        if arguments[1] is Any:
            return value
        return {name: build_part(arguments[1], item, f"{where}.{name}") for name, item in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if origin is None and isinstance(value, kind) and not isinstance(value, bool):
        return value
    name = {tuple: "list", dict: "object"}.get(origin, getattr(kind, "__name__", str(kind)))
    raise DdspError(f"{where} must be {name}. Received: {str(value)[:60]!r}")
