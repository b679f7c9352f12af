"""The card: what a model file says of itself, whatever its task is.

Here is what every card has; `ddsp_edge.instrument_card` adds what instruments have, and
`ddsp_edge.model.file` reads and writes the files that hold cards.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec

SCHEMA_VERSION = 2
MAX_PORTS = 1000  # of each kind
MAX_RANK = 8
MAX_VALUES = 1 << 26  # in all ports of a kind together: 256 MiB as float32


@dataclass(frozen=True)
class Range:
    """How a feature was distributed over the training data: 5th, 50th and 95th percentile."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Port:
    """A tensor that goes into or comes out of the network in every step; float32.

    Args:
        shape: Its shape. Inputs and outputs begin with 1, the batch: `(1, channels)`.
        meaning: What it holds, in words: unit, range, how it is computed.
    """

    shape: tuple[int, ...]
    meaning: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))


@dataclass(frozen=True, kw_only=True)
class Card:
    """Everything a host must know to run a model.

    The network is the signature `step`, one frame: it takes `inputs` and `states`, and gives `outputs` and
    the next states under the names of the states.

    Args:
        task: What the model is for: `"instrument"`, or another.
        name: Name of the model.
        created: Time of export, ISO 8601.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        inputs: What `step` takes for a frame, by name.
        outputs: What it gives for a frame, by name; empty where the file was written before cards told it.
        states: What is carried from frame to frame, by name; states start at zero.
        extractors: How features of a sound are computed, by the feature's name: `name` of the extractor, and
            its settings.
        about: Plain data of the task's own.
        arrays: Shape of each array in the file, by name.
        config: The configuration the model was trained with.
        quality: What was measured at export, and under `evaluation` what `ddsp-tf evaluate` measured before.
        quantization: How weights are stored: `"int8"`, `"int8-layers"`, `"int8-weights"`, `"float16"`,
            `"float32"` or `"int8-full"`.
        model_bytes: Length of the flatbuffer.
        model_sha256: Hex digest of the flatbuffer.
        schema_version: Version of this schema.
    """

    task: str
    name: str
    created: str
    sample_rate: int
    hop: int
    inputs: dict[str, Port] = field(default_factory=dict)
    outputs: dict[str, Port] = field(default_factory=dict)
    states: dict[str, Port] = field(default_factory=dict)
    extractors: dict[str, dict[str, Any]] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, list[int]] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    quality: dict[str, Any] = field(default_factory=dict)
    quantization: str = "float32"
    model_bytes: int = 0
    model_sha256: str = ""
    schema_version: int = SCHEMA_VERSION

    OPTIONAL: ClassVar[tuple[str, ...]] = ("extractors", "about")
    """Fields that a document may leave out, where the model needs no word of them."""

    @property
    def spec(self) -> FrameSpec:
        """The frame grid of the model."""
        return FrameSpec(self.sample_rate, self.hop)

    def to_json(self) -> str:
        """The card as JSON text."""
        return json.dumps(self.document(), indent=1, sort_keys=True, allow_nan=False)

    def document(self) -> dict[str, Any]:
        """The card as plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any], origin: str) -> Self:
        """Read and check a card from what JSON holds; fields that a later version adds are ignored.

        Args:
            document: The card as plain data, of this version of the schema.
            origin: Name of its file, for errors.

        Raises:
            DdspError: If a field is missing, of the wrong type, or cannot be right.
        """
        document = {**{name: {} for name in cls.OPTIONAL}, **document}
        types = {f.name: f.type if f.type in (str, int) else dict for f in dataclasses.fields(cls)}
        missing = sorted(set(types) - set(document))
        if missing:
            raise DdspError(f"{origin}: its card lacks {', '.join(missing)}")
        for name, kind in types.items():
            if not isinstance(document[name], kind) or isinstance(document[name], bool):  # type: ignore[arg-type]
                raise DdspError(
                    f"{origin}: {name} in its card must be {kind.__name__}. "  # type: ignore[union-attr]
                    f"Received: {str(document[name])[:60]!r}"
                )
        values = {name: document[name] for name in types}
        for name in ("inputs", "outputs", "states"):
            values[name] = _ports(values[name], name, origin)
        both = sorted(set(values["states"]) & {*values["inputs"], *values["outputs"]})
        if both:
            raise DdspError(
                f"{origin}: its card names {', '.join(both)[:150]} as a state and as something else"
            )
        for name, settings in values["extractors"].items():
            if not isinstance(settings, dict):
                raise DdspError(f"{origin}: the extractor of {name[:60]!r} in its card must be an object")
        card = cls(**cls.converted(values, origin))
        try:
            _ = card.spec  # refuses a sample rate or hop that cannot be
        except DdspError as error:
            raise DdspError(f"{origin}: its card cannot be right: {error}") from error
        card.check(origin)
        return card

    @classmethod
    def converted(cls, values: dict[str, Any], origin: str) -> dict[str, Any]:
        """Turn plain data of a task's own fields into what the card holds of them; may raise `DdspError`."""
        return values

    def check(self, origin: str) -> None:
        """Raise `DdspError` where what a task says of its own cannot be right."""


def range_from(document: Any, name: str, origin: str) -> Range:
    """Read a range, finite and rising, from plain data.

    Raises:
        DdspError: If it is none.
    """
    try:
        found = Range(**{key: float(document[key]) for key in ("low", "median", "high")})
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DdspError(f"{origin}: {name} in its card needs low, median and high") from error
    if not -math.inf < found.low <= found.median <= found.high < math.inf:
        raise DdspError(f"{origin}: {name} in its card must rise from low to high: {found}")
    return found


def _ports(document: dict[str, Any], kind: str, origin: str) -> dict[str, Port]:
    """Read ports of a kind (`inputs` ...), each with a shape that can be."""
    if len(document) > MAX_PORTS:
        raise DdspError(f"{origin}: {kind} in its card are {len(document)}; at most {MAX_PORTS} are read")
    ports: dict[str, Port] = {}
    for name, port in document.items():
        given = port if isinstance(port, dict) else {}
        shape: Any = given.get("shape")
        meaning = given.get("meaning", "" if given else None)
        what = f"{origin}: {name[:60]!r} of the {kind} in its card"
        if not isinstance(meaning, str):
            raise DdspError(f"{what} must have a shape and a meaning. Received: {str(port)[:60]!r}")
        if not is_shape(shape) or (kind != "states" and shape[:1] != [1]):
            begins = "" if kind == "states" else ", of which the first is 1"
            raise DdspError(
                f"{what} has the impossible shape {str(shape)[:60]}: it must be 1 to {MAX_RANK} sizes above "
                f"0{begins}"
            )
        ports[name] = Port(tuple(shape), meaning)
        if sum(math.prod(p.shape) for p in ports.values()) > MAX_VALUES:
            raise DdspError(f"{what} brings them to more than {MAX_VALUES} values, which is the limit")
    return ports


def is_shape(shape: Any) -> bool:
    """Whether plain data is the shape of a tensor: 1 to 8 whole sizes above 0."""
    return (
        isinstance(shape, list)
        and 1 <= len(shape) <= MAX_RANK
        and all(type(size) is int and size > 0 for size in shape)
    )
