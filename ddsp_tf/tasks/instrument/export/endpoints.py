"""What a model file can be asked: its signatures, as functions of TensorFlow.

`step`        one frame of the network: pitch, loudness, further features, all scaled, and states in, controls
              and next states out
`block`       the same over several frames, for offline speed
`synthesize`  one frame of controls and white noise in, one hop of audio out
`play`        f0, loudness and further features in, audio out: `step` and `synthesize` in one
`voice`       `play` for hosts of several voices: without the rooms at the end, with a gain for each node that
              sounds, every node's signal, and all states in one

All tensors are float32 `[1, size]`, features and controls of `block` `[frames, size]`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from ddsp_edge.frames import FrameSpec
from ddsp_edge.further import scaled_name
from ddsp_edge.synthesis.voice_graph import SIGNATURE as VOICE
from ddsp_edge.synthesis.voice_graph import VoiceLayout
from ddsp_edge.units import Array
from ddsp_export.exportable import STEP
from ddsp_export.graph import SynthesizerGraph
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.instrument.model.autoencoder import FEATURES, Autoencoder
from ddsp_tf.tasks.instrument.model.scaling import scale_f0, scale_further, scale_loudness

Tensors = dict[str, tf.Tensor]

SCALED = ("f0_scaled", "loudness_scaled")
BLOCK, SYNTHESIZE, PLAY = "block", "synthesize", "play"
BLOCK_FRAMES = 16
"""Frames of a call of `block`. More win nothing: what is saved is the way in and out of the interpreter."""


@dataclass(frozen=True)
class VoiceSynthesis:
    """What the signature `voice` synthesizes with.

    Args:
        layout: What of a card's synthesizer a voice plays.
        graph: The graph of that.
    """

    layout: VoiceLayout
    graph: SynthesizerGraph

    @classmethod
    def of(cls, spec: FrameSpec, synthesizer: dict[str, Any], arrays: dict[str, Array]) -> "VoiceSynthesis":
        """Build that of the synthesizer of a card; see `SynthesizerGraph`."""
        layout = VoiceLayout.of(synthesizer)
        return cls(layout, SynthesizerGraph(spec, layout.synthesizer, arrays))

    def describe(self, network_states: Mapping[str, int]) -> dict[str, Any]:
        """What a card says of the signature, given the sizes of the network's states."""
        return self.layout.describe(sum(network_states.values()) + sum(self.graph.states.values()))


def output_name(node: str, control: str) -> str:
    """Name of a control among the outputs of `step`."""
    return f"{node}_{control}"


def make_endpoints(
    model: Autoencoder, synthesizer: SynthesizerGraph | None = None, voice: VoiceSynthesis | None = None
) -> dict[str, Any]:
    """Make the signatures of a model.

    Args:
        model: The trained model.
        synthesizer: None to leave out `synthesize` and `play`.
        voice: None to leave out `voice`.

    Returns:
        `tf.function`s with input signatures, by name; each takes tensors in the order of its signature and
        gives tensors by name.
    """
    states = model.decoder.state_sizes
    scaled_names = (*SCALED, *map(scaled_name, model.further))

    def step(given: Tensors) -> Tensors:
        inputs = {name: given[name] for name in scaled_names}
        controls, next_states = model.step(inputs, {name: given[name] for name in states})
        named = {
            output_name(node.name, control): controls[node.name][control]
            for node in model.processors.nodes
            for control in controls[node.name]
            if node.inputs.get(control) not in FEATURES
        }
        return {**named, **next_states}

    features = {name: [1, 1] for name in scaled_names}
    state_shapes = _rows(states)
    endpoints = {STEP: _endpoint({**features, **state_shapes}, step)}
    controls = {
        name: int(value.shape[-1])
        for name, value in endpoints[STEP].get_concrete_function().structured_outputs.items()
        if name not in states
    }

    def block(given: Tensors) -> Tensors:
        return _repeat(step, given, scaled_names, states, controls)

    frames = {name: [BLOCK_FRAMES, 1] for name in scaled_names}
    endpoints[BLOCK] = _endpoint({**frames, **state_shapes}, block)
    if synthesizer is None:
        return endpoints

    def synthesize(given: Tensors) -> Tensors:
        audio, next_states = synthesizer.run(given, given)
        return {"audio": audio, **next_states}

    def play(given: Tensors) -> Tensors:
        scaled = {
            "f0_scaled": scale_f0(given["f0_hz"]),
            "loudness_scaled": scale_loudness(given["loudness_db"]),
            **{scaled_name(name): scale_further(name, given[name]) for name in model.further},
        }
        out = step({**given, **scaled})
        next_states = {name: out[name] for name in states}
        return {**next_states, **synthesize({**given, **out})}

    raw = (*FEATURES, *model.further)
    _check_names([*raw, *scaled_names, *states, *controls, *synthesizer.noises, *synthesizer.states])
    own = _rows({**synthesizer.noises, **synthesizer.states})
    endpoints[SYNTHESIZE] = _endpoint({"f0_hz": [1, 1], **_rows(controls), **own}, synthesize)
    endpoints[PLAY] = _endpoint({**{name: [1, 1] for name in raw}, **state_shapes, **own}, play)
    if voice is not None:
        endpoints[VOICE] = _voice(step, scaled_names, states, voice)
    return endpoints


def _check_names(names: list[str]) -> None:
    """Refuse two tensors of one name: a graph would take the one for the other."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DdspError(
            f"the synthesizer has two tensors of the name {', '.join(twice)}: give its nodes other names"
        )


def _voice(
    step: Callable[[Tensors], Tensors],
    scaled: Sequence[str],
    network_states: Mapping[str, int],
    voice: VoiceSynthesis,
) -> Any:
    """The signature `voice`."""
    graph, layout, hop, names = voice.graph, voice.layout, voice.graph.spec.hop, ("f0_hz", *scaled)
    columns = len(names)
    sizes = {**network_states, **graph.states}

    def play_voice(given: Tensors) -> Tensors:
        player = dict(zip(names, tf.split(given["player"][:, :columns], columns, axis=1), strict=True))
        state = dict(zip(sizes, tf.split(given["state"], list(sizes.values()), axis=1), strict=True))
        controls = step({**state, **{name: player[name] for name in scaled}})
        after = {name: controls.pop(name) for name in network_states}
        for place, (_, control) in enumerate(layout.levels(), start=columns):
            controls[control] *= given["player"][:, place : place + 1]
        for place, name in enumerate(layout.noises):
            controls[f"{name}_noise"] = given["white_noise"][:, place * hop : (place + 1) * hop]
        signals, rest = graph.run_nodes({"f0_hz": player["f0_hz"], **controls}, state)
        after |= rest
        return {
            "signals": tf.concat(list(signals.values()), axis=1),
            "state": tf.concat([after[name] for name in sizes], axis=1),
        }

    shapes = {"player": [1, columns + len(layout.gains)], "state": [1, sum(sizes.values())]}
    if layout.noises:
        shapes["white_noise"] = [1, len(layout.noises) * hop]
    return _endpoint(shapes, play_voice)


def _repeat(
    step: Callable[[Tensors], Tensors],
    given: Tensors,
    scaled: Sequence[str],
    states: Mapping[str, int],
    controls: Mapping[str, int],
) -> Tensors:
    """Run `step` over the frames of a block, in a loop: its weights are there once.

    Frames wait in a queue `[frames, channels]`: the first leaves it, its controls join it. Interpreters do
    this faster than indexing.
    """
    width = sum(controls.values())
    inputs = tf.concat([given[name] for name in scaled], axis=1)

    def frame(i: tf.Tensor, queue: tf.Tensor, *state: tf.Tensor) -> tuple[tf.Tensor, ...]:
        first = {name: queue[:1, k : k + 1] for k, name in enumerate(scaled)}
        out = step({**first, **dict(zip(states, state, strict=True))})
        row = tf.concat([out[name] for name in controls], axis=1)
        row = tf.pad(row, [[0, 0], [0, queue.shape[1] - width]])
        return i + 1, tf.concat([queue[1:], row], axis=0), *(out[name] for name in states)

    spare = max(0, width - len(scaled))
    queue = tf.pad(inputs, [[0, 0], [0, spare]])
    _, queue, *last = tf.while_loop(
        lambda i, *_: i < BLOCK_FRAMES,
        frame,
        [tf.constant(0), queue, *(given[name] for name in states)],
        maximum_iterations=BLOCK_FRAMES,
    )
    rows = tf.split(queue[:, :width], list(controls.values()), axis=1)
    return {**dict(zip(controls, rows, strict=True)), **dict(zip(states, last, strict=True))}


def _rows(sizes: Mapping[str, int]) -> dict[str, list[int]]:
    return {name: [1, size] for name, size in sizes.items()}


def _endpoint(shapes: Mapping[str, list[int]], function: Callable[[Tensors], Tensors]) -> Any:
    """A graph of a function of tensors by name."""
    specification = [tf.TensorSpec(shape, tf.float32, name=name) for name, shape in shapes.items()]

    @tf.function(input_signature=specification, autograph=False)
    def run(*tensors: tf.Tensor) -> Tensors:
        return dict(function(dict(zip(shapes, tensors, strict=True))))

    return run
