"""Far from what it knows a model is asked for what it knows: the quietest, faded, and the nearest timbre."""

import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.models import Autoencoder
from ddsp_tf.tasks.instrument.model.limits import Limits
from ddsp_tf.tasks.task import task_named
from ddsp_tf.training import load_model_of_run
from ddsp_tf.units import LOUDNESS_FLOOR_DB, scale_f0, scale_loudness
from tests import tiny

QUIETEST_DB = -40.0
LIMITS_HZ = [220.0, 880.0]
FRAMES = 12
LEVELS = {("harmonic", "amplitude"), ("noise", "magnitudes")}


def model_with(facts):
    model = Autoencoder.from_experiment(tiny.config(), facts)
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    return model


@pytest.fixture(scope="module")
def models():
    """The same weights in a model that knows its quietest sound, and in one that does not."""
    return model_with({"quietest_db": QUIETEST_DB, "pitch_limits_hz": LIMITS_HZ}), model_with({})


def controls(model, loudness_db, f0_hz=440.0):
    """Every control of a steady tone, by node and name."""
    features = {
        "f0_hz": tf.fill([1, FRAMES, 1], float(f0_hz)),
        "loudness_db": tf.fill([1, FRAMES, 1], float(loudness_db)),
    }
    found = model.get_controls(features)
    return {(node, name): np.asarray(v) for node, values in found.items() for name, v in values.items()}


@pytest.mark.parametrize("loudness_db", [0.0, -20.0, QUIETEST_DB])
def test_what_it_knows_it_plays_as_ever(models, loudness_db):
    fading, plain = (controls(model, loudness_db) for model in models)
    assert fading.keys() == plain.keys()
    for key, value in plain.items():
        np.testing.assert_array_equal(fading[key], value)


@pytest.mark.parametrize("below_db", [1.0, 13.0, 30.0])
def test_below_it_the_quietest_sound_falls_as_it_is_told(models, below_db):
    quietest = controls(models[1], QUIETEST_DB)
    fading = controls(models[0], QUIETEST_DB - below_db)
    for key, value in quietest.items():
        gain = 10.0 ** (-below_db / 20.0) if key in LEVELS else 1.0
        np.testing.assert_allclose(fading[key], value * gain, rtol=1e-5, err_msg=str(key))


@pytest.mark.parametrize("loudness_db", [LOUDNESS_FLOOR_DB, -120.0])
def test_at_the_floor_it_is_silent_and_next_to_it_nearly(models, loudness_db):
    fading = controls(models[0], loudness_db)
    assert all((fading[key] == 0.0).all() for key in LEVELS)
    assert all((controls(models[1], loudness_db)[key] > 0.0).all() for key in LEVELS)
    last = controls(models[0], LOUDNESS_FLOOR_DB + 3.0)
    quietest = controls(models[1], QUIETEST_DB)
    for key in LEVELS:  # half way through the last 6 dB, 37 dB below
        np.testing.assert_allclose(last[key], quietest[key] * 10.0 ** (-37.0 / 20.0) * 0.5, rtol=1e-4)


@pytest.mark.parametrize(
    ("f0_hz", "limit_hz"), [(50.0, 220.0), (219.0, 220.0), (900.0, 880.0), (1500.0, 880.0)]
)
def test_beyond_its_limits_a_pitch_has_the_timbre_of_the_limit(models, f0_hz, limit_hz):
    played, limit = (controls(models[0], -20.0, hz) for hz in (f0_hz, limit_hz))
    np.testing.assert_allclose(played["harmonic", "f0_hz"], f0_hz)
    np.testing.assert_allclose(played["noise", "magnitudes"], limit["noise", "magnitudes"], rtol=1e-6)
    np.testing.assert_allclose(played["harmonic", "amplitude"], limit["harmonic", "amplitude"], rtol=1e-6)
    if f0_hz < limit_hz:  # above, fewer of its harmonics can be heard
        shares = played["harmonic", "distribution"], limit["harmonic", "distribution"]
        np.testing.assert_allclose(*shares, rtol=1e-5)
    free = controls(models[1], -20.0, f0_hz)
    assert np.abs(free["noise", "magnitudes"] / played["noise", "magnitudes"] - 1.0).max() > 1e-5


def test_a_step_of_the_exported_network_does_the_same(models):
    levels = np.float32([-20.0, -39.0, -45.0, -60.0, -77.0, -80.0, -41.0, -10.0])
    model = models[0]
    pitches = np.float32([330.0, 330.0, 100.0, 440.0, 2000.0, 1000.0, 60.0, 330.0])
    features = {
        "f0_hz": tf.constant(pitches[None, :, None]),
        "loudness_db": tf.constant(levels[None, :, None]),
    }
    want = model.get_controls(features)
    state = {name: tf.zeros([1, size]) for name, size in model.decoder.state_sizes.items()}
    for frame, (f0_hz, level) in enumerate(zip(pitches, levels, strict=True)):
        told = {"f0_scaled": scale_f0([f0_hz])[:, None], "loudness_scaled": scale_loudness([level])[:, None]}
        found, state = model.step({name: tf.constant(v, tf.float32) for name, v in told.items()}, state)
        for node, name in LEVELS:
            np.testing.assert_allclose(
                found[node][name], want[node][name][:, frame], rtol=1e-4, atol=1e-8, err_msg=f"{frame} {name}"
            )


def test_gradients_are_finite_in_silence(models):
    model = models[0]
    features = {"f0_hz": tf.fill([1, 4, 1], 330.0), "loudness_db": tf.fill([1, 4, 1], LOUDNESS_FLOOR_DB)}
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(features)))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(np.isfinite(gradient).all() for gradient in gradients if gradient is not None)


def test_a_run_knows_it_from_the_softest_of_its_recordings(trained_run, tiny_dataset):
    model = load_model_of_run(trained_run)
    softest = load_dataset_info(tiny_dataset).loudness_db_range.low
    assert model.limits.quietest_db == pytest.approx(softest - 6.0)
    pitches = load_dataset_info(tiny_dataset).f0_hz_range
    assert model.limits.pitch_hz == pytest.approx((pitches.low * 2.0**-0.5, pitches.high * 2.0**0.5))
    facts = task_named("instrument").facts(load_dataset_info(tiny_dataset), tiny.config(), tiny_dataset)
    assert Limits.of_facts(facts) == model.limits


def test_partials_that_were_above_nyquist_wherever_it_was_trained_stay_silent(models):
    """An octave below the limit they could be heard, and nobody ever heard what the network says of them."""
    fading = controls(model_with({"pitch_limits_hz": [3000.0, 4000.0]}), -20.0, 400.0)
    plain = controls(model_with({}), -20.0, 400.0)
    heard = int(tiny.RATE / 2 // 3000.0)  # of the limit
    count = fading["harmonic", "distribution"].shape[-1]
    assert heard < count <= tiny.RATE / 2 / 400.0
    assert (plain["harmonic", "distribution"][..., heard:] > 0.0).all()
    assert (fading["harmonic", "distribution"][..., heard:] == 0.0).all()
    np.testing.assert_allclose(fading["harmonic", "distribution"].sum(-1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(fading["harmonic", "f0_hz"], plain["harmonic", "f0_hz"])
