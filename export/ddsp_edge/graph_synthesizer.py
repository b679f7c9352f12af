"""The synthesizer inside a model file: controls in, sound out, a hop at a time, by LiteRT."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ddsp_edge.card import Card
from ddsp_edge.errors import DdspError
from ddsp_edge.quiet import quiet_stderr
from ddsp_edge.synthesis import FilteredNoise, Harmonic, Mix, white_noise
from ddsp_edge.synthesizer import Synthesizer
from ddsp_edge.units import Array

SIGNATURE = "synthesize"
_PER_HERTZ = 2**20  # a cycle of the phase is 2 hop sample_rate times as many steps; see docs/model-file.md


class GraphSynthesizer:
    """Run the signature `synthesize` of a model file.

    It gives the samples that `Synthesizer` gives from the same seed, rooms included, to 1e-4 of full scale
    (law 1). A hop is one call of LiteRT instead of a hundred of numpy, which is faster at many at once.

    Args:
        model: The flatbuffer.
        card: Its card, with `synthesis_state_shapes`.
        checked: The same group in numpy, which has checked the card and has the seeds; it is not kept.

    Raises:
        DdspError: If the model cannot be loaded, or its signature is not the one the card tells.
    """

    def __init__(self, model: bytes, card: Card, checked: Synthesizer) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._spec = card.spec
        self._seeds = {
            f"{name}_noise": processor.seed
            for name, processor, _ in checked.nodes()
            if isinstance(processor, FilteredNoise)
        }
        shapes = {name: [1, channels] for name, channels in {**checked.control_channels, "f0_hz": 1}.items()}
        self._controls = list(shapes)
        shapes |= {name: [1, card.hop] for name in self._seeds}
        self._state_shapes = card.synthesis_state_shapes
        try:
            with quiet_stderr():
                interpreter = Interpreter(model_content=model, num_threads=1)
                self._run = interpreter.get_signature_runner(SIGNATURE)
                _check("input", self._run.get_input_details(), {**shapes, **self._state_shapes})
                _check(
                    "output", self._run.get_output_details(), {"audio": [1, card.hop], **self._state_shapes}
                )
                self.reset()
                # The first run prepares the kernels, and is where a bad graph fails.
                self.process({name: np.zeros(shape, np.float32) for name, shape in shapes.items()})
        except DdspError:
            raise
        except (ValueError, RuntimeError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise DdspError(f"The synthesizer of the model cannot be run by LiteRT: {reason}") from error
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is frame 0."""
        self._states: dict[str, Array] = {
            name: np.zeros(shape, np.float32) for name, shape in self._state_shapes.items()
        }
        self._random = {name: np.random.default_rng(seed) for name, seed in self._seeds.items()}

    def noise(self, frames: int) -> dict[str, Array]:
        """Draw the white noise of the next frames, `[frames * hop]`, by control."""
        samples = frames * self._spec.hop
        return {name: white_noise(random, (samples,)) for name, random in self._random.items()}

    def process(self, controls: Mapping[str, Array]) -> Array:
        """Render frames.

        Args:
            controls: `[frames, channels]` by name, `f0_hz` among them, and white noise `[frames * hop]` as
                `noise` gives it.

        Returns:
            float32 audio `[frames * hop]`.
        """
        frames, hop = len(controls["f0_hz"]), self._spec.hop
        given = {name: np.asarray(controls[name], np.float32) for name in self._controls}
        given |= {name: controls[name].reshape(frames, hop) for name in self._seeds}
        audio = np.empty((frames, hop), np.float32)
        for i in range(frames):
            out = self._run(**{name: values[i : i + 1] for name, values in given.items()}, **self._states)
            audio[i] = out.pop("audio")[0]
            self._states = out
        return audio.reshape(-1)

    def hand_over(self, synthesizer: Synthesizer) -> None:
        """Let nodes in numpy go on from where those of the graph are; rooms begin in silence."""
        synthesizer.reset()
        states = {name: values[0] for name, values in self._states.items()}
        for name, processor, _ in synthesizer.nodes():
            if isinstance(processor, FilteredNoise):
                processor.resume(states[f"{name}_tail"])
            elif isinstance(processor, Harmonic) and states[f"{name}_f0_hz"][0] > 0.0:
                cycle = 2 * self._spec.hop * self._spec.sample_rate * _PER_HERTZ
                phase_cycles = float(states[f"{name}_phase"].sum(dtype=np.float64)) / cycle
                f0_hz = float(states[f"{name}_f0_hz"][0])
                processor.resume(phase_cycles, f0_hz, states[f"{name}_amplitudes"])
            elif isinstance(processor, Mix) and states[f"{name}_before"][0] > 0.0:
                processor.resume(float(states[f"{name}_before"][0]) - 1.0)


def _check(what: str, details: Mapping[str, Any], wanted: Mapping[str, list[int]]) -> None:
    have = {name: [int(n) for n in tensor["shape"]] for name, tensor in details.items()}
    if have != wanted or any(tensor["dtype"] != np.float32 for tensor in details.values()):
        names = sorted(name for name in {*have, *wanted} if have.get(name) != wanted.get(name))
        raise DdspError(
            f"The {what}s of {SIGNATURE!r} in the model are not those of its card: {', '.join(names)[:200]}"
        )
