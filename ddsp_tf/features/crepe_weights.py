"""Published CREPE weights: read from a file that nobody vouches for.

The files are Keras 2 HDF5, one group a layer (`conv1`, `conv1-BN`, ..., `classifier`), as in the
releases of the authors (MIT licence), plain or packed with bzip2.
"""

import bz2
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError

BINS = 360
WINDOW = 1024
"""Samples at 16 kHz that one estimate sees."""

CAPACITIES = {"tiny": 4, "small": 8, "medium": 16, "large": 24, "full": 32}
"""Multiplier of the number of filters, by published name."""

WIDTHS = (512, 64, 64, 64, 64, 64)
FIRST_STRIDE = 4  # of the first convolution; the others have 1
_FILTERS = (32, 4, 4, 4, 8, 16)  # times the capacity

# Full capacity is 89 MB of weights; older files hold the optimizer's two moments besides.
_MAX_BYTES = 400_000_000
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_NORM = ("gamma", "beta", "moving_mean", "moving_variance")


@dataclass(frozen=True)
class CrepeWeights:
    """The numbers of a CREPE network.

    Args:
        capacity: Name of the capacity, `"tiny"` to `"full"`.
        sha256: Hash of the file as it was given, hexadecimal.
        layers: Weights by layer name, in the order in which Keras takes them.
    """

    capacity: str
    sha256: str
    layers: dict[str, list[Array]]


def filters(capacity: str) -> tuple[int, ...]:
    """Number of filters of the six convolutions."""
    return tuple(CAPACITIES[capacity] * f for f in _FILTERS)


def read_crepe_weights(path: Path) -> CrepeWeights:
    """Read and check a weights file.

    Raises:
        DdspError: If the file is missing, too large, no HDF5, or does not hold the weights of one of the
            published capacities.
    """
    packed = _read(path)
    data = _unpack(packed, path) if packed[:3] == b"BZh" else packed
    if not data.startswith(_HDF5_SIGNATURE):
        raise DdspError(f"{path} is not an HDF5 file (.h5 or .h5.bz2) of CREPE weights")
    try:
        layers = _layers(data, path)
    except DdspError:
        raise  # it is a ValueError too
    # h5py reports damage in all of these ways, depending on where the file is broken.
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise DdspError(f"{path} is damaged or not a file of CREPE weights: {_line(error)}") from error
    except (ArithmeticError, MemoryError) as error:  # sizes that no machine has
        raise DdspError(f"{path} is damaged: {_line(error)}") from error
    count = layers["conv1"][0].shape[-1]
    capacity = next((name for name in CAPACITIES if filters(name)[0] == count), None)
    if capacity is None:
        known = ", ".join(f"{filters(name)[0]} ({name})" for name in CAPACITIES)
        raise DdspError(f"{path}: conv1 must have one of {known} filters. Received: {count}")
    _check_shapes(layers, capacity, path)
    return CrepeWeights(capacity, hashlib.sha256(packed).hexdigest(), layers)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise DdspError(f"CREPE weights {path} cannot be read: {error.strerror or error}") from error
    if len(data) > _MAX_BYTES:
        raise DdspError(f"{path} is larger than {_MAX_BYTES} bytes: no CREPE weights are")
    return data


def _unpack(packed: bytes, path: Path) -> bytes:
    unpacker = bz2.BZ2Decompressor()
    try:
        data = unpacker.decompress(packed, max_length=_MAX_BYTES)
    except OSError as error:
        raise DdspError(f"{path} is damaged: {error}") from error
    if not unpacker.eof:
        large = len(data) >= _MAX_BYTES
        reason = f"unpacks to more than {_MAX_BYTES} bytes" if large else "is cut short"
        raise DdspError(f"{path} {reason}: not a file of CREPE weights")
    return data


def _layers(data: bytes, path: Path) -> dict[str, list[Array]]:
    import h5py

    with h5py.File(io.BytesIO(data), "r") as file:
        root = file.get("model_weights", file)  # where Keras puts them in a whole saved model
        names: dict[str, tuple[str, ...]] = {}
        for block in range(1, len(WIDTHS) + 1):
            names[f"conv{block}"] = ("kernel", "bias")
            names[f"conv{block}-BN"] = _NORM
        names["classifier"] = ("kernel", "bias")
        return {
            layer: [_dataset(root, layer, kind, path) for kind in kinds] for layer, kinds in names.items()
        }


def _dataset(root: object, layer: str, kind: str, path: Path) -> Array:
    import h5py

    if not isinstance(root, h5py.Group) or not isinstance(root.get(layer), h5py.Group):
        raise DdspError(f"{path} has no layer {layer}: not a file of CREPE weights")
    found: list[h5py.Dataset] = []

    def visit(name: str, item: object) -> None:
        # Named `conv1_3/kernel:0`; the number differs between the published files.
        if isinstance(item, h5py.Dataset) and name.rsplit("/", 1)[-1].split(":")[0] == kind:
            found.append(item)

    root[layer].visititems(visit)
    if len(found) != 1:
        raise DdspError(f"{path}: layer {layer} must have one {kind}. Received: {len(found)}")
    if found[0].dtype.kind != "f" or 4 * found[0].size > _MAX_BYTES:
        raise DdspError(f"{path}: {layer} {kind} must be real numbers, fewer than {_MAX_BYTES // 4}")
    values = np.asarray(found[0][()], np.float32)
    if not np.all(np.isfinite(values)):
        raise DdspError(f"{path}: {layer} {kind} has values that are not finite")
    return values


def _check_shapes(layers: dict[str, list[Array]], capacity: str, path: Path) -> None:
    expected: dict[str, list[tuple[int, ...]]] = {}
    channels = 1
    for block, (width, count) in enumerate(zip(WIDTHS, filters(capacity), strict=True), start=1):
        expected[f"conv{block}"] = [(width, 1, channels, count), (count,)]
        expected[f"conv{block}-BN"] = [(count,)] * 4
        channels = count
    expected["classifier"] = [(4 * channels, BINS), (BINS,)]
    for layer, shapes in expected.items():
        received = [value.shape for value in layers[layer]]
        if received != shapes:
            raise DdspError(
                f"{path}: layer {layer} of CREPE {capacity} must have shapes {shapes}. Received: {received}"
            )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
