"""What Keras users do with layers: any numbers in, every model around them, saved and exported."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.errors import DdspError
from tests.keras_users.classes import LAYERS, NOT_MADE_HERE, made_classes, public_classes
from tests.selection import slow_but

TOLERANCE = 1e-5  # float32, and XLA's other order of sums for other shapes

FEW = slow_but(("harmonic", "filtered noise", "reverb", "spectral mask", "group", "GRU", "encoder"), LAYERS)
"""Layers that what takes long is tried with at once, the others by the slow tests."""

FORMS = {
    "float64": lambda v: v.astype(np.float64),
    "lists": lambda v: v.tolist(),
    "tensors": tf.constant,
    "tensors of float64": lambda v: tf.constant(v, tf.float64),
    "variables": tf.Variable,
    "float16": None,  # rounded, so that float32 of the same is what they are held to
    "integers": None,
    "tensors of integers": None,
}
ROUNDED = {
    "float16": lambda v: v.astype(np.float16),
    "integers": lambda v: np.round(v).astype(np.int64),
    "tensors of integers": lambda v: tf.constant(np.round(v), tf.int32),
}
WRONG = {
    "an axis more": lambda v: v[np.newaxis],
    "an axis less": lambda v: v[0],
    "words": lambda v: "loud",
    "nothing": lambda v: None,
    "ragged": lambda v: [[1.0], [1.0, 2.0]],
    "truth": lambda v: v > 0.0,
}


def each(change, given):
    return {k: change(v) for k, v in given.items()} if isinstance(given, dict) else change(given)


def assert_same(got, want):
    for one, two in zip(tf.nest.flatten(got), tf.nest.flatten(want), strict=True):
        np.testing.assert_allclose(np.asarray(one, float), np.asarray(two, float), atol=TOLERANCE)


def made(name):
    layer = LAYERS[name].make()
    return layer, LAYERS[name].given(layer)


def symbolic(given):
    if not isinstance(given, dict):
        return keras.Input(given.shape[1:])
    return {k: keras.Input(v.shape[1:], name=k) for k, v in given.items()}


def quiet(*args, **kwargs):
    """Print nothing."""


def test_every_public_class_is_tried():
    assert made_classes() | set(NOT_MADE_HERE) >= public_classes()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FEW)
def test_layers_take_numbers_of_any_kind(name, form):
    layer, given = made(name)
    if FORMS[form] is None:
        rounded = each(ROUNDED[form], given)
        assert_same(layer(rounded), layer(each(lambda v: np.asarray(v, np.float32), rounded)))
        return
    assert_same(layer(each(FORMS[form], given)), layer(given))
    if hasattr(layer, "get_controls"):
        args = (lambda x: ((x,), {})) if name == "group" else (lambda x: ((), x))
        (a, ka), (b, kb) = args(each(FORMS[form], given)), args(given)
        assert_same(layer.get_controls(*a, **ka), layer.get_controls(*b, **kb))


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("name", LAYERS)
def test_what_is_no_input_is_refused_in_words(name, what):
    layer, given = made(name)
    if name == "embedding" and "axis" in what:
        pytest.skip("weights have any axes before the last")
    layer(given)
    with pytest.raises(DdspError):
        layer(each(WRONG[what], given))
    if hasattr(layer, "get_controls") and name != "group":
        with pytest.raises(DdspError):
            layer.get_controls(**each(WRONG[what], given))


@pytest.mark.parametrize("name", FEW)
def test_a_layer_in_a_functional_model_is_summed_up_saved_cloned_and_exported(name, tmp_path):
    layer, given = made(name)
    want = layer(given)
    inputs = symbolic(given)
    model = keras.Model(inputs, layer(inputs))
    for nested in (False, True):
        model.summary(print_fn=quiet, expand_nested=nested, show_trainable=True)
    assert model.count_params() == layer.count_params()
    assert_same(model(given), want)
    assert_same(model.predict(given, verbose=0), want)
    model.save(tmp_path / "model.keras")
    assert_same(keras.models.load_model(tmp_path / "model.keras")(given), want)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert_same(clone(given), want)
    if not LAYERS[name].many_outputs:  # a signature of TensorFlow holds no nested outputs
        model.export(tmp_path / "saved", verbose=False)
        loaded = tf.saved_model.load(tmp_path / "saved")
        assert_same(loaded.serve(each(tf.constant, given)), want)


@pytest.mark.parametrize("name", LAYERS)
def test_configurations_make_the_same_layer(name):
    layer, given = made(name)
    layer(given)
    config = json.loads(json.dumps(layer.get_config()))
    again = type(layer).from_config(config)
    assert json.loads(json.dumps(again.get_config())) == config
    again(given)
    again.set_weights(layer.get_weights())
    assert_same(again(given), layer(given))


def takes_one(name):
    layer, given = made(name)
    return not isinstance(given, dict) or (
        len(getattr(layer, "required_inputs", "no")) == 1 and len(given) == 1
    )


@pytest.mark.parametrize("name", [name for name in LAYERS if takes_one(name)])
def test_a_layer_of_one_input_takes_it_alone_and_stands_in_sequential_models(name, tmp_path):
    layer, given = made(name)
    alone = next(iter(given.values())) if isinstance(given, dict) else given
    assert_same(layer(alone), layer(given))
    if LAYERS[name].many_outputs:
        return
    for front in ([keras.Input(alone.shape[1:])], []):
        model = keras.Sequential([*front, type(layer).from_config(layer.get_config())])
        model.summary(print_fn=quiet)
        model(alone)
        model.summary(print_fn=quiet, expand_nested=True)
        assert model.compute_output_shape(alone.shape)[0] == len(alone)
        model.save(tmp_path / "model.keras")
        assert_same(keras.models.load_model(tmp_path / "model.keras")(alone), model(alone))
        keras.models.clone_model(model)


@pytest.mark.parametrize("name", [n for n in LAYERS if not takes_one(n) and n != "filtered noise"])
def test_several_inputs_may_come_in_their_order(name):
    layer, given = made(name)
    order = layer.input_names if hasattr(layer, "input_names") else list(layer.input_sizes)
    known = [key for key in order if key in given]
    if known == list(order)[: len(known)]:
        assert_same(layer([given[key] for key in known]), layer(given))
    with pytest.raises(DdspError, match=r"Received: (a list of 0|list|\[\])"):
        layer([])
    if len(getattr(layer, "required_inputs", known)) > 1:
        with pytest.raises(DdspError, match=r"takes a mapping with \w+"):
            layer(next(iter(given.values())))


@pytest.mark.parametrize("name", FEW)
def test_other_globals_of_keras_change_nothing(name):
    """`~/.keras/keras.json` of another project, or a notebook that set them."""
    layer, given = made(name)
    want = layer(given)
    before = keras.config.floatx(), keras.config.epsilon(), keras.config.image_data_format()
    try:
        keras.config.set_floatx("float64")
        keras.config.set_epsilon(1e-3)
        keras.config.set_image_data_format("channels_first")
        other = LAYERS[name].make()
        other(given)
        other.set_weights(layer.get_weights())
        assert_same(other(given), want)
        inputs = symbolic(given)
        assert_same(keras.Model(inputs, other(inputs)).predict(given, verbose=0), want)
    finally:
        for setting, value in zip(("floatx", "epsilon", "image_data_format"), before, strict=True):
            getattr(keras.config, f"set_{setting}")(value)
