"""The processor group: checks, sorting, names, round trips, and random graphs."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_tf.errors import DdspError
from ddsp_tf.layers import Node, ProcessorGroup

INPUTS = ["f0_hz", "amplitude", "distribution", "magnitudes"]
NODES = [
    Node("reverb", "Reverb", {"audio": "dry"}, {"length_samples": 40}),
    Node("dry", "Add", {"audio_0": "harmonic", "audio_1": "noise"}),
    Node("noise", "FilteredNoise", {"magnitudes": "magnitudes"}, {"n_bands": 9, "seed": 3}),
    Node(
        "harmonic",
        "Harmonic",
        {"amplitude": "amplitude", "distribution": "distribution", "f0_hz": "f0_hz"},
        {"n_harmonics": 5},
    ),
]


def make_group(nodes=NODES, inputs=INPUTS, **kwargs):
    return ProcessorGroup(16000, 32, inputs=inputs, nodes=nodes, **kwargs)


def make_inputs(frames=6, batch=2):
    rng = np.random.default_rng(0)
    sizes = {"amplitude": 1, "distribution": 5, "magnitudes": 9}
    inputs = {k: rng.normal(size=[batch, frames, n]) for k, n in sizes.items()}
    inputs["f0_hz"] = rng.uniform(100, 900, [batch, frames, 1])
    return {k: tf.constant(v, tf.float32) for k, v in inputs.items()}


def change(which, /, **fields):
    return [Node(**{**n.to_dict(), **fields}) if n.name == which else n for n in NODES]


def test_nodes_are_sorted_and_the_output_is_found():
    group = make_group()
    order = [node.name for node in group.nodes]
    assert order.index("dry") > max(order.index("noise"), order.index("harmonic"))
    assert group.output_name == "reverb"
    assert group.input_sizes == {"f0_hz": 1, "amplitude": 1, "distribution": 5, "magnitudes": 9}


def test_every_signal_and_control_can_be_had_by_name():
    output, _ = make_group().stream(make_inputs())
    np.testing.assert_allclose(output.signals["harmonic"] + output.signals["noise"], output.signals["dry"])
    np.testing.assert_array_equal(output.audio, output.signals["reverb"])
    np.testing.assert_allclose(tf.reduce_sum(output.controls["harmonic"]["distribution"], -1), 1.0, rtol=1e-5)


def test_controls_can_be_edited_and_replayed():
    group, inputs = make_group(), make_inputs()
    controls = group.get_controls(inputs)
    noise = np.random.default_rng(1).uniform(-1, 1, [2, 192]).astype("float32")
    controls["noise"]["noise"] = tf.constant(noise)
    first = group.get_signal(controls)
    np.testing.assert_array_equal(first.audio, group.get_signal(controls).audio)
    controls["harmonic"]["amplitude"] *= 0.5
    second = group.get_signal(controls)
    np.testing.assert_allclose(second.signals["harmonic"], 0.5 * first.signals["harmonic"], atol=1e-6)
    np.testing.assert_array_equal(second.signals["noise"], first.signals["noise"])


def test_blocks_of_any_size_equal_one_piece():
    group, inputs = make_group(), make_inputs(frames=9)
    controls = group.get_controls(inputs)
    controls["noise"]["noise"] = tf.random.stateless_uniform([2, 9 * 32], [1, 2], -1.0, 1.0)
    whole = group.get_signal(controls).audio
    state, parts = None, []
    for start, stop in [(0, 1), (1, 2), (2, 7), (7, 9)]:
        block = {
            node: {
                k: v[:, start * 32 : stop * 32]
                if k == "noise"
                else v
                if k == "impulse_response"
                else v[:, start:stop]
                for k, v in values.items()
            }
            for node, values in controls.items()
        }
        output, state = group.stream_signal(block, state)
        parts.append(output.audio)
    np.testing.assert_allclose(tf.concat(parts, 1), whole, atol=1e-6)


def test_group_round_trips_through_config_yaml_and_keras_file(tmp_path):
    group, inputs = make_group(), make_inputs()
    config = yaml.safe_load(yaml.safe_dump(json.loads(json.dumps(group.get_config()))))
    assert ProcessorGroup.from_config(config).get_config() == group.get_config()
    symbolic = {k: keras.Input([None, v.shape[-1]], name=k) for k, v in inputs.items()}
    model = keras.Model(symbolic, group(symbolic))
    group.processors["reverb"].taps.assign(np.full(39, 0.01, "float32"))
    model.save(tmp_path / "group.keras")
    loaded = keras.models.load_model(tmp_path / "group.keras")
    taps = [w for w in loaded.weights if w.name == "taps"]
    np.testing.assert_array_equal(taps[0], np.full(39, 0.01, "float32"))


def test_group_prints_as_table_and_mermaid():
    group = make_group()
    table = group.table().splitlines()
    assert len(table) == 2 + len(NODES)
    assert "reverb (output)" in group.table()
    mermaid = group.mermaid()
    assert mermaid.startswith("flowchart LR")
    assert "harmonic -- audio_0 --> dry" in mermaid


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([], "at least one node"),
        ([*NODES, NODES[0]], "'reverb' is used twice"),
        (change("noise", name="f0_hz"), "'f0_hz' is used twice"),
        (change("noise", name="no ise"), "'no ise' cannot be a name"),
        (change("dry", inputs={"audio_0": "harmonik", "audio_1": "noise"}), "Did you mean 'harmonic'"),
        (change("dry", inputs={"audio_0": "harmonic"}), "nodes lead nowhere \\(reverb, noise\\)"),
        (change("reverb", inputs={"sound": "dry"}), "lacks its input 'audio'"),
        (
            change("dry", inputs={"audio_0": "harmonic", "audio_1": "noise", "audio_2": "noise"}),
            "has no input 'audio_2'",
        ),
        (change("harmonic", type="Harmonik"), "Did you mean 'Harmonic'"),
        (change("harmonic", config={"n_harmonic": 5}), "no setting 'n_harmonic'. Did you mean 'n_harmonics'"),
        (change("harmonic", config={"n_harmonics": -5}), "n_harmonics=-5"),
        (change("noise", inputs={"magnitudes": "amplitude"}), "the group's input 'magnitudes' is not used"),
    ],
)
def test_graphs_that_cannot_be_are_refused_in_words(nodes, words):
    with pytest.raises(DdspError, match=words):
        make_group(nodes)


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"name": "a", "type": "Add", "input": {}}, "Did you mean 'inputs'"),
        ({"name": "a", "inputs": {}}, "type is missing"),
        ({"name": "a", "type": "Add", "inputs": ["b"]}, "inputs must be a dict"),
        ({"name": "a", "type": "Add", "inputs": {"audio_0": 3}}, "must be a name"),
        ("harmonic", "must be a mapping"),
    ],
)
def test_nodes_that_yaml_got_wrong_are_refused_in_words(node, words):
    with pytest.raises(DdspError, match=words):
        make_group([node])


def test_a_control_from_the_signal_of_a_node_is_refused():
    nodes = [NODES[2], Node("mix", "Mix", {"audio_0": "noise", "audio_1": "noise", "level": "noise"})]
    with pytest.raises(
        DdspError, match="its input 'level' is a control, but 'noise' is the signal of a node"
    ):
        make_group(nodes, inputs=["magnitudes"])


def test_an_input_of_two_sizes_is_refused():
    nodes = [
        NODES[2],
        Node("balance", "Mix", {"audio_0": "noise", "audio_1": "noise", "level": "magnitudes"}),
    ]
    with pytest.raises(
        DdspError, match=r"'magnitudes' goes to noise\.magnitudes, which takes 9 channels, and to"
    ):
        make_group(nodes, inputs=["magnitudes"])


def test_a_cycle_is_walked_in_the_message():
    nodes = [
        Node("a", "Add", {"audio_0": "c", "audio_1": "sound"}),
        Node("b", "Add", {"audio_0": "a"}, {"n_inputs": 1}),
        Node("c", "Add", {"audio_0": "b"}, {"n_inputs": 1}),
        Node("out", "Add", {"audio_0": "c"}, {"n_inputs": 1}),
    ]
    with pytest.raises(DdspError, match=r"cycle: (a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c)"):
        make_group(nodes, inputs=["sound"])


def test_missing_and_unknown_inputs_of_a_call_are_named():
    group, inputs = make_group(), make_inputs()
    with pytest.raises(DdspError, match="lacks its input 'f0_hz'"):
        group({k: v for k, v in inputs.items() if k != "f0_hz"})
    with pytest.raises(DdspError, match="Did you mean 'f0_hz'"):
        group({**inputs, "f0_h": inputs["f0_hz"]})


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_random_graphs_of_sums_equal_numpy_in_any_order(data):
    count = data.draw(st.integers(1, 8))
    inputs = ["x", "y"]
    nodes, values = [], {"x": np.ones(32), "y": np.full(32, 10.0)}
    for i in range(count):
        sources = data.draw(st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=3))
        nodes.append(
            Node(f"n{i}", "Add", {f"audio_{j}": s for j, s in enumerate(sources)}, {"n_inputs": len(sources)})
        )
        values[f"n{i}"] = sum(values[s] for s in sources)
    nodes.append(Node("rest", "Add", {"audio_0": "x", "audio_1": "y"}))
    values["rest"] = values["x"] + values["y"]
    nodes = data.draw(st.permutations(nodes))
    group = ProcessorGroup(16000, 32, inputs=inputs, nodes=nodes, output="n0")
    output, _ = group.stream({k: tf.constant(values[k][None], tf.float32) for k in inputs})
    for name, signal in output.signals.items():
        np.testing.assert_allclose(signal[0], values[name], rtol=1e-6)


def test_shapes_are_known_beforehand_behind_a_crop():
    group = ProcessorGroup(
        16000,
        64,
        inputs=["sound"],
        nodes=[{"name": "end", "type": "Crop", "config": {"drop_samples": 70}, "inputs": {"audio": "sound"}}],
    )
    assert group.compute_output_shape({"sound": (None, 640)}) == (None, 570)
    assert group({"sound": tf.zeros([1, 640])}).shape == (1, 570)
