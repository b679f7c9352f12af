"""The card of an instrument: pitch and loudness in, the controls of a synthesizer out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from ddsp_edge.card import SCHEMA_VERSION, Card, Port, Range, is_shape, range_from
from ddsp_edge.errors import DdspError
from ddsp_edge.further import FURTHER, Usual, names_of, scaled_name

TASK = "instrument"
LEVELS = ("loudness", "power")
"""What a network may be told of how loud a sound is: A-weighted loudness, or power."""
FEATURE_SCALING = {
    "f0_scaled": "clip((69 + 12 log2(f0_hz / 440)) / 127, 0, 1)",
    "loudness_scaled": "clip(loudness_db / 80 + 1, 0, 1.25)",
}
"""How a card states the scaling of pitch and level."""
_LEAST_HZ = 2.0**-149  # the smallest number of float32 above 0


@dataclass(frozen=True, kw_only=True)
class InstrumentCard(Card):
    """Everything a host must know to play an instrument, beside what every card has.

    Args:
        feature_scaling: How each input of the network is computed, by input name.
        f0_estimator: Name and settings of the pitch estimator that made the training data.
        loudness: Definition of loudness that made the training data.
        f0_hz_range: Fundamental frequencies of the training data (voiced frames), Hz.
        loudness_db_range: Loudness of the training data, dB.
        state_shapes: Shape of each state of the network's `step`, by name; those of `states`.
        synthesizer: The processor group: `{"nodes": [{"name", "type", "config", "inputs"}, ...],
            "output": name}`, in an order in which it can be run. An input names a node, an output of
            `step`, or `f0_hz`.
        mix: Weights of the instruments that it plays, by name, where the model was trained on several.
        synthesis_state_shapes: Shape of each state of the synthesizer inside the model, by name, where the
            model has the signatures `synthesize` and `play`; they start at zero.
        voice: Of the signature `voice`, where the model has it: size of its state, and the nodes whose gains
            and white noise it takes and the rooms that it leaves out, in order (`state_size`, `gains`,
            `noises`, `rooms`).
        further: What the network takes of a frame beside pitch and loudness, by name, and what that usually
            is; see `ddsp_edge.further`.
        level: One of `LEVELS`, what `loudness_db` is: of the training data, of its range in this card, and of
            what a host has to measure.
    """

    task: str = TASK
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
    further: dict[str, Usual] = field(default_factory=dict)
    level: str = LEVELS[0]

    OPTIONAL: ClassVar[tuple[str, ...]] = (
        *Card.OPTIONAL,
        "mix",
        "synthesis_state_shapes",
        "voice",
        "further",
    )

    @classmethod
    def from_document(cls, document: Mapping[str, Any], origin: str) -> Self:
        """As `Card.from_document`; where a document does not tell the level, it is loudness."""
        return super().from_document({"level": LEVELS[0], **document}, origin)

    def document(self) -> dict[str, Any]:
        """As `Card.document`; the level is told where it is not loudness."""
        document = super().document()
        if self.level == LEVELS[0]:
            del document["level"]
        return document

    @classmethod
    def converted(cls, values: dict[str, Any], origin: str) -> dict[str, Any]:
        """Read the ranges, and what further features usually are."""
        names = ("f0_hz_range", "loudness_db_range")
        ranges = {name: range_from(values[name], name, origin) for name in names}
        told = names_of(values["inputs"])
        if set(values["further"]) != set(told):
            have, wanted = (", ".join(sorted(map(str, n)))[:150] or "none" for n in (values["further"], told))
            raise DdspError(
                f"{origin}: its card tells of the further features {have}, and its inputs are {wanted}"
            )
        further = {name: Usual.of(values["further"][name], name, origin) for name in told}
        return {**values, **ranges, "further": further}

    def check(self, origin: str) -> None:
        """Refuse a range of pitch without a middle: what has no pitch begins there, in float32."""
        middle_hz, highest_hz = self.f0_hz_range.median, self.sample_rate / 2
        if not _LEAST_HZ <= middle_hz <= highest_hz:
            raise DdspError(
                f"{origin}: the median of f0_hz_range must be above 0 Hz and at most {highest_hz:g} Hz, not "
                f"{middle_hz}"
            )
        if self.level not in LEVELS:
            raise DdspError(
                f"{origin}: level in its card must be {' or '.join(LEVELS)}. Received: {self.level[:60]!r}. "
                "Export it again, or update ddsp_tf"
            )


def instrument_inputs(feature_scaling: Mapping[str, str]) -> dict[str, Port]:
    """Inputs of an instrument's network, given how they are computed."""
    return {name: Port((1, 1), str(formula)) for name, formula in feature_scaling.items()}


def instrument_states(state_shapes: Mapping[str, list[int]]) -> dict[str, Port]:
    """States of an instrument's network."""
    return {name: Port(tuple(shape), "memory of the network") for name, shape in state_shapes.items()}


def further_scaling(names: Iterable[str]) -> dict[str, str]:
    """How the inputs of further features are computed, by the input's name."""
    return {scaled_name(name): FURTHER[name].formula(name) for name in names}


def instrument_extractors(
    f0_estimator: Mapping[str, Any], loudness: str, further: Iterable[str] = (), level: str = LEVELS[0]
) -> dict[str, dict[str, Any]]:
    """How pitch, loudness and further features of the training data were measured."""
    return {
        "f0_hz": dict(f0_estimator),
        "loudness_db": {"name": level, "definition": loudness},
        **{name: {"name": name, "definition": FURTHER[name].definition} for name in further},
    }


def from_schema_1(document: Mapping[str, Any]) -> dict[str, Any]:
    """Bring a card of schema 1, which knew instruments alone, to schema 2, as far as it tells.

    Outputs of the network are not in it. What is not as it should be is left for the reader to refuse.
    """
    given: dict[str, dict[str, Any]] = {
        name: document[name] if isinstance(document.get(name), dict) else {}
        for name in ("feature_scaling", "state_shapes", "f0_estimator")
    }
    states = {name: shape for name, shape in given["state_shapes"].items() if is_shape(shape)}
    inputs = {name: text for name, text in given["feature_scaling"].items() if name not in states}
    return {
        **document,
        "schema_version": SCHEMA_VERSION,
        "task": TASK,
        "inputs": _plain(instrument_inputs(inputs)),
        "outputs": {},
        "states": _plain(instrument_states(states)),
        "extractors": instrument_extractors(given["f0_estimator"], str(document.get("loudness", ""))),
        "about": {},
    }


def _plain(ports: Mapping[str, Port]) -> dict[str, Any]:
    return {name: {"shape": list(port.shape), "meaning": port.meaning} for name, port in ports.items()}
