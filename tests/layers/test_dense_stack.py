"""Stacks of dense layers: what a single number, such as pitch, does to new ones."""

import numpy as np
import tensorflow as tf

from ddsp_tf.layers.dense_stack import DenseStack

UNITS = 8
NUMBERS = tf.constant(np.linspace(0.05, 0.95, 19)[:, np.newaxis], tf.float32)


def test_units_of_a_single_number_bend_at_places_of_their_own():
    stack = DenseStack(UNITS, 1)
    stack.build((None, 1))
    fine = np.linspace(0.0, 1.0, 1601)  # steps of a hundredth of the distance of the places
    rising = stack.dense[0](tf.constant(fine[:, np.newaxis], tf.float32)).numpy() >= 0.0
    changes = np.argwhere(np.diff(rising, axis=0))
    places = fine[changes[np.argsort(changes[:, 1]), 0]]
    np.testing.assert_allclose(places, (np.arange(UNITS) + 0.5) / UNITS, atol=1e-3)


def test_a_single_number_is_heard_from_the_start(monkeypatch):
    outputs = DenseStack(UNITS, 1)(NUMBERS).numpy()
    assert np.abs(np.diff(outputs, axis=0)).max(axis=1).min() > 0.05
    monkeypatch.setattr(DenseStack, "spread", False)  # as Keras begins: the normalisation takes it out,
    outputs = DenseStack(UNITS, 1)(NUMBERS).numpy()  # but for the 1e-3 that it adds to the variance
    assert np.abs(np.diff(outputs[10:], axis=0)).max() < 0.02


def test_several_channels_begin_as_keras_has_it():
    stack = DenseStack(UNITS, 1)
    stack.build((None, 3))
    assert len(np.unique(stack.dense[0].kernel)) == 3 * UNITS
    assert not np.any(stack.dense[0].bias)
