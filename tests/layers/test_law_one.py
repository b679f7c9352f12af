"""Law 1: one synthesis. Every processor, cut into any blocks, gives the samples of one piece, and those are
the samples of a float64 oracle, at all hops and sample rates.

Every processor meets every pair of hop and rate. What is compiled or planned (XLA programs, transforms)
depends on the lengths of blocks and not on the rate, so each hop has few lengths, in another order for each
rate: the rates then cost little. Hops between the smallest, the largest and that of the device are slow.
"""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.layers import ProcessorGroup
from tests.layers import oracles
from tests.layers.cases import CASES, ONE_EACH, shipped_types, types_of_cases
from tests.layers.harness import make_inputs, take
from tests.selection import slow_but

RATES = (16000, 44100, 48000)
# Lengths of blocks in frames: single frames among others, and in all longer than any delay or room here.
BLOCKS = {
    1: (1, 1, 1, 600, 600),
    64: (1, 1, 1, 7, 7, 7),
    80: (1, 1, 1, 7, 7, 7),
    192: (1, 1, 4, 4),
    320: (1, 1, 4, 4),
    441: (1, 1, 4, 4),
}
HOPS = slow_but((64,), BLOCKS)
TOLERANCE = 1e-5  # of full scale; float32 sums, peaks about 3. The law asks for 1e-4.


def edges_of_blocks(hop, seed):
    lengths = np.random.default_rng(seed).permutation(BLOCKS[hop])
    return itertools.pairwise([0, *np.cumsum(lengths).tolist()])


def test_every_shipped_processor_is_tested():
    assert types_of_cases() == shipped_types() == set(oracles.SIGNALS)


@pytest.mark.parametrize("hop", HOPS)
@pytest.mark.parametrize("name", ONE_EACH)
def test_any_blocks_give_the_samples_of_one_piece_and_of_the_oracle(name, hop):
    for rate in RATES:
        layer = CASES[name](rate, hop)
        inputs = make_inputs(layer, frames=sum(BLOCKS[hop]), seed=rate)
        whole = layer(inputs).numpy()
        state, parts = None, []
        for start, stop in edges_of_blocks(hop, rate):
            block = layer.get_controls(**take(inputs, layer, start, stop))
            part, state = layer.stream_signal(block, state)
            parts.append(part)
        blocks = np.concatenate(parts, axis=1)
        np.testing.assert_allclose(blocks, whole, rtol=0, atol=TOLERANCE, err_msg=f"{rate} Hz")
        controls = layer.get_controls(**inputs)
        for key, want in oracles.controls(layer, inputs).items():
            np.testing.assert_allclose(controls[key], want, rtol=2e-5, atol=1e-6, err_msg=key)
        expected = oracles.signal(layer, controls)
        assert np.abs(expected).max() > 0.01
        np.testing.assert_allclose(whole, expected, rtol=0, atol=TOLERANCE, err_msg=f"{rate} Hz")


@pytest.mark.parametrize("name", slow_but(("harmonic", "filtered noise", "reverb"), CASES))
def test_a_minute_in_blocks_is_that_of_the_oracle(name):
    rate, hop, block = 16000, 320, 600
    layer = CASES[name](rate, hop)
    inputs = make_inputs(layer, frames=60 * rate // hop, batch=1)
    state, parts = None, []
    for start in range(0, 60 * rate // hop, block):
        controls = layer.get_controls(**take(inputs, layer, start, start + block))
        part, state = layer.stream_signal(controls, state)
        parts.append(part)
    expected = oracles.signal(layer, layer.get_controls(**inputs))
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(np.concatenate(parts, axis=1), expected, rtol=0, atol=1e-4)


NODES = [
    {
        "name": "harmonic",
        "type": "Harmonic",
        "config": {"n_harmonics": 12},
        "inputs": {"amplitude": "amplitude", "distribution": "distribution", "f0_hz": "f0_hz"},
    },
    {
        "name": "noise",
        "type": "FilteredNoise",
        "config": {"n_bands": 9},
        "inputs": {"magnitudes": "magnitudes", "noise": "white"},
    },
    {
        "name": "balance",
        "type": "Mix",
        "inputs": {"audio_0": "harmonic", "audio_1": "noise", "level": "level"},
    },
    {"name": "chorus", "type": "ModDelay", "inputs": {"audio": "balance", "gain": "gain", "delay": "delay"}},
    {"name": "gate", "type": "SpectralMask", "inputs": {"audio": "chorus", "mask": "mask"}},
    {
        "name": "room",
        "type": "ExpDecayReverb",
        "config": {"length_samples": 200},
        "inputs": {"audio": "gate"},
    },
    {"name": "end", "type": "Crop", "config": {"drop_samples": 70}, "inputs": {"audio": "room"}},
]


@pytest.mark.parametrize("hop", HOPS)
def test_any_blocks_of_a_group_give_the_samples_of_one_piece(hop):
    names = ["amplitude", "distribution", "f0_hz", "magnitudes", "white", "level", "gain", "delay", "mask"]
    for rate in RATES:
        group = ProcessorGroup(rate, hop, inputs=names, nodes=NODES)
        inputs = make_inputs(group, frames=sum(BLOCKS[hop]), seed=rate)
        whole = group(inputs).numpy()
        state, parts = None, []
        for start, stop in edges_of_blocks(hop, rate):
            output, state = group.stream(take(inputs, group, start, stop), state)
            parts.append(output.audio)
        assert np.abs(whole).max() > 0.01
        blocks = np.concatenate(parts, axis=1)
        np.testing.assert_allclose(blocks, whole, rtol=0, atol=TOLERANCE, err_msg=f"{rate} Hz")


@pytest.mark.parametrize("name", ONE_EACH)
def test_one_graph_renders_any_batch_and_any_length(name):
    """Traced once, with nothing but the channels known; single frames too."""
    layer = CASES[name](16000, 64)
    layer.get_controls(**make_inputs(layer))  # makes the weights, which a trace may not
    example = make_inputs(layer)
    signature = {k: tf.TensorSpec([None, *[None, *v.shape[2:]]], v.dtype) for k, v in example.items()}
    traces = []

    @tf.function(input_signature=[signature], autograph=False)
    def render(inputs):
        traces.append(inputs)
        return layer(inputs)

    for batch, frames in [(2, 7), (1, 1), (3, 20)]:
        inputs = make_inputs(layer, frames=frames, batch=batch)
        np.testing.assert_allclose(render(inputs), layer(inputs), rtol=0, atol=TOLERANCE)
    assert len(traces) == 1


@pytest.mark.parametrize("name", CASES)
def test_an_empty_batch_is_empty_sound(name):
    """What a distributed run hands to the worker for whom nothing is left."""
    layer = CASES[name](16000, 64)
    inputs = make_inputs(layer, frames=3, batch=0)
    shapes = {k: tuple(v.shape) for k, v in inputs.items()}
    assert tuple(layer(inputs).shape) == layer.compute_output_shape(shapes)
