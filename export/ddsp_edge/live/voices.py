"""The voices of a model file: one network with a memory for each voice, their synthesizers, one room.

A room is linear and the same for all voices, so it sounds once, on their sum.
"""

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.card import Card, read_model_file
from ddsp_edge.errors import DdspError
from ddsp_edge.graph_synthesizer import GraphSynthesizer
from ddsp_edge.live.settings import Settings
from ddsp_edge.live.voice_synthesizer import VoiceSynthesizer
from ddsp_edge.network import Network
from ddsp_edge.synthesis import Processor
from ddsp_edge.synthesizer import Synthesizer
from ddsp_edge.units import Array, scale_f0, scale_loudness, silence_bad

MAX_VOICES = 32
BACKENDS = ("auto", "graph", "numpy")
"""What one voice is synthesized with: the `graph` in the model file, `numpy`, or `auto`, the faster one.

That is the graph, unless the file has none, or less than all of the room is heard when playing begins: the
graph gives the sound in the room alone, and the dry sound would have to be computed beside it.
"""

_LEVELS = {"Harmonic": ("amplitude", "harmonic_db"), "FilteredNoise": ("magnitudes", "noise_db")}


class VoiceNetwork(Network):
    """A network that plays several voices in turn.

    The inputs of `step` have batch 1, and a graph with a constant RESHAPE cannot be resized (XNNPACK refuses
    it), so each voice takes a step of its own. All share one interpreter, its weights and its kernels.

    Args:
        model: The flatbuffer.
        card: Its card.
        voices: Integer > 0.

    Raises:
        DdspError: As `Network`.
    """

    def __init__(self, model: bytes, card: Card, voices: int) -> None:
        super().__init__(model, card)
        self._memories: list[dict[str, Array]] = [{} for _ in range(voices)]
        for voice in range(voices):
            self.reset_voice(voice)

    def reset_voice(self, voice: int) -> None:
        """Set the states of a voice to zero."""
        self.reset()
        self._memories[voice] = self._states

    def process_voice(self, voice: int, f0_scaled: Array, loudness_scaled: Array) -> dict[str, Array]:
        """Run frames of a voice; see `Network.process`."""
        return self._run(f0_scaled, loudness_scaled, itertools.repeat(self._memories[voice]))

    def process_voices(
        self, numbers: list[int], f0_scaled: Array, loudness_scaled: Array
    ) -> dict[str, Array]:
        """Run a frame of each of some voices, `[len(numbers)]`; see `Network.process`."""
        return self._run(f0_scaled, loudness_scaled, [self._memories[voice] for voice in numbers])


class VoiceBank:
    """Everything between pitch and loudness on one side and sound on the other.

    Args:
        path: A `.tflite` made by `ddsp-tf export`.
        voices: Integer from 1 to 32.
        seed: Seed of the noise; None for another noise every time.
        backend: Name of what `play` synthesizes with, one of `BACKENDS`.

    Raises:
        DdspError: If the file cannot be played, has not the backend, or a number is out of range.
    """

    def __init__(
        self, path: str | Path, voices: int = 1, seed: int | None = None, backend: str = "numpy"
    ) -> None:
        if backend not in BACKENDS:
            raise DdspError(f"backend must be one of {', '.join(BACKENDS)}. Received: {backend!r}")
        if isinstance(voices, bool) or not isinstance(voices, int) or not 1 <= voices <= MAX_VOICES:
            raise DdspError(f"voices must be a whole number from 1 to {MAX_VOICES}. Received: {voices!r}")
        file = read_model_file(path)
        self.card, self.spec = file.card, file.card.spec
        if not file.card.f0_hz_range.median > 0.0:
            raise DdspError(
                f"{path}: the median of f0_hz_range must be above 0 Hz, not {file.card.f0_hz_range.median}"
            )
        try:
            self._network = VoiceNetwork(file.model, file.card, voices)
            channels = self._network.output_channels
            whole = Synthesizer(file.card, file.arrays, seed, channels)  # checks the whole group
            dry, rooms = without_rooms(file.card)
            # Frames of one voice together, and a frame of several: a stream uses one of the two.
            self._alone = Synthesizer(dry, file.arrays, seed, channels)
            self._together = VoiceSynthesizer(dry, file.arrays, voices, seed, channels)
            self._graph: GraphSynthesizer | None = None
            in_file = bool(file.card.synthesis_state_shapes)
            if backend == "graph" and not in_file:
                raise DdspError("The model file holds no synthesizer; export it without --no-play")
            if in_file and backend != "numpy":
                self._graph = GraphSynthesizer(file.model, file.card, whole)
        except DdspError as error:
            raise DdspError(f"{path}: {error}") from error
        processors = {name: processor for name, processor, _ in whole.nodes()}
        self._rooms: list[Processor] = [processors[name] for name in rooms]
        # Control that sets the level of a node -> the setting that changes it.
        self._levels: list[tuple[str, str]] = []
        for node in dry.synthesizer["nodes"]:
            if node["type"] in _LEVELS:
                control, setting = _LEVELS[node["type"]]
                self._levels.append((node["inputs"][control], setting))
        self.voices = voices
        self.tail_samples = whole.tail_samples
        """Samples for which noise filters and rooms ring on."""
        self._auto = backend == "auto"
        self._begin()

    def _begin(self) -> None:
        self._share = 1.0
        self._by_graph: bool | None = None  # told by the first frame
        self._alone_follows = False  # the graph, frame by frame

    def reset(self) -> None:
        """Forget everything: the next frame of each voice is frame 0."""
        for voice in range(self.voices):
            self.reset_voice(voice)
        self._alone.reset()
        self._together.reset()
        for room in self._rooms:
            room.reset()
        if self._graph is not None:
            self._graph.reset()
        self._begin()

    def reset_voice(self, voice: int) -> None:
        """Forget what a voice played: its next frame is frame 0."""
        self._network.reset_voice(voice)
        self._together.reset_voice(voice)

    def play(self, f0_hz: Array, loudness_db: Array, settings: Settings) -> Array:
        """Play frames of the first voice, in the room.

        Args:
            f0_hz: `[frames]`, above 0 and at most Nyquist.
            loudness_db: `[frames]`, finite.
            settings: Its levels of harmonics and noise count, and its share of the room.

        Returns:
            float32 audio `[frames * hop]`, finite.
        """
        share = settings.room() if self._rooms else 1.0
        if self._by_graph is None:
            self._by_graph = share == 1.0 or not self._auto
        controls = self._network.process_voice(0, scale_f0(f0_hz), scale_loudness(loudness_db))
        controls = self._balanced(f0_hz, controls, settings)
        if self._graph is None or not self._by_graph:
            return self.reverberate(silence_bad(self._alone.process(controls)), share)
        controls |= self._graph.noise(len(f0_hz))
        if share == self._share == 1.0:
            self._alone_follows = False
            return silence_bad(self._graph.process(controls))
        # The graph's signal is that in the room. What it is without, numpy tells from here on.
        if not self._alone_follows:
            self._graph.hand_over(self._alone)
            self._alone_follows = True
        dry = silence_bad(self._alone.process(controls))
        return self._shared(dry, silence_bad(self._graph.process(controls)), share)

    def play_voices(self, numbers: list[int], f0_hz: Array, loudness_db: Array, settings: Settings) -> Array:
        """Play one frame of some voices, without the room.

        Args:
            numbers: Which ones, each once, at least one.
            f0_hz: `[len(numbers)]`, above 0 and at most Nyquist.
            loudness_db: `[len(numbers)]`, finite.
            settings: Its levels of harmonics and noise count.

        Returns:
            float32 audio `[len(numbers), hop]`, finite.
        """
        controls = self._controls(numbers, f0_hz, loudness_db, settings)
        return silence_bad(self._together.process(numbers, controls))

    def _controls(
        self, numbers: list[int], f0_hz: Array, loudness_db: Array, settings: Settings
    ) -> dict[str, Array]:
        controls = self._network.process_voices(numbers, scale_f0(f0_hz), scale_loudness(loudness_db))
        return self._balanced(f0_hz, controls, settings)

    def _balanced(self, f0_hz: Array, controls: dict[str, Array], settings: Settings) -> dict[str, Array]:
        changed: dict[str, Array] = {"f0_hz": np.asarray(f0_hz, np.float64)[:, None], **controls}
        for control, setting in self._levels:
            gain = settings.gain(setting)
            if gain != 1.0:
                changed[control] = changed[control] * np.float32(gain)
        return changed

    def reverberate(self, dry: Array, share: float) -> Array:
        """Play the sum of the voices `[hops * hop]` in the room, of which `share` (0 to 1) is heard."""
        wet, self._wet = dry, list[Array]()  # after each room
        for room in self._rooms:
            wet = room.process(audio=wet)
            self._wet.append(wet)
        return self._shared(dry, wet, share)

    def _shared(self, dry: Array, wet: Array, share: float) -> Array:
        before, self._share = self._share, share
        return share_of_room(dry, wet, before, share)


def share_of_room(dry: Array, wet: Array, before: float, share: float) -> Array:
    """Hear a share of the room, 0 to 1, that moves along a line over these samples.

    Args:
        dry: `[n]`.
        wet: `[n]`, the same in the room.
        before: Share at the sample before the first.
        share: Share at the last.

    Returns:
        float32 `[n]`.
    """
    if before == share == 1.0:
        return wet
    ramp = np.linspace(before, share, len(dry) + 1, dtype=np.float32)[1:]
    return np.asarray(dry + ramp * (wet - dry), np.float32)


def without_rooms(card: Card) -> tuple[Card, list[str]]:
    """Take the reverbs off the end of a synthesizer.

    Returns:
        The card with the synthesizer that is left, and the names of the reverbs in the order in which they
        follow. A reverb that something else listens to as well stays where it is.
    """
    nodes: list[dict[str, Any]] = list(card.synthesizer["nodes"])
    output, rooms = card.synthesizer["output"], list[str]()
    while True:
        node = next(node for node in nodes if node["name"] == output)
        rest = [other for other in nodes if other is not node]
        if node["type"] != "Reverb" or any(output in other["inputs"].values() for other in rest):
            return dataclasses.replace(card, synthesizer={"nodes": nodes, "output": output}), rooms
        nodes, output = rest, node["inputs"]["audio"]
        rooms.insert(0, node["name"])
