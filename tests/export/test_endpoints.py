"""Signatures of the network: `block` does what `step` does frame after frame."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from ddsp_edge.model.numpy_graph import NumpyGraph
from ddsp_export.graph import SynthesizerGraph
from ddsp_export.operators import check_operators
from ddsp_export.quantize import quantize_weights
from ddsp_tf.errors import DdspError
from ddsp_tf.models import Autoencoder
from ddsp_tf.tasks.instrument.export.endpoints import BLOCK_FRAMES, make_endpoints
from ddsp_tf.tasks.instrument.export.exportable import convert_model as convert
from tests import tiny
from tests.selection import slow_but

FRAMES = 4 * BLOCK_FRAMES


def run(flatbuffer, signature, states, frames_a_call):
    """All outputs over a phrase, states handed on, `[frames, channels]` by name; and the last states."""
    rng = np.random.default_rng(0)
    features = {
        name: rng.uniform(0.3, 0.9, [FRAMES, 1]).astype(np.float32)
        for name in ("f0_scaled", "loudness_scaled")
    }
    runner = Interpreter(model_content=flatbuffer, num_threads=1).get_signature_runner(signature)
    state = {name: np.zeros([1, size], np.float32) for name, size in states.items()}
    parts = []
    for start in range(0, FRAMES, frames_a_call):
        given = {name: values[start : start + frames_a_call] for name, values in features.items()}
        out = runner(**given, **state)
        state = {name: out.pop(name) for name in states}
        parts.append(out)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, state


# Of int8 an activation that differs in its last bit may be rounded to the next of its 256 steps.
@pytest.mark.parametrize(("quantization", "bound"), [("float32", 1e-6), ("float16", 1e-6), ("int8", 0.02)])
def test_a_block_gives_the_controls_of_as_many_steps(wide_float32, wide_model, quantization, bound):
    model = quantize_weights(wide_float32[1], quantization)
    states = wide_model.decoder.state_sizes
    steps, after_steps = run(model, "step", states, 1)
    blocks, after_blocks = run(model, "block", states, BLOCK_FRAMES)
    assert set(blocks) == set(steps)
    for name, values in steps.items():
        assert blocks[name].shape == values.shape
        np.testing.assert_allclose(blocks[name], values, atol=bound)
        assert np.ptp(values, axis=0).max() > 10.0 * bound or quantization == "int8"
    for name, values in after_steps.items():
        np.testing.assert_allclose(after_blocks[name], values, atol=bound)


@pytest.mark.parametrize("kind", slow_but(("ConvDecoder",), ("MinGruDecoder", "ConvDecoder", "MlpDecoder")))
def test_every_decoder_is_asked_in_the_same_way(kind):
    """Whatever states a decoder has, they are inputs and outputs by their names; `block` equals `step`."""
    depth = 1 if kind == "MlpDecoder" else 2
    decoder = {"type": kind, "units": 8, "layer_units": 8, "layers": 1, "depth": depth}
    model = Autoencoder.from_experiment(tiny.config(model={**tiny.settings()["model"], "decoder": decoder}))
    flatbuffer = convert(model)
    check_operators(flatbuffer)
    states = model.decoder.state_sizes
    assert len(states) == (0 if kind == "MlpDecoder" else 2)
    steps, _ = run(flatbuffer, "step", states, 1)
    blocks, _ = run(flatbuffer, "block", states, BLOCK_FRAMES)
    for name, values in steps.items():
        np.testing.assert_allclose(blocks[name], values, atol=1e-6)
    assert NumpyGraph(flatbuffer, "step").outputs.keys() == {*steps, *states}  # which knows all its operators


def test_two_tensors_of_one_name_are_refused():
    """A noise whose node is called as a control is: a graph would take one for the other."""
    model = Autoencoder.from_experiment(tiny.config())
    synthesizer = SynthesizerGraph(model.spec, {"nodes": [], "output": "none"}, {})
    synthesizer.noises["harmonic_amplitude"] = model.spec.hop
    with pytest.raises(DdspError, match="two tensors of the name harmonic_amplitude: give its nodes other"):
        make_endpoints(model, synthesizer)
