"""Which recording is of which instrument, and mixes of instruments, as plain data."""

import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError, did_you_mean


class Instruments:
    """The instruments of a model, told by the names of their recordings.

    Args:
        patterns: For each instrument the names of its recordings, as the dataset has them; `*`, `?` and
            `[...]` stand for what they do in file names.
    """

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self.patterns = dict(patterns)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the instruments, in their order."""
        return tuple(self.patterns)

    def weights_of(self, source: str) -> Array:
        """Weights of the instruments in a recording, float32 `[instruments]`: one of them is 1.

        Raises:
            DdspError: If the recording is of none of them, or of several.
        """
        found = [name for name, pattern in self.patterns.items() if fnmatchcase(source, pattern)]
        if len(found) != 1:
            known = ", ".join(f"{name}: {pattern}" for name, pattern in self.patterns.items())
            matches = f"{' and '.join(found)} both match" if found else "no instrument matches"
            raise DdspError(
                f"model.instruments: {matches} the recording {source!r}, and exactly one has to. "
                f"Received: {known}"
            )
        return np.array([name == found[0] for name in self.patterns], np.float32)


def parse_mix(text: str, names: Sequence[str]) -> dict[str, float]:
    """Read a mix of instruments: `flute`, or `flute=0.5,violin=0.5`.

    Args:
        text: What the user wrote. Weights are of any sum; they are brought to a sum of 1.
        names: Instruments that there are.

    Returns:
        Weights by name, their sum 1.

    Raises:
        DdspError: If a name is unknown or comes twice, or a weight is no number, negative or all are 0.
    """
    if not names:
        raise DdspError(f"the model plays one instrument only: there is no choice of {text!r}")
    mix: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if name not in names:
            hint = did_you_mean(name, tuple(names)) or f" It has {', '.join(names)}."
            raise DdspError(f"the model has no instrument {name!r}.{hint}")
        if name in mix:
            raise DdspError(f"the instrument {name!r} stands twice in {text!r}")
        try:
            mix[name] = float(number) if "=" in part else 1.0
        except ValueError as error:
            raise DdspError(f"the weight of {name!r} must be a number. Received: {number!r}") from error
        if not 0.0 <= mix[name] < math.inf:
            raise DdspError(f"the weight of {name!r} must be finite, 0 or more. Received: {number!r}")
    total = sum(mix.values())
    if not total:
        raise DdspError(f"the weights of a mix must not all be 0. Received: {text!r}")
    return {name: weight / total for name, weight in mix.items()}
