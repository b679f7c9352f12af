"""The multi-scale spectral loss against float64 numpy."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.metrics import LoudnessL1, MultiScaleSpectralDistance
from tests.losses.sounds import sounds, spectra
from tests.selection import slow_but


def _oracle_terms(y_true: Array, y_pred: Array, sizes: tuple[int, ...]) -> dict[str, float]:
    terms = {}
    for size in sizes:
        pairs = [
            (np.abs(spectra(a, size)), np.abs(spectra(b, size))) for a, b in zip(y_true, y_pred, strict=True)
        ]
        terms[f"magnitude_{size}"] = float(np.mean([np.mean(np.abs(a - b)) for a, b in pairs]))
        logs = [np.mean(np.abs(np.log(a + 1e-5) - np.log(b + 1e-5))) for a, b in pairs]
        terms[f"log_magnitude_{size}"] = float(np.mean(logs))
    return terms


@pytest.mark.parametrize("n_samples", slow_but((1, 4001), (1, 63, 1000, 4001)))
def test_loss_and_terms_equal_the_formula(n_samples: int) -> None:
    sizes = (2048, 512, 64)
    y_true, y_pred = sounds(n_samples)
    loss = MultiScaleSpectralLoss(sizes, magnitude_weight=0.5, log_magnitude_weight=2.0)
    expected = _oracle_terms(y_true, y_pred, sizes)
    received = {name: tf.reduce_mean(each) for name, each in loss.terms(y_true, y_pred).items()}
    for name, value in expected.items():
        weight = 2.0 if name.startswith("log") else 0.5
        # float32 transforms err by 1e-6 of the largest magnitude, which counts in near-empty bins
        assert float(received[name]) == pytest.approx(weight * value, rel=1e-4)
    assert float(loss(y_true, y_pred)) == pytest.approx(sum(map(float, received.values())), rel=1e-6)


def test_equal_signals_have_no_loss_and_a_finite_gradient() -> None:
    loss = MultiScaleSpectralLoss((2048, 64))
    for sound in (sounds(4000)[0], np.zeros((2, 4000), np.float32)):
        with tf.GradientTape() as tape:
            x = tf.constant(sound)
            tape.watch(x)
            value = loss(sound, x)
        assert float(value) == 0.0
        np.testing.assert_array_equal(tape.gradient(value, x), 0.0)


def test_gradient_equals_the_one_in_float64() -> None:
    """Against the adjoint of the transform, written out in numpy."""
    size, hop = 256, 64
    y_true, y_pred = sounds(2000, batch=1)
    target, spectrum = np.abs(spectra(y_true[0], size)), spectra(y_pred[0], size)
    magnitude = np.abs(spectrum)
    slope = np.sign(magnitude - target) * (1.0 + 1.0 / (magnitude + 1e-5)) / magnitude.size
    bins = slope * spectrum / magnitude
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
    waves = np.exp(2j * np.pi * np.outer(np.arange(size // 2 + 1), np.arange(size)) / size)
    expected = np.zeros(2000 + 4 * size)
    for i, row in enumerate(bins):
        expected[i * hop : i * hop + size] += window * np.real(row @ waves)
    expected = expected[size - hop :][:2000]
    with tf.GradientTape() as tape:
        x = tf.constant(y_pred)
        tape.watch(x)
        value = MultiScaleSpectralLoss((size,))(y_true, x)
    received = tape.gradient(value, x).numpy()[0]
    # A sign differs where two magnitudes agree to seven digits: none here, but bins near 0 are rounded.
    assert np.linalg.norm(received - expected) < 1e-3 * np.linalg.norm(expected)


def test_gradient_reaches_the_target_as_well() -> None:
    y_true, y_pred = map(tf.constant, sounds(2000))
    gradients = []
    for swap in (False, True):
        loss = MultiScaleSpectralLoss((256, 64))
        with tf.GradientTape() as tape:
            tape.watch(y_true)
            value = loss(y_pred, y_true) if swap else loss(y_true, y_pred)
        gradients.append(tape.gradient(value, y_true))
    # The distance is symmetric; float32.
    assert np.linalg.norm(gradients[0] - gradients[1]) < 1e-5 * np.linalg.norm(gradients[1])


def test_a_second_derivative_is_refused_not_zero() -> None:
    y_true, y_pred = map(tf.constant, sounds(500))
    loss = MultiScaleSpectralLoss((64,))
    with tf.GradientTape() as outer:
        outer.watch(y_pred)
        with tf.GradientTape() as inner:
            inner.watch(y_pred)
            value = loss(y_true, y_pred)
        gradient = inner.gradient(value, y_pred)
    with pytest.raises(DdspError, match="first derivatives only"):
        outer.gradient(gradient, y_pred)


@pytest.mark.parametrize("at", [0, 2023])
def test_a_click_at_either_end_counts_as_much_as_in_the_middle(at: int) -> None:
    loss = MultiScaleSpectralLoss((256, 64), log_magnitude_weight=0.0)
    silence = np.zeros((1, 2048), np.float32)
    values = []
    for position in (at, 1024 + at % 64):
        click = silence.copy()
        click[0, position] = 1.0
        values.append(float(loss(silence, click)))
    assert values[0] == pytest.approx(values[1], rel=1e-5)  # float32


def test_length_and_batch_may_be_symbolic() -> None:
    loss = MultiScaleSpectralLoss((512, 64))
    signature = [tf.TensorSpec([None, None], tf.float32)] * 2
    compiled = tf.function(lambda a, b: loss(a, b), input_signature=signature)
    for n in (5, 1000):
        y_true, y_pred = sounds(n)
        assert float(compiled(y_true, y_pred)) == pytest.approx(float(loss(y_true, y_pred)), rel=1e-5)


def test_each_example_is_weighted_by_its_sample_weight() -> None:
    y_true, y_pred = sounds(1000)
    loss = MultiScaleSpectralLoss((128,))
    alone = float(loss(y_true[1:], y_pred[1:]))
    # Keras divides by the batch size; float32.
    assert float(loss(y_true, y_pred, sample_weight=[0.0, 1.0])) == pytest.approx(alone / 2, rel=1e-5)


def test_half_precision_is_computed_in_float32() -> None:
    y_true, y_pred = (tf.cast(y, tf.bfloat16) for y in sounds(1000))
    loss = MultiScaleSpectralLoss((128,))
    value = loss(y_true, y_pred)
    assert value.dtype == tf.float32
    expected = _oracle_terms(tf.cast(y_true, tf.float32).numpy(), tf.cast(y_pred, tf.float32).numpy(), (128,))
    assert float(value) == pytest.approx(sum(expected.values()), rel=1e-4)


def test_a_compiled_model_comes_back_with_loss_and_metrics(tmp_path: Path) -> None:
    y_true, y_pred = sounds(1000)
    inputs = keras.Input((1000,))
    model = keras.Model(inputs, keras.layers.Rescaling(0.5)(inputs))
    model.compile(
        optimizer="sgd",
        loss=MultiScaleSpectralLoss((256, 64), magnitude_weight=0.25, epsilon=1e-4),
        metrics=[MultiScaleSpectralDistance((128,)), LoudnessL1(16_000, 100, reference_above_db=-70.0)],
    )
    before = model.evaluate(y_pred, y_true, verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.loss.get_config() == model.loss.get_config()
    after = loaded.evaluate(y_pred, y_true, verbose=0, return_dict=True)
    assert set(before) == {"loss", "multi_scale_spectral_distance", "loudness_l1_db"}
    for name, value in before.items():
        assert after[name] == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"fft_sizes": ()}, "one or more"),
        ({"fft_sizes": (2048, 0)}, "2048, 0"),
        ({"fft_sizes": (66,)}, "multiples of 4"),
        ({"fft_sizes": (64, 64)}, "different"),
        ({"magnitude_weight": -1.0}, "magnitude_weight.*-1"),
        ({"log_magnitude_weight": float("nan")}, "log_magnitude_weight.*nan"),
        ({"epsilon": 0.0}, "epsilon"),
        ({"magnitude_weight": 0, "log_magnitude_weight": 0}, "must not both be 0"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(DdspError, match=words):
        MultiScaleSpectralLoss(**arguments)  # type: ignore[arg-type]


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(DdspError, match=r"samples being 1000 as in y_true. Received: shape \(2, 999\)"):
        MultiScaleSpectralLoss().call(tf.zeros([2, 1000]), tf.zeros([2, 999]))
    with pytest.raises(DdspError, match=r"\[batch, samples\]"):
        MultiScaleSpectralLoss().call(tf.zeros([2, 1000, 1]), tf.zeros([2, 1000, 1]))
