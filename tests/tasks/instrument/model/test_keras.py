"""The model is a Keras model: everything that Keras does with models works."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.config import Config
from ddsp_tf.layers import Harmonic
from ddsp_tf.losses import HarmonicNoiseConsistency, LoudnessLoss, MultiScaleSpectralLoss, WeightedLosses
from ddsp_tf.metrics import LoudnessL1, MultiScaleSpectralDistance
from ddsp_tf.models import Autoencoder
from tests import tiny

FRAMES, CLIPS = 40, 4


def data():
    """Features and recordings of a few clips."""
    features = tiny.features(FRAMES, CLIPS)
    sound = tiny.phrase(CLIPS * FRAMES * tiny.HOP / tiny.RATE)
    return features, sound.reshape(CLIPS, -1).astype(np.float32)


def compiled(values=None, loss=None, **settings):
    model = Autoencoder.from_experiment(Config.from_dict(values or tiny.without_noise()))
    metrics = [MultiScaleSpectralDistance((256,)), LoudnessL1(tiny.RATE, tiny.HOP)]
    optimizer = keras.optimizers.Adam(0.01, global_clipnorm=3.0)
    model.compile(optimizer, loss or MultiScaleSpectralLoss((256, 64)), metrics=metrics, **settings)
    return model


def fit(model, **settings):
    return model.fit(*data(), batch_size=2, verbose=0, shuffle=False, **settings).history


def test_fit_evaluate_predict_save_and_load(tmp_path):
    model = compiled()
    callbacks = [
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="loss", save_best_only=True),
        keras.callbacks.EarlyStopping("loss", patience=5),
        keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
    ]
    history = fit(model, epochs=4, callbacks=callbacks, validation_split=0.5)
    assert history["loss"][-1] < history["loss"][0]
    assert len(history["val_multi_scale_spectral_distance"]) == 4
    features, sounds = data()
    scores = model.evaluate(features, sounds, batch_size=2, verbose=0, return_dict=True)
    terms = {"magnitude", "log_magnitude"}
    assert set(scores) == {"loss", "multi_scale_spectral_distance", "loudness_l1_db", *terms}
    audio = model.predict(features, batch_size=2, verbose=0)
    expected = float(MultiScaleSpectralLoss((256, 64))(sounds, audio))
    assert scores["loss"] == pytest.approx(expected, rel=1e-5)  # float32
    assert sum(scores[name] for name in terms) == pytest.approx(expected, rel=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(features, batch_size=2, verbose=0), audio)
    assert loaded.evaluate(features, sounds, batch_size=2, verbose=0, return_dict=True) == scores
    for one, two in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, two, err_msg=one.path)


@pytest.mark.slow
def test_what_xla_compiles_may_be_part_of_something_that_it_compiles():
    """Of the next test what takes seconds: a synthesizer and the loss, and their gradient."""
    layer, loss = Harmonic(5, tiny.RATE, tiny.HOP), MultiScaleSpectralLoss((64,), log_magnitude_weight=0.0)
    rng = np.random.default_rng(0)
    controls = {
        "amplitude": tf.constant(rng.normal(size=[1, 4, 1]), tf.float32),
        "distribution": tf.constant(rng.normal(size=[1, 4, 5]), tf.float32),
        "f0_hz": tf.fill([1, 4, 1], 300.0),
    }
    sound = tf.constant(tiny.phrase(4 * tiny.HOP / tiny.RATE)[None], tf.float32)

    def step():
        with tf.GradientTape() as tape:
            tape.watch(list(controls.values()))
            value = loss(sound, layer(controls))
        return value, tape.gradient(value, controls)

    (value, gradients), (again, others) = step(), tf.function(step, jit_compile=True, autograph=False)()
    assert float(again) == pytest.approx(float(value), rel=1e-4)  # sums are fused differently
    for name, gradient in gradients.items():
        np.testing.assert_allclose(others[name], gradient, rtol=1e-3, atol=1e-3 * np.abs(gradient).max())


@pytest.mark.slow
def test_a_step_compiled_as_a_whole_is_the_step():
    """XLA in XLA: the whole step compiled around operations that are compiled already."""
    histories = []
    for whole in (False, True):
        model = Autoencoder.from_experiment(tiny.config())
        model.compile("adam", MultiScaleSpectralLoss((256, 64)), jit_compile=whole)
        assert model.jit_compile == whole
        histories.append(fit(model, epochs=1))
    for name, (value,) in histories[0].items():
        # Sums are fused differently, and noise, 60 dB below the rest, is drawn from other random numbers.
        assert histories[1][name][0] == pytest.approx(value, rel=0.01), name


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_trains_by_configuration_and_scales_its_loss(precision, tmp_path):
    model = compiled(tiny.settings(training={"precision": precision}), run_eagerly=True)
    assert model.decoder.gru.compute_dtype == precision
    scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (precision == "float16")
    history = fit(model, epochs=3)
    assert history["loss"][-1] < history["loss"][0]
    features, _ = data()
    controls = model.get_controls(features)
    np.testing.assert_array_equal(controls["harmonic"]["f0_hz"], features["f0_hz"])
    assert all(value.dtype == tf.float32 for node in controls.values() for value in node.values())
    played = model.in_float32()
    assert played.decoder.gru.compute_dtype == "float32"
    shares = (m.get_controls(features)["harmonic"]["distribution"] for m in (model, played))
    np.testing.assert_allclose(*shares, atol=0.03)  # bfloat16 has 8 bits
    assert played.in_float32() is played
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is type(model.optimizer)
    for one, two in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, two, err_msg=one.path)


def test_a_loss_that_needs_the_branches_gets_them():
    parts = [
        MultiScaleSpectralLoss((256,)),
        LoudnessLoss(tiny.RATE, tiny.HOP),
        HarmonicNoiseConsistency(tiny.RATE, tiny.HOP),
    ]
    model = compiled(tiny.settings(), WeightedLosses(parts, [1.0, 0.1, 0.5]), run_eagerly=True)
    history = fit(model, epochs=1)
    names = ("magnitude", "log_magnitude", "loudness", "consistency")
    assert history["loss"][0] == pytest.approx(sum(history[name][0] for name in names), rel=1e-5)
    assert history["consistency"][0] > 0.1


def test_any_keras_loss_will_do():
    model = compiled(loss="mae", run_eagerly=True)
    history = fit(model, epochs=1)
    features, sounds = data()
    scores = model.evaluate(features, sounds, batch_size=2, verbose=0, return_dict=True)
    assert scores["loss"] == pytest.approx(np.mean(np.abs(sounds - model(features))), rel=1e-5)
    assert "harmonic_db" in history
    assert "magnitude" not in history


def test_sample_weights_count():
    features, sounds = data()
    model = compiled(run_eagerly=True)
    weights = np.array([0.0, 0.5, 3.0, 0.0])
    scores = model.evaluate(features, sounds, 2, 0, sample_weight=weights, return_dict=True)
    audio = model.predict(features, batch_size=2, verbose=0)
    each, _ = MultiScaleSpectralLoss((256, 64)).value_and_terms(sounds, audio)
    assert scores["loss"] == pytest.approx(np.mean(weights * each), rel=1e-5)  # Keras divides by the batch
