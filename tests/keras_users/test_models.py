"""What Keras users do with a whole model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.config import Config
from ddsp_tf.errors import DdspError
from ddsp_tf.layers import Node, ProcessorGroup, Reverb
from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.models import Autoencoder, GruDecoder
from tests import tiny
from tests.selection import slow_but

FRAMES, BATCH = 10, 2


@pytest.fixture
def model():
    return Autoencoder.from_experiment(Config.from_dict(tiny.without_noise()))


@pytest.fixture
def features():
    return {k: np.asarray(v) for k, v in tiny.features(FRAMES, BATCH).items()}


def quiet(*args, **kwargs):
    """Print nothing."""


def unbuilt(model):
    decoder = GruDecoder(model.decoder.output_sizes, units=8, layer_units=8)
    return Autoencoder(decoder, ProcessorGroup.from_config(model.processors.get_config()))


@pytest.mark.parametrize("nested", slow_but((True,), (False, True)))
def test_summaries_at_all_times(model, features, nested, tmp_path):
    lines = []
    other = unbuilt(model)
    other.summary(print_fn=quiet, expand_nested=nested)
    other(features)
    other.summary(print_fn=quiet, expand_nested=nested)
    model.summary(print_fn=lines.append, expand_nested=nested)
    text = "".join(lines)
    assert "decoder (GruDecoder)" in text
    assert "processors (ProcessorGroup)" in text
    assert f"Total params: {model.count_params():,}" in text
    model(features)
    model.summary(print_fn=quiet, expand_nested=nested, show_trainable=True)
    model.compile("adam", MultiScaleSpectralLoss((64,)))
    model.fit(features, np.zeros([BATCH, FRAMES * tiny.HOP]), verbose=0)
    model.summary(print_fn=quiet, expand_nested=nested)
    model.save(tmp_path / "model.keras")
    keras.models.load_model(tmp_path / "model.keras").summary(print_fn=quiet, expand_nested=nested)
    for part in (model.decoder, model.processors):
        assert part.count_params() > 0


FORMS = {
    "float64": lambda v: v.astype(np.float64),
    "integers": lambda v: np.round(v).astype(np.int64),
    "tensors of integers": lambda v: tf.constant(np.round(v), tf.int32),
    "lists": lambda v: v.tolist(),
    "no axis of channels": lambda v: v[..., 0],
}


@pytest.mark.parametrize("form", slow_but(("integers",), FORMS))
def test_features_of_any_kind_are_the_same_everywhere(model, features, form):
    features = {k: np.round(v) for k, v in features.items()}
    given = {k: FORMS[form](v) for k, v in features.items()}
    want = model(features)
    np.testing.assert_array_equal(model(given), want)
    np.testing.assert_array_equal(model.stream(given)[0].audio, want)
    for got, wanted in zip(
        tf.nest.flatten(model.get_controls(given)), tf.nest.flatten(model.get_controls(features)), strict=True
    ):
        np.testing.assert_array_equal(got, wanted)
    if form != "lists":  # which Keras' own `predict` and `fit` take for several inputs
        model.predict(features, verbose=0)  # traces a graph for another rank
        np.testing.assert_allclose(model.predict(given, verbose=0), want, atol=1e-5)
        model.compile("adam", MultiScaleSpectralLoss((64,)))
        sounds = np.zeros([BATCH, FRAMES * tiny.HOP], np.int16)
        assert np.isfinite(model.fit(given, sounds, verbose=0).history["loss"]).all()


WRONG = {
    "a list": (lambda f: list(f.values()), "takes features by name, a mapping with f0_hz, loudness_db"),
    "a tensor": (lambda f: f["f0_hz"], "takes features by name"),
    "nothing": (lambda f: None, "takes features by name"),
    "a feature less": (lambda f: {"f0_hz": f["f0_hz"]}, "lacks the feature 'loudness_db'"),
    "axes more": (lambda f: {k: v[None] for k, v in f.items()}, r"f0_hz must be \[batch, frames, 1\]"),
    "axes less": (lambda f: {k: v[0, 0] for k, v in f.items()}, r"f0_hz must be \[batch, frames, 1\]"),
    "one example beside two": (lambda f: {**f, "f0_hz": f["f0_hz"][:1]}, "batch being 1 as in f0_hz"),
    "frames less": (lambda f: {**f, "f0_hz": f["f0_hz"][:, 1:]}, "frames being 9 as in f0_hz"),
    "words": (lambda f: {**f, "f0_hz": "A4"}, "f0_hz"),
}


@pytest.mark.parametrize("what", WRONG)
def test_features_that_do_not_fit_are_refused_everywhere_in_the_same_words(model, features, what):
    change, words = WRONG[what]
    for use in (model, model.stream, model.get_controls):
        with pytest.raises(DdspError, match=words):
            use(change(features))


def test_a_step_takes_numbers_of_any_kind_and_refuses_others_in_words(model):
    inputs = {"f0_scaled": np.array([[0.5]]), "loudness_scaled": np.array([[1]])}
    state = {"state": np.zeros([1, 8])}
    exact = {k: tf.constant(v, tf.float32) for k, v in inputs.items()}
    want = model.step(exact, {"state": tf.zeros([1, 8])})
    for got, wanted in zip(tf.nest.flatten(model.step(inputs, state)), tf.nest.flatten(want), strict=True):
        np.testing.assert_array_equal(got, wanted)
    model.step({k: v.tolist() for k, v in inputs.items()}, {"state": [[0] * 8]})
    for wrong in ({"f0_scaled": [[0.5]]}, {k: v[0] for k, v in inputs.items()}, None, [[0.5]]):
        with pytest.raises(DdspError):
            model.step(wrong, state)
    for wrong in ({}, {"state": np.zeros([1, 7])}, {"state": np.zeros([2, 8])}):
        with pytest.raises(DdspError):
            model.step(inputs, wrong)


def test_a_model_is_cloned_rebuilt_and_used_in_a_model(model, features, tmp_path):
    want = model(features)
    for copy in (keras.models.clone_model(model), Autoencoder.from_config(model.get_config())):
        copy(features)
        copy.set_weights(model.get_weights())
        np.testing.assert_array_equal(copy(features), want)
    inputs = {name: keras.Input([None, 1], name=name) for name in features}
    around = keras.Model(inputs, keras.layers.Rescaling(0.5)(model(inputs)))
    np.testing.assert_allclose(around(features), 0.5 * want, atol=1e-6)
    around.summary(print_fn=quiet, expand_nested=True)
    around.compile("adam", "mse")
    around.fit(features, np.zeros([BATCH, FRAMES * tiny.HOP]), verbose=0)
    around.save(tmp_path / "around.keras")
    loaded = keras.models.load_model(tmp_path / "around.keras")
    np.testing.assert_array_equal(loaded(features), around(features))


@keras.saving.register_keras_serializable(package="tests")
class Louder(Autoencoder):
    """A sub-class of a user's."""

    def call(self, inputs, training=False):
        return 2.0 * super().call(inputs, training)


def test_a_sub_class_stays_one(model, features, tmp_path):
    louder = Louder.from_experiment(Config.from_dict(tiny.without_noise()))
    louder(features)
    louder.set_weights(model.get_weights())
    np.testing.assert_array_equal(louder(features), 2.0 * model(features))
    louder.save(tmp_path / "louder.keras")
    loaded = keras.models.load_model(tmp_path / "louder.keras")
    assert type(loaded) is type(keras.models.clone_model(louder)) is Louder
    np.testing.assert_array_equal(loaded(features), louder(features))
    assert isinstance(louder.in_float32(), Louder)


def test_a_saved_model_serves_any_batch_and_length_and_other_formats_are_refused(model, tmp_path):
    model.export(tmp_path / "saved", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "saved")
    for frames, batch in ((3, 1), (FRAMES, BATCH)):
        features = tiny.features(frames, batch)
        np.testing.assert_allclose(loaded.serve(features), model(features), atol=1e-5)
    for name in ("litert", "onnx", "openvino"):
        with pytest.raises(DdspError, match=r"ddsp-tf export.*Received: format='\w+'"):
            model.export(tmp_path / "other", format=name)


def test_plots_are_drawn_or_keras_says_what_is_missing(model, tmp_path):
    try:
        keras.utils.plot_model(model, tmp_path / "model.png", show_shapes=True, expand_nested=True)
    except ImportError as error:
        assert "pydot" in str(error) or "graphviz" in str(error)  # noqa: PT017 (it may be there)


@pytest.mark.parametrize("floatx", slow_but(("float64",), ("float64", "float16")))
def test_a_model_under_another_floatx_is_float32_and_trains(model, features, floatx):
    want = model(features)
    sounds = np.zeros([BATCH, FRAMES * tiny.HOP], np.float32)
    try:
        keras.config.set_floatx(floatx)
        other = Autoencoder.from_experiment(Config.from_dict(tiny.without_noise()))
        assert {weight.dtype for weight in other.weights} == {"float32"}
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(other(features), want)
        other.compile("adam", MultiScaleSpectralLoss((64,)))
        assert np.isfinite(other.fit(features, sounds, verbose=0).history["loss"]).all()
    finally:
        keras.config.set_floatx("float32")
    with pytest.raises(DdspError, match=r"dtype must be 'float32', 'mixed_bfloat16' or 'mixed_float16'"):
        GruDecoder({"amplitude": 1}, dtype="float64")


def test_a_model_of_given_layers_is_saved_with_them(model, features, tmp_path):
    spec = model.spec
    nodes = [
        *model.processors.nodes[:1],
        Node("clip", keras.layers.Activation("tanh"), {"audio": "harmonic"}),
        Node("room", Reverb(300, spec.sample_rate, spec.hop), {"audio": "clip"}),
    ]
    group = ProcessorGroup(spec.sample_rate, spec.hop, model.processors.input_names, nodes)
    other = Autoencoder(model.decoder, group)
    audio = other(features)
    np.testing.assert_allclose(
        other.stream(features)[0].signals["clip"],
        np.tanh(model.stream(features)[0].signals["harmonic"]),
        atol=1e-6,
    )
    other.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(features), audio)
