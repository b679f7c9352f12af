"""The card: what a model file says of itself.

A `.tflite` of ours is a plain TensorFlow Lite flatbuffer with a zip archive appended, the convention
that readers of TFLite metadata use: the flatbuffer ends where the archive begins, and neither reader
minds the other. The archive holds `metadata.json` (the card) and one raw file, little-endian float32,
for each array that the synthesizer needs beside the network (the impulse response of a reverb).
"""

import dataclasses
import hashlib
import io
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.atomic import written_whole
from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import Array

SCHEMA_VERSION = 1
CARD_NAME = "metadata.json"
MAX_CARD_BYTES = 4 << 20
MAX_ARRAY_BYTES = 64 << 20  # all arrays together: five minutes of impulse response at 48 kHz
MAX_FILE_BYTES = 1 << 30

# What zipfile raises for damaged archives: besides its own error that of the decompressor, RuntimeError
# where a password is asked for, and what wild offsets and texts give.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True)
class Range:
    """How a feature was distributed over the training data: 5th, 50th and 95th percentile."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Card:
    """Everything a host must know to play a model.

    Args:
        name: Name of the instrument.
        created: Time of export, ISO 8601.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        feature_scaling: How each input of the network is computed, by input name.
        f0_estimator: Name and settings of the pitch estimator that made the training data.
        loudness: Definition of loudness that made the training data.
        f0_hz_range: Fundamental frequencies of the training data (voiced frames), Hz.
        loudness_db_range: Loudness of the training data, dB.
        state_shapes: Shape of each state of the network's `step`, by name; states start at zero.
        synthesizer: The processor group: `{"nodes": [{"name", "type", "config", "inputs"}, ...],
            "output": name}`, in an order in which it can be run. An input names a node, an output of
            `step`, or `f0_hz`.
        mix: Weights of the instruments that it plays, by name, where the model was trained on several.
        synthesis_state_shapes: Shape of each state of the synthesizer inside the model, by name, where the
            model has the signatures `synthesize` and `play`; they start at zero.
        voice: Of the signature `voice`, where the model has it: size of its state, and the nodes whose gains
            and white noise it takes and the rooms that it leaves out, in order (`state_size`, `gains`,
            `noises`, `rooms`).
        arrays: Shape of each array in the file, by name.
        config: The configuration the model was trained with.
        quality: What was measured at export, and under `evaluation` what `ddsp-tf evaluate` measured before.
        quantization: How weights are stored: `"int8"`, `"int8-weights"`, `"float16"`, `"float32"` or
            `"int8-full"`.
        model_bytes: Length of the flatbuffer.
        model_sha256: Hex digest of the flatbuffer.
        schema_version: Version of this schema.
    """

    name: str
    created: str
    sample_rate: int
    hop: int
    feature_scaling: dict[str, str]
    f0_estimator: dict[str, Any]
    loudness: str
    f0_hz_range: Range
    loudness_db_range: Range
    state_shapes: dict[str, list[int]]
    synthesizer: dict[str, Any]
    mix: dict[str, float] = field(default_factory=dict)
    synthesis_state_shapes: dict[str, list[int]] = field(default_factory=dict)
    voice: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, list[int]] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    quality: dict[str, Any] = field(default_factory=dict)
    quantization: str = "float32"
    model_bytes: int = 0
    model_sha256: str = ""
    schema_version: int = SCHEMA_VERSION

    @property
    def spec(self) -> FrameSpec:
        """The frame grid of the model."""
        return FrameSpec(self.sample_rate, self.hop)

    def to_json(self) -> str:
        """The card as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str, origin: str) -> "Card":
        """Read and check a card; `origin` names its file in errors.

        Raises:
            DdspError: If a field is missing, of the wrong type, or of a later schema.
        """
        try:
            document = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise DdspError(f"{origin}: its card is not valid JSON: {error}") from error
        if not isinstance(document, dict):
            raise DdspError(f"{origin}: its card is not a JSON object")
        version = document.get("schema_version")
        if version != SCHEMA_VERSION:
            raise DdspError(
                f"{origin}: its card has schema version {version!r}; this version of ddsp_tf reads "
                f"{SCHEMA_VERSION}. Export the model again, or update ddsp_tf"
            )
        # A model without these needs no word of them.
        document = {"mix": {}, "synthesis_state_shapes": {}, "voice": {}, **document}
        types = _FIELD_TYPES
        missing = sorted(set(types) - set(document))
        if missing:
            raise DdspError(f"{origin}: its card lacks {', '.join(missing)}")
        for name, kind in types.items():
            if not isinstance(document[name], kind) or isinstance(document[name], bool):
                raise DdspError(
                    f"{origin}: {name} in its card must be {kind.__name__}. "
                    f"Received: {str(document[name])[:60]!r}"
                )
        values = {name: document[name] for name in types}  # what a later version adds is ignored
        for name in ("f0_hz_range", "loudness_db_range"):
            try:
                values[name] = Range(**{k: float(values[name][k]) for k in ("low", "median", "high")})
            except (KeyError, TypeError, ValueError) as error:
                raise DdspError(f"{origin}: {name} in its card needs low, median and high") from error
            if not -np.inf < values[name].low <= values[name].median <= values[name].high < np.inf:
                raise DdspError(f"{origin}: {name} in its card must rise from low to high: {values[name]}")
        card = cls(**values)
        try:
            _ = card.spec  # refuses a sample rate or hop that cannot be
        except DdspError as error:
            raise DdspError(f"{origin}: its card cannot be right: {error}") from error
        # What has no pitch begins there, in float32.
        middle_hz, highest_hz = card.f0_hz_range.median, card.sample_rate / 2
        if not (middle_hz <= highest_hz and np.float32(middle_hz) > 0.0):
            raise DdspError(
                f"{origin}: the median of f0_hz_range must be above 0 Hz and at most {highest_hz:g} Hz, not "
                f"{middle_hz}"
            )
        return card


_FIELD_TYPES: dict[str, type] = {
    f.name: f.type if f.type in (str, int) else dict for f in dataclasses.fields(Card)
}


@dataclass(frozen=True)
class ModelFile:
    """A model file in memory: the flatbuffer, its card and its arrays."""

    model: bytes
    card: Card
    arrays: dict[str, Array]


def write_model_file(path: str | Path, model: bytes, card: Card, arrays: dict[str, Array]) -> Card:
    """Write flatbuffer, card and arrays as one file, beside and renamed; return the card written."""
    path = Path(path)
    card = dataclasses.replace(
        card,
        arrays={name: list(value.shape) for name, value in arrays.items()},
        model_bytes=len(model),
        model_sha256=hashlib.sha256(model).hexdigest(),
    )
    archive = io.BytesIO()
    archive.write(model)
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as out:
        # As it is, for hosts that have nothing to unpack it with.
        out.writestr(CARD_NAME, card.to_json(), compress_type=zipfile.ZIP_STORED)
        for name, value in arrays.items():
            out.writestr(f"{name}.f32", np.ascontiguousarray(value, "<f4").tobytes())
    try:
        with written_whole(path) as beside:
            beside.write_bytes(archive.getvalue())
    except OSError as error:
        raise DdspError(f"{path} cannot be written: {error.strerror}") from error
    return card


def read_model_file(path: str | Path) -> ModelFile:
    """Read a model file and check all of it before anything runs.

    Raises:
        DdspError: If the file is missing, no TFLite file, cut short, damaged or has no card.
    """
    path = Path(path)
    if path.is_dir():
        raise DdspError(f"{path} is a folder, not an instrument: name a .tflite file")
    if not path.is_file():
        raise DdspError(f"{path}: no such file")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise DdspError(f"{path} is larger than {MAX_FILE_BYTES >> 20} MiB: not one of our models")
    data = path.read_bytes()
    if data[4:8] != b"TFL3":  # the file identifier of a TFLite flatbuffer
        raise DdspError(f"{path} is not a TFLite file (it does not begin with a TFL3 flatbuffer)")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if CARD_NAME not in archive.namelist():
                raise DdspError(f"{path} has no card: {CARD_NAME} is not in it")
            text = _member(archive, CARD_NAME, MAX_CARD_BYTES, path).decode()
            card = Card.from_json(text, str(path))
            arrays: dict[str, Array] = {}
            for name, shape in card.arrays.items():
                arrays[name] = _array(archive, name, shape, path)
                if sum(a.nbytes for a in arrays.values()) > MAX_ARRAY_BYTES:
                    raise DdspError(f"{path}: its arrays need more than {MAX_ARRAY_BYTES >> 20} MiB")
    except DdspError:
        raise
    except _DAMAGE as error:
        raise DdspError(
            f"{path} has no card that can be read: it is cut short, damaged, or was not exported by ddsp_tf"
        ) from error
    model = data[: card.model_bytes]
    if hashlib.sha256(model).hexdigest() != card.model_sha256:
        raise DdspError(f"{path} is damaged: the network is not the one its card was written for")
    return ModelFile(model, card, arrays)


def _member(archive: zipfile.ZipFile, name: str, limit: int, path: Path) -> bytes:
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise DdspError(f"{path} is not complete: its card names {name}, which is not in it") from error
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DdspError(f"{path}: {name} is packed by method {info.compress_type}; only deflate is read")
    if info.file_size > limit:
        raise DdspError(f"{path}: {name} claims {info.file_size} bytes; at most {limit} are read")
    with archive.open(info) as file:
        return file.read(limit)


def _array(archive: zipfile.ZipFile, name: str, shape: Any, path: Path) -> Array:
    whole = isinstance(shape, list) and all(type(n) is int and n > 0 for n in shape)
    if not whole or 4 * int(np.prod(shape, dtype=np.float64)) > MAX_ARRAY_BYTES:
        raise DdspError(f"{path}: array {name} has the impossible shape {shape!r}")
    data = _member(archive, f"{name}.f32", MAX_ARRAY_BYTES, path)
    if len(data) != 4 * int(np.prod(shape)):
        raise DdspError(f"{path}: array {name} has {len(data)} bytes, not what {shape} needs")
    values = np.frombuffer(data, "<f4").astype(np.float32).reshape(shape)
    if not np.isfinite(values).all():
        raise DdspError(f"{path}: array {name} holds values that are not finite")
    return values
