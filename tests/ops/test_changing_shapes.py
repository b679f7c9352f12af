"""Compiled operations after calls with other shapes: what is known of shapes then differs by argument."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.layers import GRU, FilteredNoise, FIRFilter, Harmonic, Sinusoidal
from ddsp_tf.losses import MultiScaleSpectralLoss
from tests.selection import slow_but

Run = Callable[..., tf.Tensor]


def _harmonic() -> tuple[Run, Callable[[int, int], list[tf.Tensor]]]:
    layer = Harmonic(12, 16_000, 64)

    def inputs(batch: int, frames: int) -> list[tf.Tensor]:
        return [
            tf.zeros([batch, frames, 1]),
            tf.random.stateless_normal([batch, frames, 12], [1, 2]),
            tf.fill([batch, frames, 1], 300.0),
        ]

    return lambda a, d, f: layer({"amplitude": a, "distribution": d, "f0_hz": f}), inputs


def _sinusoidal() -> tuple[Run, Callable[[int, int], list[tf.Tensor]]]:
    layer = Sinusoidal(5, 16_000, 64)
    return lambda amplitudes, frequencies_hz: layer(
        {"amplitudes": amplitudes, "frequencies_hz": frequencies_hz}
    ), lambda batch, frames: [
        tf.random.stateless_normal([batch, frames, 5], [1, 2]),
        tf.random.stateless_uniform([batch, frames, 5], [3, 4], 100.0, 3000.0),
    ]


def _gru() -> tuple[Run, Callable[[int, int], list[tf.Tensor]]]:
    layer = GRU(5, return_sequences=True)
    return layer, lambda batch, frames: [tf.random.stateless_normal([batch, frames, 3], [1, 2])]


def _noise() -> tuple[Run, Callable[[int, int], list[tf.Tensor]]]:
    layer = FilteredNoise(9, 16_000, 64)
    noise = tf.random.stateless_uniform([3, 640], [1, 2])

    def run(magnitudes: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(magnitudes)
        return layer({"magnitudes": magnitudes, "noise": noise[: shape[0], : shape[1] * 64]})

    return run, lambda batch, frames: [tf.random.stateless_normal([batch, frames, 9], [1, 2])]


def _filter() -> tuple[Run, Callable[[int, int], list[tf.Tensor]]]:
    layer = FIRFilter(9, 16_000, 64)
    return lambda audio, magnitudes: layer(
        {"audio": audio, "magnitudes": magnitudes}
    ), lambda batch, frames: [
        tf.random.stateless_normal([batch, frames * 64], [1, 2]),
        tf.random.stateless_normal([batch, frames, 9], [3, 4]),
    ]


def _loss() -> tuple[Run, Callable[[int, int], list[tf.Tensor]]]:
    loss = MultiScaleSpectralLoss((64,))
    return loss.call, lambda batch, frames: [
        tf.random.stateless_normal([batch, frames * 64], [seed, 2]) for seed in (1, 2)
    ]


@pytest.mark.parametrize(
    "make", slow_but([_harmonic, _gru, _loss], [_harmonic, _sinusoidal, _gru, _noise, _filter, _loss])
)
@pytest.mark.parametrize("shape", slow_but([(1, 4)], [(1, 4), (3, 1), (1, 1)]))
def test_a_gradient_can_be_taken_at_one_example_after_other_shapes(
    make: Callable[[], tuple[Run, Callable[[int, int], list[tf.Tensor]]]], shape: tuple[int, int]
) -> None:
    run, inputs = make()
    expected = None
    for attempt in range(2):  # in a fresh operation, and after rendering other shapes
        if attempt:
            for other in ((2, 4), (3, 4), (2, 6)):
                run(*inputs(*other))
        given = inputs(*shape)

        @tf.function(autograph=False)
        def gradients(*given: tf.Tensor) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(given)
                value = tf.reduce_sum(tf.square(run(*given)))
            return tape.gradient(value, given)

        found = gradients(*given)
        assert all(np.isfinite(g).all() for g in found)
        if expected is not None:
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * np.abs(b).max())
        expected = found


@pytest.mark.parametrize("known", [(None, 4, 1), (1, None, 1), (1, 4, 1)])
def test_shapes_may_be_known_of_one_argument_only(known: tuple[int | None, ...]) -> None:
    run, inputs = _harmonic()
    unknown = [tf.TensorSpec([None, None, size]) for size in (1, 12)]
    compiled = tf.function(run, [*unknown, tf.TensorSpec(known)], autograph=False)
    given = inputs(1, 4)
    np.testing.assert_allclose(compiled(*given), run(*given), atol=1e-6)


@pytest.mark.slow
def test_a_model_trains_on_single_examples_after_it_predicted_pairs() -> None:
    """What a notebook does: listen first, then train."""
    features = keras.Input([None, 3])
    hidden = GRU(5, return_sequences=True)(features)
    controls = {
        "amplitude": keras.layers.Dense(1)(hidden),
        "distribution": keras.layers.Dense(6)(hidden),
        "f0_hz": keras.layers.Dense(1, bias_initializer=keras.initializers.Constant(300.0))(hidden),
    }
    model = keras.Model(features, Harmonic(6, 16_000, 64)(controls))
    model.compile("sgd", loss=MultiScaleSpectralLoss((64,)))
    for batch in (2, 3):
        model.predict(np.zeros([batch, 4, 3], np.float32), verbose=0)
    history = model.fit(
        np.zeros([1, 4, 3], np.float32), np.zeros([1, 256], np.float32), batch_size=1, verbose=0
    )
    assert np.isfinite(history.history["loss"]).all()
