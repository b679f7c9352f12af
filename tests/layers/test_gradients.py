"""Gradients of every processor by every raw input, signal and weight against float64 finite differences."""

import numpy as np
import pytest
import tensorflow as tf

from tests.layers import oracles
from tests.layers.cases import CASES, ONE_EACH
from tests.layers.harness import make_inputs, take

SAMPLE_RATE, HOP, FRAMES = 16000, 16, 30  # 480 samples: longer than any delay
PLACES = 6  # single values looked at in each tensor, beside all of them together along one direction


def make(name):
    """A layer, and inputs some of which lie on the slope below Nyquist, so that its gradient is seen."""
    layer = CASES[name](SAMPLE_RATE, HOP)
    inputs = {k: v.numpy() for k, v in make_inputs(layer, frames=FRAMES, batch=1, seed=3).items()}
    for key, hz in (("f0_hz", 660.0), ("frequencies_hz", 7920.0)):  # 12 * 660 Hz is 7920 Hz, half way down
        if key in inputs:
            inputs[key][:, ::4] = hz
    layer.get_controls(**inputs)  # makes the weights
    return layer, inputs


def gradients(layer, inputs, blocks, direction):
    """Gradients of `sum(direction * audio)` by inputs and trainable weights; rendered in blocks of frames."""
    inputs = {k: tf.constant(v) for k, v in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(list(inputs.values()))
        state, parts, start = None, [], 0
        for frames in blocks:
            controls = layer.get_controls(**take(inputs, layer, start, start + frames))
            part, state = layer.stream_signal(controls, state)
            parts.append(part)
            start += frames
        value = tf.reduce_sum(tf.concat(parts, axis=1) * direction)
    weights = {weight.name: weight.value for weight in layer.trainable_variables}
    found = tape.gradient(value, {**inputs, **weights})
    return {k: tf.convert_to_tensor(v).numpy().astype(float) for k, v in found.items()}


@pytest.mark.parametrize("name", ONE_EACH)
def test_gradients_equal_finite_differences_in_one_piece_and_through_the_state(name):
    layer, inputs = make(name)
    rng = np.random.default_rng(1)
    direction = rng.normal(size=layer(inputs).shape).astype("float32")
    weights = oracles.weights_of(layer)

    def objective(key, change):
        given, held = dict(inputs), dict(weights)
        where = given if key in given else held
        where[key] = np.asarray(where[key], float) + change
        return np.sum(oracles.signal(layer, oracles.controls(layer, given, held)) * direction)

    def slope(key, change):
        step = 1e-4 if key.endswith("_hz") else 1e-6
        return (objective(key, step * change) - objective(key, -step * change)) / (2 * step)

    whole = gradients(layer, inputs, [FRAMES], direction)
    blocks = gradients(layer, inputs, [FRAMES // 2] * 2, direction)
    assert set(whole) == {*inputs, *(weight.name for weight in layer.trainable_variables)}
    for key, gradient in whole.items():
        scale = np.abs(gradient).max()
        assert scale > 1e-4, key
        # float32, and sums of products with up to 480 samples
        np.testing.assert_allclose(blocks[key], gradient, rtol=0, atol=1e-4 * scale, err_msg=key)
        together = rng.normal(size=gradient.shape)
        norm = np.sqrt(np.sum(gradient**2))
        assert np.sum(gradient * together) == pytest.approx(slope(key, together), abs=1e-3 * norm), key
        steepest = np.unravel_index(np.argmax(np.abs(gradient)), gradient.shape)
        others = [tuple(rng.integers(gradient.shape)) for _ in range(PLACES - 1)] if gradient.ndim else []
        for place in [steepest, *others]:
            change = np.zeros(gradient.shape)
            change[place] = 1.0
            assert gradient[place] == pytest.approx(slope(key, change), abs=1e-3 * scale), (key, place)


def test_a_gradient_that_is_not_finite_passes_the_check_of_controls():
    """Loss scaling for float16 looks for such gradients, and must see them."""
    layer, inputs = make("mix")
    inputs = {k: tf.constant(v) for k, v in inputs.items()}

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            tape.watch(inputs["level"])
            audio = layer(inputs)
        return tape.gradient(audio, inputs["level"], output_gradients=tf.fill(audio.shape, np.inf))

    assert not np.isfinite(step()).all()
