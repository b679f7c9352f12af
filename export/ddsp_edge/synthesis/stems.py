"""The parts of an instrument's sound, for a mixing desk: harmonics, noise, and what the room adds."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ddsp_edge.units import Array

_STEMS = {"Harmonic": "harmonic", "FilteredNoise": "noise", "Reverb": "reverb"}


class Stems:
    """Split the signals of a processor group into stems.

    Harmonics and noise are the signals of their nodes, dry; a reverb is its output less its input, all that
    the room adds. Where the group is these, added up and reverberated, the stems add up to its output; what a
    `Mix` fades out is in the stems all the same.

    Args:
        nodes: The nodes of the group in their order, as plain data: `name`, `type` and `inputs` of each.
    """

    def __init__(self, nodes: Iterable[Mapping[str, Any]]) -> None:
        self._nodes: dict[str, tuple[str, str | None]] = {}  # stem -> its node, and the node it takes away
        for node in nodes:
            kind = _STEMS.get(node["type"])
            if kind is None:
                continue
            others = sum(name.split("-")[0] == kind for name in self._nodes)
            heard = node["inputs"]["audio"] if kind == "reverb" else None
            # Not by the node's name: a file from anywhere would choose names of files.
            self._nodes[kind if not others else f"{kind}-{others + 1}"] = (node["name"], heard)

    @property
    def names(self) -> list[str]:
        """`harmonic`, `noise`, `reverb`, as far as there are such nodes; a second one is `harmonic-2`."""
        return list(self._nodes)

    def split(self, signals: Mapping[str, Array]) -> dict[str, Array]:
        """Take the signals `[n]` of all nodes by name; return the stems, `[n]` each, by name."""
        return {
            stem: signals[node] if heard is None else signals[node] - signals[heard]
            for stem, (node, heard) in self._nodes.items()
        }


def stem_paths(out: Path, names: list[str]) -> dict[str, Path]:
    """Files of stems beside that of the whole sound: `out-harmonic.wav` beside `out.wav`."""
    return {name: out.with_name(f"{out.stem}-{name}{out.suffix}") for name in names}
