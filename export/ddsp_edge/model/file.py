"""Model files: a flatbuffer, its card and its arrays, in one file.

A `.tflite` of ours is a plain TensorFlow Lite flatbuffer with a zip archive appended, the convention
that readers of TFLite metadata use: the flatbuffer ends where the archive begins, and neither reader
minds the other. The archive holds `metadata.json` (the card) and one raw file for each array that a host
needs beside the network (the impulse response of a reverb): `NAME.f16`, little-endian float16, where that
holds all of its values exactly, and `NAME.f32` otherwise. A file of the plug-in DDSP-VST is read too, see
`ddsp_edge.model.vst`.
"""

import dataclasses
import hashlib
import io
import json
import math
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from ddsp_edge.atomic import written_whole
from ddsp_edge.card import SCHEMA_VERSION, Card
from ddsp_edge.errors import DdspError
from ddsp_edge.instrument_card import TASK as INSTRUMENT
from ddsp_edge.instrument_card import InstrumentCard, from_schema_1
from ddsp_edge.model.vst import vst_card, vst_metadata, vst_ports
from ddsp_edge.shipped import model_path
from ddsp_edge.units import Array

CARDS: dict[str, type[Card]] = {INSTRUMENT: InstrumentCard}
"""Cards of tasks that have fields of their own; every other task has the fields of `Card`."""

CARD_NAME = "metadata.json"
MAX_CARD_BYTES = 4 << 20
MAX_ARRAY_BYTES = 64 << 20  # all arrays together: five minutes of impulse response at 48 kHz
MAX_FILE_BYTES = 1 << 30

_OF_DDSP_VST = ("num_noise_amps", "export_time")  # in the metadata of that plug-in's files, and not in ours

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

AnyCard = TypeVar("AnyCard", bound=Card, covariant=True)
Written = TypeVar("Written", bound=Card)


@dataclass(frozen=True)
class ModelFile(Generic[AnyCard]):
    """A model file in memory: the flatbuffer, its card and its arrays."""

    model: bytes
    card: AnyCard
    arrays: dict[str, Array]


def write_model_file(path: str | Path, model: bytes, card: Written, arrays: dict[str, Array]) -> Written:
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
            member, stored = _stored(name, value)
            out.writestr(member, stored)
    try:
        with written_whole(path) as beside:
            beside.write_bytes(archive.getvalue())
    except OSError as error:
        raise DdspError(f"{path} cannot be written: {error.strerror}") from error
    return card


def read_model_file(path: str | Path) -> ModelFile[Card]:
    """Read a model file of any task, or that of a name that comes along, and check it before anything runs.

    Raises:
        DdspError: If the file is missing, no TFLite file, cut short, damaged or has no card.
    """
    path = model_path(path)
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
        ports = vst_ports(data)
    except DdspError as error:
        raise DdspError(f"{path}: {error}") from error
    if ports is not None and (file := _vst_file(data, path)) is not None:
        return file
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if CARD_NAME not in archive.namelist():
                raise DdspError(f"{path} has no card: {CARD_NAME} is not in it")
            text = _member(archive, CARD_NAME, MAX_CARD_BYTES, path).decode()
            card = read_card(text, str(path))
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


def _vst_file(data: bytes, path: Path) -> ModelFile[Card] | None:
    """A file of the plug-in DDSP-VST, with a card made of its metadata; None where it has a card of ours."""
    document, end = None, len(data)
    if zipfile.is_zipfile(io.BytesIO(data)):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                end = min((info.header_offset for info in archive.infolist()), default=end)
                if CARD_NAME in archive.namelist():
                    text = _member(archive, CARD_NAME, MAX_CARD_BYTES, path).decode()
                    document = vst_metadata(text, path)
        except DdspError:
            raise
        except _DAMAGE as error:
            raise DdspError(f"{path}: the metadata of this file of DDSP-VST cannot be read") from error
    if document is not None and "schema_version" in document:  # `ddsp-tf expression` gave it one
        return None
    model, card = data[:end], vst_card(document, path)
    digest = hashlib.sha256(model).hexdigest()
    return ModelFile(model, dataclasses.replace(card, model_bytes=end, model_sha256=digest), {})


def read_instrument_file(path: str | Path) -> ModelFile[InstrumentCard]:
    """Read the model file of an instrument, for what plays instruments.

    Raises:
        DdspError: As `read_model_file`, and if the model is for another task.
    """
    file = read_model_file(path)
    if not isinstance(file.card, InstrumentCard):
        raise DdspError(
            f"{path} is a model for the task {file.card.task[:60]!r}, not an instrument: `ddsp-edge info` "
            "tells what it is"
        )
    return ModelFile(file.model, file.card, file.arrays)


def read_card(text: str, origin: str) -> Card:
    """Read and check a card of any task, of this schema or of schema 1.

    A card of schema 1 becomes the card of this schema that says the same.

    Args:
        text: The JSON.
        origin: Name of its file, for errors.

    Raises:
        DdspError: If it is no JSON, of another schema, or a field is missing, of the wrong type, or cannot be
            right.
    """
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DdspError(f"{origin}: its card is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise DdspError(f"{origin}: its card is not a JSON object")
    if "schema_version" not in document and all(name in document for name in _OF_DDSP_VST):
        raise DdspError(
            f"{origin} has metadata of the plug-in DDSP-VST and not its tensors (call_f0_scaled:0 and six "
            "more): the plug-in does not play it either. Export it again"
        )
    version = document.get("schema_version")
    if type(version) is int and version == 1:
        document = from_schema_1(document)
    elif version != SCHEMA_VERSION or type(version) is not int:
        raise DdspError(
            f"{origin}: its card has schema version {repr(version)[:60]}; this version of ddsp_tf reads 1 "
            f"and {SCHEMA_VERSION}. Export the model again, or update ddsp_tf"
        )
    kind = CARDS.get(str(document.get("task")), Card)
    return kind.from_document(document, origin)


def _stored(name: str, value: Array) -> tuple[str, bytes]:
    """Name and bytes of the member that holds an array."""
    whole = np.ascontiguousarray(value, "<f4")
    with np.errstate(over="ignore"):
        half = whole.astype("<f2")
    if np.array_equal(half.astype("<f4"), whole):
        return f"{name}.f16", half.tobytes()
    return f"{name}.f32", whole.tobytes()


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
    half = f"{name}.f16" in archive.namelist()
    data = _member(archive, f"{name}.f16" if half else f"{name}.f32", MAX_ARRAY_BYTES, path)
    if len(data) != (2 if half else 4) * math.prod(shape):
        raise DdspError(f"{path}: array {name} has {len(data)} bytes, not what {shape} needs")
    values = np.frombuffer(data, "<f2" if half else "<f4").astype(np.float32).reshape(shape)
    if not np.isfinite(values).all():
        raise DdspError(f"{path}: array {name} holds values that are not finite")
    return values
