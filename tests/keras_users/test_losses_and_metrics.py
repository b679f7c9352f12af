"""What Keras users do with losses and metrics."""

import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.errors import DdspError
from tests.keras_users.classes import LOSSES, PITCH_METRICS, SOUND_METRICS
from tests.selection import slow_but

METRICS = {**SOUND_METRICS, **PITCH_METRICS}
FORMS = {
    "float64": lambda v: v.astype(np.float64),
    "lists": lambda v: v.tolist(),
    "tensors": tf.constant,
    "tensors of float64": lambda v: tf.constant(v, tf.float64),
}


def pair(name=""):
    rng = np.random.default_rng(0)
    if name in PITCH_METRICS:
        reference = rng.uniform(100.0, 400.0, [2, 50])
        reference[:, ::7] = 0.0
        return reference.astype(np.float32), (reference[::-1] * 1.01).astype(np.float32)
    return tuple(rng.normal(size=[2, 1000]).astype(np.float32) for _ in range(2))


def wrong(a, b):
    """Pairs that do not fit: each of them was once broadcast, or came to words of TensorFlow."""
    return {
        "one example beside two": (a[:1], b),
        "another length": (a[:, :9], b),
        "no axis of examples": (a[0], b[0]),
        "axes more": (a[None, None], b[None, None]),
        "words": ("a", "b"),
        "nothing": (None, b),
        "ragged": ([[1.0], [1.0, 2.0]], b),
    }


def refusal(call, given):
    """The words in which a call refuses what it is given; none where it takes it."""
    try:
        call(*given)
    except DdspError as error:
        return str(error)
    return ""


def round_trip(thing):
    return keras.saving.deserialize_keras_object(
        json.loads(json.dumps(keras.saving.serialize_keras_object(thing)))
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", LOSSES)
def test_losses_take_numbers_of_any_kind(name, form):
    loss, (target, prediction) = LOSSES[name](), pair()
    want = loss(target, prediction)
    np.testing.assert_allclose(loss(FORMS[form](target), FORMS[form](prediction)), want, rtol=1e-6)
    assert np.isfinite(loss(np.round(target).astype(int), np.round(prediction).astype(int)))
    each = loss.call(target, prediction)
    weighted = loss(target, prediction, sample_weight=[1, 3])
    np.testing.assert_allclose(weighted, np.mean(np.array([1, 3]) * each), rtol=1e-6)  # as Keras divides


@pytest.mark.parametrize("name", LOSSES)
def test_losses_refuse_in_words_what_does_not_fit(name):
    loss, (target, prediction) = LOSSES[name](), pair()
    for what, given in wrong(target, prediction).items():
        assert re.search("y_(true|pred) must", refusal(loss, given)), what
    for weights in ([1.0], [1.0, 2.0, 3.0], np.ones([2, 2]), "heavy"):
        with pytest.raises(DdspError, match="sample_weight must"):
            loss(target, prediction, sample_weight=weights)


@pytest.mark.parametrize("name", slow_but(("spectral",), LOSSES))
def test_losses_come_back_from_their_configuration_and_train(name):
    loss, (target, prediction) = LOSSES[name](), pair()
    again = round_trip(loss)
    assert again.get_config() == loss.get_config()
    np.testing.assert_array_equal(again(target, prediction), loss(target, prediction))
    if name == "consistency":
        return  # has no gradient without the branches of a model
    model = keras.Sequential([keras.Input([1000]), keras.layers.Dense(1000)])
    model.compile("adam", loss)
    for dtype in (np.float32, np.float64):
        history = model.fit(
            target.astype(dtype), target.astype(dtype), sample_weight=np.ones(2), verbose=0
        ).history
        assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", METRICS)
def test_metrics_take_numbers_of_any_kind(name, form):
    metric, (reference, estimate) = METRICS[name](), pair(name)
    want = metric(reference, estimate)
    metric.reset_state()
    np.testing.assert_allclose(metric(FORMS[form](reference), FORMS[form](estimate)), want, rtol=1e-5)
    metric(np.round(reference).astype(int), np.round(estimate).astype(int))
    metric(reference, estimate, sample_weight=[1, 2])
    assert np.isfinite(metric.result())


@pytest.mark.parametrize("name", METRICS)
def test_metrics_refuse_in_words_what_does_not_fit(name):
    metric, (reference, estimate) = METRICS[name](), pair(name)
    for what, given in wrong(reference, estimate).items():
        assert re.search("y_(true|pred) must", refusal(metric, given)), what
    for weights in ([1.0], [1.0, 2.0, 3.0], "heavy"):
        with pytest.raises(DdspError, match="sample_weight must"):
            metric(reference, estimate, sample_weight=weights)
    assert float(metric.result()) == 0.0


@pytest.mark.parametrize("name", METRICS)
def test_metrics_come_back_from_their_configuration_and_score_a_model(name):
    metric, (reference, estimate) = METRICS[name](), pair(name)
    assert round_trip(metric).get_config() == metric.get_config()
    want = float(metric(reference, estimate))
    model = keras.Sequential([keras.Input(reference.shape[1:]), keras.layers.Identity()])
    model.compile(loss="mae", metrics=[METRICS[name]()])
    scores = model.evaluate(estimate, reference, batch_size=1, verbose=0, return_dict=True)
    assert scores[metric.name] == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("name", [*LOSSES, *METRICS])
def test_other_globals_of_keras_change_nothing(name):
    make, given = {**METRICS, **LOSSES}[name], pair(name)
    want = make()(*given)
    before = keras.config.floatx()
    try:
        keras.config.set_floatx("float64")
        np.testing.assert_allclose(make()(*given), want, rtol=1e-5)
    finally:
        keras.config.set_floatx(before)
