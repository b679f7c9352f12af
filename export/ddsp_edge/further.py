"""What an instrument may be told of a frame beside pitch and loudness, and how a network takes it.

| feature        | what it is                                                          | range   |
| -------------- | ------------------------------------------------------------------- | ------- |
| `voicing`      | how surely there is a pitch, as the tracker says: there is from 0.5 | 0 to 1  |
| `brightness`   | octaves from f0 up to the centroid of the A-weighted spectrum       | -4 to 8 |
| `partials_1`   | level of the first partial beside the whole sound, dB above -40     | 0 to 40 |
| `partials_N`   | the same of partial 2, 3, 4, of 5 to 6, 7 to 9, 10 to 14, 15 and up | 0 to 40 |

`ddsp_edge.features.spectral` measures all but the first, for datasets and for devices.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import isfinite, log2
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_edge.card import Range, range_from
from ddsp_edge.errors import DdspError
from ddsp_edge.numeric import real_number
from ddsp_edge.units import Array, scale_f0, scale_loudness


class Further(NamedTuple):
    """A feature, and how a network takes it: `clip(value / unit, 0, 1)` or as far as `low` and `high` go.

    Args:
        definition: How a card names what it is.
        unit: By which values are divided.
        low: The least that a network is told.
        high: The most.
        an_octave: What is added to it of a sound that is to be an octave brighter.
    """

    definition: str
    unit: float
    low: float
    high: float
    an_octave: float = 0.0

    def formula(self, name: str) -> str:
        """How a card says that the input of the network is computed."""
        return f"clip({name} / {self.unit:g}, {self.low:g}, {self.high:g})"

    def scale(self, values: npt.ArrayLike) -> Array:
        """Values as the network takes them, float64 of the same shape."""
        return np.minimum(np.maximum(np.asarray(values, np.float64) / self.unit, self.low), self.high)


VOICING, BRIGHTNESS = "voicing", "brightness"
PARTIALS = {f"partials_{first}": first for first in (1, 2, 3, 4, 5, 7, 10, 15)}
"""Groups of partials by name: the number of the first of each; the last group has no end."""
ALL_PARTIALS = "partials"
"""How a configuration names all of these groups at once."""
PARTIAL_SPAN_DB = 40.0
"""Levels of partials are told from so far below the whole sound on."""
_TILT_DB = 6.0  # by which each octave above the pivot gets louder, of a sound that is an octave brighter
_PIVOT = 3.0  # the partial that stays as loud as it was


def _partials(first: int) -> Further:
    definition = f"of {_words(first)}, beside the whole: dB above -40, A-weighted, Hann 32 ms"
    return Further(definition, PARTIAL_SPAN_DB, 0.0, 1.0, round(_TILT_DB * log2(first / _PIVOT), 2))


def _words(first: int) -> str:
    after = next((later for later in PARTIALS.values() if later > first), 0)
    if not after:
        return f"partials from {first} on"
    return f"partial {first}" if after == first + 1 else f"partials {first} to {after - 1}"


FURTHER: dict[str, Further] = {
    VOICING: Further("of the tracker: 0.5 + half the periodicity, where there is a pitch", 1.0, 0.0, 1.0),
    BRIGHTNESS: Further(
        "octaves from f0 to the A-weighted spectral centroid, Hann 32 ms", 4.0, -1.0, 2.0, 1.0
    ),
    **{name: _partials(first) for name, first in PARTIALS.items()},
}
"""By name, in the order in which a network takes them."""


FEATURES = (VOICING, BRIGHTNESS, ALL_PARTIALS)
"""What a configuration may name."""


def expanded(names: Iterable[str]) -> tuple[str, ...]:
    """Names of single features, in the order of `FURTHER`, of what a configuration names."""
    given = set(names)
    return tuple(name for name in FURTHER if (ALL_PARTIALS if name in PARTIALS else name) in given)


def has_brightness(names: Iterable[str]) -> bool:
    """Whether an instrument with these further features can be told to be brighter."""
    return any(FURTHER[name].an_octave for name in names)


def brighter(values: Mapping[str, Array], octaves: float) -> dict[str, Array]:
    """Further features of a sound that is so many octaves brighter: its upper partials louder."""
    if not octaves:
        return dict(values)
    return {name: value + octaves * FURTHER[name].an_octave for name, value in values.items()}


@dataclass(frozen=True)
class Usual:
    """How a feature was distributed over the training data, and what it usually is for pitch and loudness.

    Args:
        range: Over frames with a pitch.
        line: `a, b, c` of the usual value `a + b f0_scaled + c loudness_scaled`, held within 0 and the high
            end of the range.
    """

    range: Range
    line: tuple[float, float, float]

    @classmethod
    def of(cls, document: Any, name: str = "", origin: str = "") -> "Usual":
        """Read what `to_dict` gave.

        Args:
            document: Plain data.
            name: Of the feature, for errors.
            origin: Name of its file, for errors.

        Raises:
            DdspError: If it is none.
        """
        given = document if isinstance(document, dict) else {}
        line = given.get("line")
        numbers = [real_number(value) for value in line] if isinstance(line, list | tuple) else []
        finite = [number for number in numbers if number is not None and isfinite(number)]
        if len(numbers) != 3 or len(finite) != 3:
            raise DdspError(
                f"{origin}: line of {name} in its card must be three numbers. Received: {str(line)[:60]}"
            )
        return cls(range_from(given.get("range"), name, origin), (finite[0], finite[1], finite[2]))

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return {"range": asdict(self.range), "line": list(self.line)}

    def at(self, f0_hz: npt.ArrayLike, loudness_db: npt.ArrayLike) -> Array:
        """The usual value of frames, float64 in their shape.

        Args:
            f0_hz: Above 0 Hz.
            loudness_db: Finite.
        """
        level, by_pitch, by_loudness = self.line
        value = level + by_pitch * scale_f0(f0_hz) + by_loudness * scale_loudness(loudness_db)
        return np.minimum(np.maximum(value, 0.0), max(self.range.high, 0.0))


def scaled_name(name: str) -> str:
    """Name of the network's input for a feature."""
    return f"{name}_scaled"


def names_of(inputs: Iterable[str]) -> tuple[str, ...]:
    """Further features that a network takes, given the names of its inputs."""
    given = set(inputs)
    return tuple(name for name in FURTHER if scaled_name(name) in given)


def scaled(values: Mapping[str, Array]) -> list[Array]:
    """Inputs of the network for further features, float64 `[frames]` each, in its order."""
    return [FURTHER[name].scale(values[name]) for name in FURTHER if name in values]


def complete(
    usual: Mapping[str, Usual], given: Mapping[str, npt.ArrayLike] | None, f0_hz: Array, loudness_db: Array
) -> dict[str, Array]:
    """Values of all further features of an instrument, `[frames]` by name: given ones, else the usual.

    Args:
        usual: The features of the instrument.
        given: What is known of the frames, by name; what is not finite counts as not known.
        f0_hz: `[frames]`, above 0 Hz.
        loudness_db: `[frames]`, finite.

    Raises:
        DdspError: If a feature that is given is none of the instrument's, or has not as many frames.
    """
    values = dict[str, Array]()
    for name, value in (given or {}).items():
        if name not in usual:
            has = ", ".join(usual) or "none"
            raise DdspError(f"the instrument takes no {name}; further features that it takes: {has}")
        if np.size(value) != len(f0_hz):
            raise DdspError(f"f0 has {len(f0_hz)} frames and {name} {np.size(value)}; they must be as many")
    for name, known in usual.items():
        if given is None or name not in given:
            values[name] = known.at(f0_hz, loudness_db)
            continue
        told = np.asarray(given[name], np.float64).reshape(-1)
        finite = np.isfinite(told)
        values[name] = told if finite.all() else np.where(finite, told, known.at(f0_hz, loudness_db))
    return values
