"""Groups of layers that were made beforehand, processors and others of Keras."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers import Harmonic, Node, ProcessorGroup, Reverb, SignalLayer

RATE, HOP, FRAMES = 16_000, 64, 6


@keras.saving.register_keras_serializable(package="tests")
class Gain(keras.layers.Layer):
    """A learned gain: a layer of a user's, with a weight."""

    streams = True

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(), initializer="ones", name="gain")

    def call(self, inputs):
        return inputs * self.gain


@keras.saving.register_keras_serializable(package="tests")
class Normalised(keras.layers.Layer):
    """Divides by the peak, of the whole signal."""

    def call(self, inputs):
        return inputs / tf.reduce_max(tf.abs(inputs), axis=1, keepdims=True)


def group_of(*layers, first="audio"):
    """Layers in a row."""
    nodes, source = [], first
    for i, layer in enumerate(layers):
        nodes.append(Node(f"node_{i}", layer, {"audio": source}))
        source = f"node_{i}"
    return ProcessorGroup(RATE, HOP, [first], nodes)


@pytest.fixture
def audio():
    return np.random.default_rng(0).uniform(-2, 2, [2, FRAMES * HOP]).astype(np.float32)


def test_layers_do_what_the_same_by_name_do(audio):
    given = group_of(Reverb(50, RATE, HOP), keras.layers.Activation("tanh"))
    nodes = [
        {
            "name": "node_0",
            "type": "Reverb",
            "config": {"length_samples": np.int64(50)},
            "inputs": {"audio": "audio"},
        },
        {
            "name": "node_1",
            "type": "keras.layers.Activation",
            "config": {"activation": "tanh"},
            "inputs": {"audio": "node_0"},
        },
    ]
    named = ProcessorGroup(RATE, HOP, ["audio"], nodes)
    taps = np.random.default_rng(1).normal(size=49)
    for group in (given, named):
        group.build(None)
        group.processors["node_0"].taps.assign(taps)
    np.testing.assert_array_equal(given(audio), named(audio))
    np.testing.assert_allclose(given(audio), np.tanh(given.stream(audio)[0].signals["node_0"]), atol=1e-6)
    assert "Activation" in given.table()
    assert "Reverb" in given.mermaid()
    assert given.nodes[0].config == {"length_samples": 50}


def test_a_group_comes_back_from_its_configuration_and_from_a_file_with_its_weights(audio, tmp_path):
    group = group_of(Gain(), Reverb(50, RATE, HOP), keras.layers.ReLU(0.7))
    inputs = keras.Input([None])
    model = keras.Model(inputs, group(inputs))
    for weight in group.weights:
        weight.assign(np.random.default_rng(2).normal(size=weight.shape))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(audio), model(audio))
    config = json.loads(json.dumps(group.get_config()))
    again = ProcessorGroup.from_config(config)
    assert [node.type for node in again.nodes] == ["Gain", "Reverb", "ReLU"]
    again(audio)
    again.set_weights(group.get_weights())
    np.testing.assert_array_equal(again(audio), model(audio))


def test_settings_of_a_given_processor_are_kept():
    layer = Reverb(50, RATE, HOP, trainable=False)
    again = ProcessorGroup.from_config(group_of(layer).get_config()).processors["node_0"]
    assert again.length_samples == 50
    assert not again.trainable


def test_weights_of_layers_train(audio):
    group = group_of(Gain(), keras.layers.Activation("tanh"))
    inputs = keras.Input([None])
    model = keras.Model(inputs, group(inputs))
    model.compile(keras.optimizers.Adam(0.1), "mse")
    losses = model.fit(audio, np.tanh(0.5 * audio), epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize("layer", [keras.layers.Activation("tanh"), keras.layers.LeakyReLU(0.2), Gain()])
def test_what_works_sample_by_sample_streams(layer, audio):
    group = group_of(Reverb(50, RATE, HOP), layer)
    whole, state, parts = group(audio), None, []
    for start in range(0, FRAMES * HOP, 2 * HOP):
        output, state = group.stream({"audio": audio[:, start : start + 2 * HOP]}, state)
        parts.append(output.audio)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6)


def test_what_may_look_at_a_whole_signal_renders_in_one_piece_and_refuses_a_second_block(audio):
    group = group_of(Normalised())
    np.testing.assert_allclose(np.abs(group(audio)).max(axis=1), 1.0, atol=1e-6)
    _, state = group.stream({"audio": audio})
    with pytest.raises(DdspError, match=r"node_0: Normalised may look at a whole signal.*streams = True"):
        group.stream({"audio": audio}, state)


def test_several_signals_come_as_a_list(audio):
    nodes = [Node("product", keras.layers.Multiply(), {"audio_0": "one", "audio_1": "two"})]
    group = ProcessorGroup(RATE, HOP, ["one", "two"], nodes)
    np.testing.assert_allclose(group([audio, audio]), audio**2, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: group_of(Reverb(50, RATE, 32)), "must have sample_rate 16000 and hop 64.*hop=32"),
        (lambda: group_of(*[Gain()] * 2), "its layer is another node's too"),
        (lambda: Node("a", Gain(), {"audio": "audio"}, {"x": 1}), "a layer with its own settings"),
        (lambda: Node("a", 3, {"audio": "audio"}), "type must be the name"),
        (
            lambda: group_of("keras.layers.Activaton"),
            "Keras has no layer 'Activaton'. Did you mean 'Activation'",
        ),
        (lambda: group_of("keras.layers.Activation"), r"node 'node_0' \(keras.layers.Activation\)"),
        (lambda: group_of(keras.layers.Dense(3)).build(None), "Dense cannot be built for signals"),
        (lambda: group_of(keras.layers.Reshape([-1, 1]))(np.ones([1, 64])), "Reshape must give a signal"),
        (lambda: SignalLayer("tanh", RATE, HOP), "layer must be a layer of Keras"),
        (lambda: SignalLayer(Harmonic(3, RATE, HOP), RATE, HOP), "that is no processor"),
        (
            lambda: Node.from_dict({"name": "a", "type": {"class_name": "Nope", "config": {}}, "inputs": {}}),
            "its layer cannot be read",
        ),
        (lambda: Node.from_dict({"name": "a", "type": 3, "inputs": {}}), "type must be a name or a layer"),
    ],
)
def test_layers_that_cannot_be_nodes_are_refused_in_words(make, words):
    with pytest.raises(DdspError, match=words):
        make()
