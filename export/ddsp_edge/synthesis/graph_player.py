"""The signature `play` of a model file: features in, sound out, a hop at a time, by LiteRT."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.model.runtimes import open_signature
from ddsp_edge.synthesis.filtered_noise import FilteredNoise, white_noise
from ddsp_edge.synthesis.mixing import Mix
from ddsp_edge.synthesis.synthesizer import Synthesizer
from ddsp_edge.units import Array, silence_bad

PLAY, SYNTHESIZE = "play", "synthesize"
FEATURES = ("f0_hz", "loudness_db")


class GraphPlayer:
    """Run the whole instrument, network and synthesizer, as it is in a model file.

    It gives the samples that `Network` and `Synthesizer` give from the same seed, rooms included, to 1e-4 of
    full scale (law 1), where weights are float32. Where activations are quantized, a feature that differs in
    its last bit may be rounded to another step: see `play_error_peak` in `docs/model-file.md`.

    Args:
        interpreter: LiteRT's, of the model file; runs nothing else.
        card: Its card, with `synthesis_state_shapes`.
        checked: The same group in numpy, which has checked the card and has the seeds; it is not kept.

    Raises:
        DdspError: If the model cannot be run, or its signatures are not those that the card tells.
    """

    def __init__(self, interpreter: Any, card: InstrumentCard, checked: Synthesizer) -> None:
        self._hop, self._interpreter = card.hop, interpreter
        nodes = list(checked.nodes())
        self._seeds = {
            f"{name}_noise": processor.seed
            for name, processor, _ in nodes
            if isinstance(processor, FilteredNoise)
        }
        self._channels = {**checked.control_channels, "f0_hz": 1}
        self._levels = {  # control of the crossfade of two signals -> state that remembers it
            inputs["level"]: f"{name}_before"
            for name, processor, inputs in nodes
            if isinstance(processor, Mix)
        }
        lost = sorted(set(self._levels.values()) - set(card.synthesis_state_shapes))
        if lost:
            raise DdspError(f"The card has no state {', '.join(lost)[:200]}: export the model again")
        self._noises = {name: [1, card.hop] for name in self._seeds}
        self._synthesis_shapes = card.synthesis_state_shapes
        self._shapes = {**card.state_shapes, **self._synthesis_shapes}
        given = {name: [1, 1] for name in (*FEATURES, *card.further)}
        self._run = self._runner(PLAY, given, self._shapes)
        controls = {name: [1, channels] for name, channels in self._channels.items()}
        self._end = self._runner(SYNTHESIZE, controls, self._synthesis_shapes)  # plays what rings on
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is frame 0."""
        self._states: dict[str, Array] = {
            name: np.zeros(shape, np.float32) for name, shape in self._shapes.items()
        }
        self._random = {name: np.random.default_rng(seed) for name, seed in self._seeds.items()}
        self._f0_hz = np.zeros((1, 1), np.float32)

    def process(self, f0_hz: Array, loudness_db: Array, further: Mapping[str, Array]) -> Array:
        """Play frames.

        Args:
            f0_hz: `[frames]`, above 0 and at most Nyquist.
            loudness_db: `[frames]`, finite.
            further: `[frames]` each, finite, all further features of the card by name.

        Returns:
            float32 audio `[frames * hop]`, finite.
        """
        features = {**dict(zip(FEATURES, (f0_hz, loudness_db), strict=True)), **further}
        given = {name: _column(values) for name, values in features.items()}
        self._f0_hz = given["f0_hz"][-1:]
        return self._frames(self._run, given, self._shapes)

    def flush(self, frames: int) -> Array:
        """Play frames `[frames * hop]` in which the levels of harmonics and noise go to zero over the first.

        All else stays as it was, as in `Synthesizer.flush`.
        """
        held = {name: np.zeros((1, channels), np.float32) for name, channels in self._channels.items()}
        # The state of a crossfade is its level and one more.
        held |= {control: self._states[state] - np.float32(1.0) for control, state in self._levels.items()}
        held["f0_hz"] = self._f0_hz
        given = {name: np.repeat(value, frames, axis=0) for name, value in held.items()}
        return self._frames(self._end, given, self._synthesis_shapes)

    def _frames(self, run: Any, given: dict[str, Array], names: Iterable[str]) -> Array:
        """Run a signature on frames of what it takes besides noise, and on the states of these names."""
        frames = len(given["f0_hz"])
        for name, random in self._random.items():
            given[name] = white_noise(random, (frames * self._hop,)).reshape(frames, self._hop)
        states = {name: self._states[name] for name in names}
        audio = np.empty((frames, self._hop), np.float32)
        for i in range(frames):
            states = run(**{name: values[i : i + 1] for name, values in given.items()}, **states)
            audio[i] = states.pop("audio")[0]
        if not np.isfinite(audio).all():
            for values in (audio, *states.values()):  # states too, or it would never sound again
                silence_bad(values)
        self._states = {**self._states, **states}
        return audio.reshape(-1)

    def _runner(self, signature: str, given: dict[str, list[int]], states: dict[str, list[int]]) -> Any:
        """Open a signature that takes what is given, noise and states, and gives sound and states."""
        gives = {"audio": [1, self._hop], **states}
        return open_signature(self._interpreter, signature, {**given, **self._noises, **states}, gives)


def _column(values: Array) -> Array:
    return np.asarray(values, np.float32).reshape(-1, 1)
