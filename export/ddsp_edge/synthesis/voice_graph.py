"""The signature `voice` of a model file: network and synthesizer in one call, without the rooms at the end.

Those are linear and the same for all voices, so a host that plays several lets them sound once, on the sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.model.runtimes import open_litert, open_signature
from ddsp_edge.synthesis.filtered_noise import white_noise
from ddsp_edge.synthesis.synthesizer import LEVELS
from ddsp_edge.units import Array, all_finite, scale_frame, silence_bad

SIGNATURE = "voice"
PLAYER = ("f0_hz", "f0_scaled", "loudness_scaled")
"""The first columns of the input `player`; further features of the card, scaled, and gains follow."""

_ROOM = "Reverb"
_NOISE_FRAMES = 16  # drawn together: drawing is quick, the way to it is not


class VoiceFrames(NamedTuple):
    """What voices are told of frames.

    Args:
        f0_hz: `[frames]`, above 0 and at most Nyquist.
        loudness_db: `[frames]`, finite.
        gains: Linear, of each node of the `gains` of a `VoiceLayout`, for all frames.
        further: `[frames]` each, further features of the card, scaled, in their order.
    """

    f0_hz: Array
    loudness_db: Array
    gains: Sequence[float]
    further: Sequence[Array] = ()


@dataclass(frozen=True)
class VoiceLayout:
    """What of a processor group a voice plays.

    Args:
        synthesizer: `{"nodes": [...], "output": NAME}`, as in a card, without the rooms at its end.
        rooms: Names of these rooms, in the order in which they follow.
        gains: Names of the nodes whose level a host may change.
        noises: Names of the nodes that take white noise.
    """

    synthesizer: dict[str, Any]
    rooms: tuple[str, ...]
    gains: tuple[str, ...]
    noises: tuple[str, ...]

    @classmethod
    def of(cls, synthesizer: dict[str, Any]) -> "VoiceLayout":
        """Lay out the checked synthesizer of a card.

        A reverb that something else listens to as well stays where it is.
        """
        nodes: list[dict[str, Any]] = list(synthesizer["nodes"])
        output, rooms = synthesizer["output"], list[str]()
        while True:
            node = next(node for node in nodes if node["name"] == output)
            rest = [other for other in nodes if other is not node]
            if node["type"] != _ROOM or any(output in other["inputs"].values() for other in rest):
                break
            nodes, output = rest, node["inputs"]["audio"]
            rooms.insert(0, node["name"])
        return cls(
            {"nodes": nodes, "output": output},
            tuple(rooms),
            tuple(node["name"] for node in nodes if node["type"] in LEVELS),
            tuple(node["name"] for node in nodes if node["type"] == "FilteredNoise"),
        )

    @property
    def names(self) -> list[str]:
        """Names of the nodes that a voice plays, in their order."""
        return [node["name"] for node in self.synthesizer["nodes"]]

    @property
    def output(self) -> str:
        """Name of the node whose signal is the sound."""
        return str(self.synthesizer["output"])

    def levels(self) -> list[tuple[str, str]]:
        """Type and control, by its name among the outputs of `step`, of the nodes in `gains`."""
        return [
            (node["type"], node["inputs"][LEVELS[node["type"]]])
            for node in self.synthesizer["nodes"]
            if node["name"] in self.gains
        ]

    def describe(self, state_size: int) -> dict[str, Any]:
        """What a card says of the signature `voice`."""
        return {
            "state_size": state_size,
            "gains": list(self.gains),
            "noises": list(self.noises),
            "rooms": list(self.rooms),
        }


class VoiceGraph:
    """Run the signature `voice` of a model file for several voices.

    Its sound is that of the network and of the synthesizer in numpy on the same noise, to 1e-4 of full scale
    (law 1). A hop is one call of LiteRT instead of a hundred of numpy.

    Args:
        model: The flatbuffer.
        card: Its card, which describes `voice`.
        layout: The layout of the card's synthesizer.
        voices: Integer > 0.
        seeds: Seed of each noise, in the order of `layout.noises`; None for another noise every time.

    Raises:
        DdspError: If the model cannot be loaded, or its signature is not the one the card tells.
    """

    def __init__(
        self,
        model: bytes,
        card: InstrumentCard,
        layout: VoiceLayout,
        voices: int,
        seeds: Sequence[int | None],
    ) -> None:
        self._hop, self._seeds = card.hop, seeds
        self._names, self._output = layout.names, layout.names.index(layout.output)
        size = card.voice.get("state_size")
        wanted = layout.describe(size if type(size) is int else 0)
        wrong = sorted(name for name, value in wanted.items() if card.voice.get(name) != value)
        if type(size) is not int or wrong:
            raise DdspError(
                "The signature 'voice' of the card does not fit its synthesizer by its "
                f"{', '.join(wrong)}: export the instrument again"
            )
        given = {"player": len(PLAYER) + len(card.further) + len(layout.gains), "state": size}
        if layout.noises:
            given["white_noise"] = len(layout.noises) * card.hop
        self._run = open_signature(
            open_litert(model),
            SIGNATURE,
            {name: [1, channels] for name, channels in given.items()},
            {"signals": [1, len(layout.names) * card.hop], "state": [1, size]},
        )
        self._state_size = size
        self._states: list[Array] = [np.zeros((1, 0), np.float32)] * voices
        self._noise: Array | None = None  # of the frames to come, where there is noise
        self.reset()

    def reset(self) -> None:
        """Forget everything, the noise too."""
        for voice in range(len(self._states)):
            self.reset_voice(voice)
        self._random = [np.random.default_rng(seed) for seed in self._seeds]
        if self._random:
            self._draw()

    def reset_voice(self, voice: int) -> None:
        """Forget what a voice played: its next frame is frame 0."""
        self._states[voice] = np.zeros((1, self._state_size), np.float32)

    def play(self, frames: VoiceFrames, pitched: Array | None = None) -> Array:
        """Play frames of voice 0: float32 `[frames * hop]`, finite; see `play_voices`.

        Whether they are pitched makes no difference here: what was without a pitch holds the one before.
        """
        return self.play_voices([0] * len(frames.f0_hz), frames).reshape(-1)

    def play_voices(self, numbers: Sequence[int], frames: VoiceFrames) -> Array:
        """Play a frame for each of the numbers, one after the other.

        Args:
            numbers: `[frames]`, which voices; frames of the same voice follow each other.
            frames: What they are told.

        Returns:
            float32 `[frames, hop]`, finite.
        """
        return self._play(numbers, frames)[:, self._output]

    def signals(self, numbers: Sequence[int], frames: VoiceFrames) -> dict[str, Array]:
        """Play frames as `play_voices`; give the signal of every node by its name."""
        signals = self._play(numbers, frames)
        return dict(zip(self._names, signals.swapaxes(0, 1), strict=True))

    def _play(self, numbers: Sequence[int], frames: VoiceFrames) -> Array:
        """Signals of the nodes, `[frames, nodes, hop]`."""
        parts = list[Array]()
        columns = (column.tolist() for column in (frames.f0_hz, frames.loudness_db, *frames.further))
        for number, f0, loudness, *told in zip(numbers, *columns, strict=True):
            given = {
                "player": np.array([[f0, *scale_frame(f0, loudness), *told, *frames.gains]], np.float32),
                "state": self._states[number],
            }
            if self._noise is not None:
                if self._drawn == _NOISE_FRAMES:
                    self._draw()
                given["white_noise"] = self._noise[self._drawn : self._drawn + 1]
                self._drawn += 1
            out = self._run(**given)
            self._states[number] = out["state"]
            signal = out["signals"]
            if not all_finite(signal):
                silence_bad(signal)
                self.reset_voice(number)  # or it would never sound again
            parts.append(signal)
        signals = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return signals.reshape(len(parts), -1, self._hop)

    def _draw(self) -> None:
        """Draw the white noise of some frames, `[frames, nodes * hop]`: a stream of its own for each node."""
        self._noise = np.concatenate(
            [white_noise(random, (_NOISE_FRAMES, self._hop)) for random in self._random], axis=1
        )
        self._drawn = 0
