"""Files of the plug-in DDSP-VST, played as they are.

Such a file is known by the names of the tensors of its first graph, which the plug-in looks for and nothing
else of it (`src/util/Constants.h` of magenta/ddsp-vst); their order differs from file to file, and the
amplitude is `[1]` or `[]`. Here the graph is run as it is: what stands between it and `step` is the shapes of
its ports. What the file says of itself, `metadata.json` in a zip at its end, becomes an instrument's card.
The plug-in does without; so do we, with ranges of our own.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.card import Port, Range
from ddsp_edge.errors import DdspError
from ddsp_edge.features.power import DEFINITION
from ddsp_edge.instrument_card import (
    FEATURE_SCALING,
    InstrumentCard,
    instrument_extractors,
    instrument_inputs,
    instrument_states,
)
from ddsp_edge.model.flatbuffer import Table
from ddsp_edge.model.tflite import FLOAT32, MAX_GRAPHS, MAX_RANK, MAX_TENSORS
from ddsp_edge.units import Array, midi_to_hz

SAMPLE_RATE, HOP = 16_000, 320
HARMONICS, BANDS, STATE = 60, 65, 512
INPUTS = {
    "f0_scaled": ("call_f0_scaled:0", 1),
    "loudness_scaled": ("call_pw_scaled:0", 1),
    "state": ("call_state:0", STATE),
}
OUTPUTS = {
    "amplitude": ("StatefulPartitionedCall:0", 1),
    "distribution": ("StatefulPartitionedCall:1", HARMONICS),
    "magnitudes": ("StatefulPartitionedCall:2", BANDS),
    "state": ("StatefulPartitionedCall:3", STATE),
}
"""Name and size of each tensor, by what it is called in `step`."""

_MEANINGS = {
    "amplitude": "linear amplitude of all harmonics together, 0 to 2",
    "distribution": "share of each harmonic, adding up to 1; 0 above Nyquist",
    "magnitudes": "linear gain at frequencies from 0 Hz to Nyquist, 0 to 2",
}
_SYNTHESIZER = {
    "nodes": [
        {
            "name": "harmonic",
            "type": "Harmonic",
            "config": {"n_harmonics": HARMONICS},
            "inputs": {"amplitude": "amplitude", "distribution": "distribution", "f0_hz": "f0_hz"},
        },
        {
            "name": "noise",
            "type": "FilteredNoise",
            "config": {"n_bands": BANDS},
            "inputs": {"magnitudes": "magnitudes"},
        },
        {
            "name": "dry",
            "type": "Add",
            "config": {},
            "inputs": {"audio_0": "harmonic", "audio_1": "noise"},
        },
    ],
    "output": "dry",
}
_LEAST_HZ, _MOST_HZ = 8.18, 7999.0  # MIDI note 0; from 8 kHz on the plug-in has no harmonic left
_HIGHEST_NOTE = 119.0  # 7902 Hz
_LEAST_DB, _MOST_DB = -200.0, 100.0
_PITCH_HZ = (65.41, 1046.5)  # C2 to C6, of a file that does not tell
_POWER_DB = (-60.0, -10.0)
_CURE = "Export it again, or take its metadata out: `zip -d FILE metadata.json`"
_LONGEST = 100  # characters of a text that is kept


@dataclass(frozen=True)
class VstPorts:
    """Where the ports of `step` are in the first graph: number and shape, by their names in `step`."""

    inputs: dict[str, tuple[int, tuple[int, ...]]]
    outputs: dict[str, tuple[int, tuple[int, ...]]]


def vst_ports(model: bytes) -> VstPorts | None:
    """Find the ports of a file of DDSP-VST.

    Args:
        model: A TFLite flatbuffer, with anything after it.

    Returns:
        Them, or None where the names of its tensors are others: it is some other file then, or none that
        can be read.

    Raises:
        DdspError: If the names are those of DDSP-VST, and a tensor is of another size or type.
    """
    try:
        [graph, *_] = Table.root(model).tables(2, MAX_GRAPHS)
        numbers = [graph.numbers(field, "i").tolist() for field in (1, 2)]
        if [len(ports) for ports in numbers] != [len(INPUTS), len(OUTPUTS)]:
            return None
        tensors = graph.tables(0, MAX_TENSORS)
        found = [{tensors[n].text(3): (n, tensors[n]) for n in ports} for ports in numbers]
        wanted = [{name for name, _ in ports.values()} for ports in (INPUTS, OUTPUTS)]
        if [set(ports) for ports in found] != wanted:
            return None
        return VstPorts(_checked(INPUTS, found[0]), _checked(OUTPUTS, found[1]))
    except _Unfit as error:
        raise DdspError(str(error)) from error
    except (DdspError, IndexError, ValueError):  # an offset that leads nowhere: not to be read as anything
        return None


class _Unfit(DdspError):
    """A tensor of the right name and of another size or type."""


def _checked(
    ports: Mapping[str, tuple[str, int]], found: Mapping[str, tuple[int, Table]]
) -> dict[str, tuple[int, tuple[int, ...]]]:
    checked = {}
    for port, (name, size) in ports.items():
        number, table = found[name]
        sizes, kind = table.numbers(0, "i"), table.whole(1, "b")
        shape = tuple(int(n) for n in sizes[: MAX_RANK + 1])
        if len(shape) > MAX_RANK or any(n < 1 for n in shape) or math.prod(shape) != size or kind != FLOAT32:
            raise _Unfit(
                f"it has the tensors of DDSP-VST, but {name} is of shape {str(list(shape))[:60]} and type "
                f"{kind}, where the plug-in takes {size} float32 (type {FLOAT32}): the plug-in does not play "
                "it either. Export it again"
            )
        checked[port] = (number, shape)
    return checked


class VstStep:
    """`step` of a file of DDSP-VST: its graph, run by LiteRT, with ports of the shapes that `step` has.

    Tensors go by numbers of our own. A distribution that is no number, as that of a pitch without a harmonic
    below 8 kHz is, is 0: silence, as in the plug-in.

    Args:
        interpreter: LiteRT's, whose tensors are allocated.
        ports: Where its ports are.
    """

    def __init__(self, interpreter: Any, ports: VstPorts) -> None:
        self._interpreter = interpreter
        self.inputs, self.outputs = dict[str, Any](), dict[str, Any]()
        """What LiteRT tells of tensors by name: `index`, `shape` and `dtype`."""
        self._tensors: list[tuple[int, tuple[int, ...]]] = []
        for details, places in ((self.inputs, ports.inputs), (self.outputs, ports.outputs)):
            for name, (number, shape) in places.items():
                given = (1, math.prod(shape))
                details[name] = {"index": len(self._tensors), "shape": given, "dtype": np.float32}
                self._tensors.append((number, shape if details is self.inputs else given))

    def set_tensor(self, number: int, value: Array) -> None:
        """Give an input, float32 `[1, size]`."""
        place, shape = self._tensors[number]
        self._interpreter.set_tensor(place, value.reshape(shape))

    def invoke(self) -> None:
        """Compute everything from the inputs."""
        self._interpreter.invoke()

    def get_tensor(self, number: int) -> Array:
        """Return an output, float32 `[1, size]`."""
        place, shape = self._tensors[number]
        return np.asarray(self._interpreter.get_tensor(place).reshape(shape))


def vst_card(metadata: Mapping[str, Any] | None, path: Path) -> InstrumentCard:
    """The card of a file of DDSP-VST.

    Args:
        metadata: What its `metadata.json` holds; None where it has none.
        path: The file, which gives the instrument its name, as in the plug-in.

    Raises:
        DdspError: If a range in the metadata cannot be.
    """
    known = metadata or {}
    pitch = _bounds(known, "pitch_note_hz", (_LEAST_HZ, _MOST_HZ), "Hz", path)
    if pitch is None:
        notes = _bounds(known, "pitch_note", (0.0, _HIGHEST_NOTE), "", path)
        pitch = _PITCH_HZ if notes is None else (float(midi_to_hz(notes[0])), float(midi_to_hz(notes[1])))
    power = _bounds(known, "power_note", (_LEAST_DB, _MOST_DB), "dB", path) or _POWER_DB
    middle_hz = min(max(math.sqrt(pitch[0] * pitch[1]), pitch[0]), pitch[1])
    states = {"state": [1, STATE]}
    own = known.get("ddsp_tf")
    quantization = own.get("quantization") if isinstance(own, dict) else None
    extractor = {"name": "yin-viterbi"}  # ours, which is what a host tracks pitch with here
    return InstrumentCard(
        name=path.stem,
        created=_text(known.get("export_time")) or "at a time that it does not tell",
        sample_rate=SAMPLE_RATE,
        hop=HOP,
        inputs=instrument_inputs(FEATURE_SCALING),
        outputs={name: Port((1, OUTPUTS[name][1]), meaning) for name, meaning in _MEANINGS.items()},
        states=instrument_states(states),
        extractors=instrument_extractors(extractor, DEFINITION, level="power"),
        about={"ddsp_vst": {name: _text(known.get(name)) for name in ("version", "export_time")}},
        feature_scaling=FEATURE_SCALING,
        f0_estimator=extractor,
        loudness=DEFINITION,
        level="power",
        f0_hz_range=Range(pitch[0], middle_hz, pitch[1]),
        loudness_db_range=Range(power[0], (power[0] + power[1]) / 2.0, power[1]),
        state_shapes=states,
        synthesizer=_SYNTHESIZER,
        config={},
        quantization=quantization if quantization == "float16" else "float32",
    )


def vst_metadata(text: str, path: Path) -> dict[str, Any]:
    """Read the metadata of a file of DDSP-VST, plain data by name.

    Raises:
        DdspError: If they are no JSON object.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DdspError(f"{path}: the metadata of this file of DDSP-VST are no JSON. {_CURE}") from error
    if not isinstance(document, dict):
        raise DdspError(f"{path}: the metadata of this file of DDSP-VST are no JSON object. {_CURE}")
    return document


def _bounds(
    known: Mapping[str, Any],
    name: str,
    limits: tuple[float, float],
    unit: str,
    path: Path,
) -> tuple[float, float] | None:
    """The range `mean_min_NAME` to `mean_max_NAME`; None where one of them is not there."""
    names = (f"mean_min_{name}", f"mean_max_{name}")
    if any(known.get(key) is None for key in names):
        return None
    values = []
    for key in names:
        value = known[key]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not limits[0] <= value <= limits[1]:
            raise DdspError(
                f"{path}: {key} in the metadata of this file of DDSP-VST must be from {limits[0]:g} to "
                f"{limits[1]:g} {unit}".rstrip()
                + f". Received: {str(value)[:60]!r}. {_CURE}"
            )
        values.append(float(value))
    if values[0] > values[1]:
        raise DdspError(
            f"{path}: {names[0]} in the metadata of this file of DDSP-VST must not be above {names[1]}. "
            f"Received: {values[0]:g} and {values[1]:g}. {_CURE}"
        )
    return values[0], values[1]


def _text(value: Any) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""
