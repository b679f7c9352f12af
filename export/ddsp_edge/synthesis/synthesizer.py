"""The processor group of a card, run in numpy: controls in, audio and every signal on the way out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ddsp_edge.errors import DdspError, did_you_mean
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.ranges import check_whole
from ddsp_edge.synthesis.filtered_noise import FilteredNoise
from ddsp_edge.synthesis.fir_filter import FIRFilter
from ddsp_edge.synthesis.harmonic import Harmonic
from ddsp_edge.synthesis.mixing import Add, Mix
from ddsp_edge.synthesis.processor import Processor
from ddsp_edge.synthesis.reverb import Reverb
from ddsp_edge.units import Array

MAX_NODES = 64
MAX_HARMONICS = 2048  # a 10 Hz tone has so many below the Nyquist frequency of 40 kHz
MAX_BANDS = 4097
MAX_NOISE_TABLE = 1 << 26  # bands times FFT bins: 0.5 GB while a noise node is built

_INPUTS = {
    "Harmonic": ("amplitude", "distribution", "f0_hz"),
    "FilteredNoise": ("magnitudes",),
    "FIRFilter": ("audio", "magnitudes"),
    "Reverb": ("audio",),
    "Mix": ("audio_0", "audio_1", "level"),
}
_TYPES = [*_INPUTS, "Add"]
LEVELS = {"Harmonic": "amplitude", "FilteredNoise": "magnitudes"}
"""The control of each type of node that is its level; at zero the node makes no sound of its own."""
_AUDIO_INPUTS = ("audio", "audio_0", "audio_1")


@dataclass(frozen=True)
class _Node:
    name: str
    inputs: dict[str, str]  # control of the processor -> source
    processor: Processor
    noise: str  # control that may give its white noise; empty where it makes none
    level: str  # control that is its level; empty where it makes no sound of its own


class Synthesizer:
    """Run the processor group of a card.

    Args:
        card: The card; a file from anywhere, so all of its `synthesizer` is checked here.
        arrays: The arrays of the model file by name (impulse responses).
        seed: Integer >= 0, seed of the noise; None for another noise every time.
        channels: Channels of each control that will be given, by name, `f0_hz` left out; None to accept
            any name.

    Raises:
        DdspError: If the group cannot be run, or the seed is none.
    """

    def __init__(
        self,
        card: InstrumentCard,
        arrays: Mapping[str, Array],
        seed: int | None = None,
        channels: Mapping[str, int] | None = None,
    ) -> None:
        self.spec = card.spec
        self.control_channels: dict[str, int] = {}
        self.tail_samples = 0
        self._seed = None if seed is None else check_whole("seed", seed)
        self._arrays = arrays
        self._known = None if channels is None else {"f0_hz": 1, **channels}
        self._nodes: list[_Node] = []
        self._last: dict[str, Array] = {}  # the frame that came last, of each control
        nodes = card.synthesizer.get("nodes")
        if not isinstance(nodes, list) or not 0 < len(nodes) <= MAX_NODES:
            raise DdspError(f"The card's synthesizer needs a list of 1 to {MAX_NODES} nodes")
        for number, node in enumerate(nodes):
            self._nodes.append(self._node(node, number))
        output = card.synthesizer.get("output")
        if not isinstance(output, str) or output not in self.node_names:
            raise DdspError(
                f"The card's synthesizer has the output {_short(output)}, which is none of its nodes: "
                + ", ".join(self.node_names)
            )
        self.output = output

    @property
    def node_names(self) -> list[str]:
        """Names of the nodes in the order in which they run."""
        return [node.name for node in self._nodes]

    def nodes(self) -> Iterator[tuple[str, Processor, dict[str, str]]]:
        """Yield name, processor and inputs (source by control) of the nodes in the order they run."""
        for node in self._nodes:
            yield node.name, node.processor, node.inputs

    def reset(self) -> None:
        """Forget everything: the next frame is frame 0."""
        self._last = {}
        for node in self._nodes:
            node.processor.reset()

    def process(self, controls: Mapping[str, Array]) -> Array:
        """Render frames.

        Args:
            controls: `[frames, channels]` by name: `f0_hz` and whatever `control_channels` names. The white
                noise of a noise node may be given too, as `NODE_noise` `[frames * hop]` in [-1, 1);
                otherwise it is drawn.

        Returns:
            float32 audio `[frames * hop]`.
        """
        return self.stems(controls)[self.output]

    def stems(self, controls: Mapping[str, Array]) -> dict[str, Array]:
        """Render frames as `process`; return the signal `[frames * hop]` of every node by its name."""
        missing = self.control_channels.keys() - controls.keys()
        if missing:
            raise DdspError(f"The synthesizer lacks the control {', '.join(sorted(missing))}")
        if all(len(controls[name]) for name in self.control_channels):
            self._last = {name: np.array(controls[name][-1:], np.float32) for name in self.control_channels}
        return self._run(controls)

    def flush(self) -> Array:
        """Return what rings on after the last frame, float32 `[tail]`, a whole number of hops.

        Levels of harmonics and noise go to zero over one hop; all else stays as it was. Empty where
        nothing rings on.
        """
        return self.flush_stems()[self.output]

    def flush_stems(self) -> dict[str, Array]:
        """What `flush` returns, of every node by its name."""
        if not self.tail_samples or not self._last:
            return {name: np.zeros(0, np.float32) for name in self.node_names}
        frames = 1 + -(-self.tail_samples // self.spec.hop)  # one to fade in
        held = {name: np.repeat(value, frames, axis=0) for name, value in self._last.items()}
        return self._run(held, silent=True)

    def _run(self, controls: Mapping[str, Array], silent: bool = False) -> dict[str, Array]:
        signals: dict[str, Array] = {}
        for node in self._nodes:
            inputs = {
                control: signals[source] if source in signals else controls[source]
                for control, source in node.inputs.items()
            }
            if node.noise in controls:
                inputs["noise"] = controls[node.noise]
            if silent and node.level:
                inputs[node.level] = np.zeros_like(inputs[node.level])
            signals[node.name] = node.processor.process(**inputs)
        return signals

    def _node(self, node: Any, number: int) -> _Node:
        where = f"Node {number} of the card's synthesizer"
        if not isinstance(node, dict) or not isinstance(node.get("name"), str):
            raise DdspError(f"{where} needs a name, a type, a config and inputs. Received: {_short(node)}")
        name, kind = node["name"], node.get("type")
        where = f"Node {_short(name)} of the card's synthesizer"
        if name in self.node_names or name == "f0_hz" or (self._known and name in self._known):
            raise DdspError(f"{where} has a name that is taken already")
        if kind not in _TYPES:
            raise DdspError(
                f"{where} has the type {_short(kind)}; known are {', '.join(_TYPES)}."
                + did_you_mean(str(kind)[:60], _TYPES)
            )
        config, inputs = node.get("config") or {}, node.get("inputs") or {}
        if not isinstance(config, dict) or not isinstance(inputs, dict):
            raise DdspError(f"{where}: config and inputs must be objects")
        processor, channels = self._processor(where, kind, config)
        wanted = _INPUTS.get(kind)
        if wanted is not None and set(inputs) != set(wanted):
            raise DdspError(f"{where} needs the inputs {', '.join(wanted)}. Received: {_short(list(inputs))}")
        if not inputs:
            raise DdspError(f"{where} needs at least one input. Received: {_short(inputs)}")
        for control, source in inputs.items():
            self._source(f"{where}: its input {_short(control)}", kind, control, source, channels)
        noise = f"{name}_noise" if isinstance(processor, FilteredNoise) else ""
        return _Node(name, dict(inputs), processor, noise, LEVELS.get(kind, ""))

    def _source(self, where: str, kind: str, control: str, source: Any, channels: Mapping[str, int]) -> None:
        is_audio = kind == "Add" or control in _AUDIO_INPUTS
        if is_audio:
            if source not in self.node_names:
                raise DdspError(
                    f"{where} comes from {_short(source)}, which is no node before it: "
                    + (", ".join(self.node_names) or "it is the first")
                )
            return
        known = self._known
        if not isinstance(source, str) or source in self.node_names:
            raise DdspError(f"{where} must be a control, not {_short(source)}")
        if known is not None and source not in known:
            raise DdspError(
                f"{where} comes from {_short(source)}, which the network does not give. It gives "
                + ", ".join(known)
                + "."
                + did_you_mean(source[:60], list(known))
            )
        for have in (known or {}).get(source), self.control_channels.get(source):
            if have is not None and have != channels[control]:
                raise DdspError(f"{where} needs {channels[control]} channels; {_short(source)} has {have}")
        self.control_channels[source] = channels[control]

    def _bands(self, where: str, config: dict[str, Any]) -> int:
        """How many bands a filter has."""
        n = _whole(where, config, "n_bands", 2, MAX_BANDS)
        if n * (self.spec.hop + 2 * n) > MAX_NOISE_TABLE:
            raise DdspError(f"{where}: {n} bands at a hop of {self.spec.hop} samples need too much memory")
        return n

    def _processor(self, where: str, kind: str, config: dict[str, Any]) -> tuple[Processor, dict[str, int]]:
        """Build the processor of a node; return it with the channels of each of its controls."""
        if kind == "Harmonic":
            n = _whole(where, config, "n_harmonics", 1, MAX_HARMONICS)
            return Harmonic(self.spec, n), {"amplitude": 1, "distribution": n, "f0_hz": 1}
        if kind == "FilteredNoise":
            n = self._bands(where, config)
            noise = FilteredNoise(self.spec, n, self._seed)
            self.tail_samples += 2 * n - 3
            # Two noise nodes with one seed would make the same noise and add up to a filter.
            self._seed = None if self._seed is None else self._seed + 1
            return noise, {"magnitudes": n}
        if kind == "FIRFilter":
            n = self._bands(where, config)
            self.tail_samples += 2 * n - 3
            return FIRFilter(self.spec, n), {"magnitudes": n}
        if kind == "Reverb":
            name = config.get("impulse_response")
            response = self._arrays.get(name) if isinstance(name, str) else None
            if response is None:
                arrays = ", ".join(self._arrays) or "none"
                raise DdspError(
                    f"{where}: its impulse_response is {_short(name)}; arrays in the file: {arrays}"
                )
            reverb = Reverb(self.spec, response)
            self.tail_samples += reverb.tail_samples
            return reverb, {}
        if kind == "Mix":
            return Mix(self.spec), {"level": 1}
        return Add(), {}


def _whole(where: str, config: dict[str, Any], name: str, low: int, high: int) -> int:
    value = config.get(name)
    if type(value) is not int or not low <= value <= high:
        raise DdspError(
            f"{where}: {name} must be a whole number from {low} to {high}. Received: {_short(value)}"
        )
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
