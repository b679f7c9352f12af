"""Our recurrent layer against Keras' own."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers import GRU

UNITS, CHANNELS = 16, 7


def _pair(**kwargs: object) -> tuple[keras.layers.GRU, GRU]:
    """Keras' layer and ours with the same weights, biases not zero."""
    layers = [cls(UNITS, return_sequences=True, **kwargs) for cls in (keras.layers.GRU, GRU)]
    for layer in layers:
        layer.build((None, None, CHANNELS))
    rng = np.random.default_rng(0)
    weights = [w + 0.1 * rng.normal(size=w.shape) for w in layers[0].get_weights()]
    for layer in layers:
        layer.set_weights(weights)
    return layers[0], layers[1]


def _inputs(frames: int, batch: int = 3) -> tuple[tf.Tensor, tf.Tensor]:
    rng = np.random.default_rng(frames)
    return tuple(
        tf.constant(rng.normal(size=shape), tf.float32)
        for shape in ([batch, frames, CHANNELS], [batch, UNITS])
    )


@pytest.mark.parametrize("frames", [1, 2, 50])
@pytest.mark.parametrize("with_state", [False, True])
def test_outputs_and_all_gradients_equal_those_of_keras(frames: int, with_state: bool) -> None:
    inputs, state = _inputs(frames)
    results = []
    for layer in _pair(return_state=True):
        with tf.GradientTape() as tape:
            tape.watch([inputs, state])
            outputs, last = layer(inputs, initial_state=state if with_state else None)
            value = tf.reduce_sum(tf.sin(outputs)) + 3.0 * tf.reduce_sum(last**2)
        sources = [inputs, *([state] if with_state else []), *layer.trainable_variables]
        results.append([outputs, last, *tape.gradient(value, sources)])
    for expected, received in zip(*results, strict=True):
        bound = 1e-6 * max(1.0, float(tf.reduce_max(tf.abs(expected))))  # float32, other order of sums
        np.testing.assert_allclose(received, expected, atol=bound)


def test_with_a_gpu_it_is_the_layer_of_keras_which_takes_cudnn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same code as Keras runs, so that it is no slower there; here without a GPU, which only was said."""
    keras_layer, own = _pair()
    inputs, _ = _inputs(9)
    of_keras, calls = keras.layers.GRU.inner_loop, []

    def inner_loop(layer: keras.layers.GRU, *args: object, **kwargs: object) -> object:
        calls.append(layer)
        return of_keras(layer, *args, **kwargs)

    monkeypatch.setattr(keras.layers.GRU, "inner_loop", inner_loop)
    own(inputs)
    assert not calls
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: ["GPU:0"] * (kind == "GPU"))
    received = own(inputs)
    assert calls == [own]
    np.testing.assert_array_equal(received, keras_layer(inputs))


@pytest.mark.parametrize(
    "kwargs",
    [
        {"go_backwards": True},
        {"reset_after": False},
        {"recurrent_activation": "hard_sigmoid"},
        {"use_bias": False},
    ],
)
def test_other_arguments_run_as_in_keras(kwargs: dict[str, object]) -> None:
    layers = [cls(UNITS, return_sequences=True, seed=1, **kwargs) for cls in (keras.layers.GRU, GRU)]
    inputs, _ = _inputs(9)
    for layer in layers:
        layer.build(inputs.shape)
    layers[1].set_weights(layers[0].get_weights())
    np.testing.assert_allclose(layers[1](inputs), layers[0](inputs), atol=1e-6)


def test_a_mask_is_obeyed() -> None:
    inputs, _ = _inputs(9)
    mask = tf.sequence_mask([9, 4, 1], 9)
    expected, received = (layer(inputs, mask=mask) for layer in _pair())
    np.testing.assert_allclose(received, expected, atol=1e-6)


def test_length_may_be_symbolic_and_the_layer_comes_back(tmp_path: Path) -> None:
    reference, layer = _pair()
    model = keras.Sequential([keras.Input([None, CHANNELS]), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for frames in (3, 11):
        inputs, _ = _inputs(frames)
        np.testing.assert_allclose(loaded(inputs), reference(inputs), atol=1e-6)


def test_the_state_stays_float32_under_mixed_precision() -> None:
    """Products are rounded to bfloat16, the state is not: errors do not add up over a long sequence."""
    reference, _ = _pair()
    mixed = GRU(UNITS, return_sequences=True, dtype="mixed_bfloat16")
    mixed.build((None, None, CHANNELS))
    mixed.set_weights(reference.get_weights())
    inputs, _ = _inputs(400)
    received = mixed(inputs)
    assert received.dtype == tf.bfloat16
    error = np.abs(np.asarray(tf.cast(received, tf.float32)) - reference(inputs))
    assert error.max() < 0.05  # bfloat16 has 8 bits
    assert error[:, -100:].mean() < 1.5 * error[:, :100].mean()


def test_a_second_derivative_is_refused() -> None:
    inputs, _ = _inputs(4)
    _, layer = _pair()
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            value = tf.reduce_sum(layer(inputs) ** 2)
        gradient = inner.gradient(value, inputs)
    with pytest.raises(DdspError, match="first derivatives only"):
        outer.gradient(gradient, inputs)
