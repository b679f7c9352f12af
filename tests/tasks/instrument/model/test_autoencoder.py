"""The model: features in, sound out, in any pieces, and the same after it was saved."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.config import Config
from ddsp_tf.errors import DdspError
from ddsp_tf.layers import ProcessorGroup
from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.models import Autoencoder, GruDecoder
from ddsp_tf.units import scale_f0, scale_loudness
from tests import oracle, tiny

FRAMES = 21


@pytest.fixture(scope="module")
def model():
    """A model with random weights everywhere, the room included: untrained, heads are near zero."""
    model = Autoencoder.from_experiment(tiny.config())
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    return model


def given_noise(frames, batch=1):
    noise = np.random.default_rng(5).uniform(-1, 1, [batch, frames * tiny.HOP])
    return tf.constant(noise, tf.float32)


def controls_of(model, features, noise=None):
    controls = model.get_controls(features)
    if noise is not None:
        controls["noise"]["noise"] = noise
    return controls


@pytest.mark.parametrize(("batch", "frames"), [(1, 1), (3, 7), (2, 125)])
def test_n_frames_make_n_hops_for_any_batch(model, batch, frames):
    audio = model(tiny.features(frames, batch))
    assert audio.shape == (batch, frames * tiny.HOP)
    assert audio.dtype == tf.float32
    assert np.isfinite(audio).all()


def test_a_symbolic_batch_and_length_make_a_functional_model(model):
    inputs = {name: keras.Input([None, 1], name=name) for name in ("f0_hz", "loudness_db")}
    functional = keras.Model(inputs, model(inputs))
    assert functional.output_shape == (None, None)
    assert functional(tiny.features(9, batch=3)).shape == (3, 9 * tiny.HOP)


def test_the_output_shape_is_known_before_the_sound(model):
    shapes = {"f0_hz": (None, 50, 1), "loudness_db": (None, 50, 1)}
    assert model.compute_output_shape(shapes) == (None, 50 * tiny.HOP)


def test_the_sound_is_that_of_the_controls(model):
    """Every node against the float64 oracles; 2e-5 is float32 over 21 frames."""
    features, noise = tiny.features(FRAMES), given_noise(FRAMES)
    controls = controls_of(model, features, noise)
    output = model.processors.get_signal(controls)
    values = {node: {k: np.asarray(v) for k, v in c.items()} for node, c in controls.items()}
    harmonic = oracle.harmonic(
        features["f0_hz"][0, :, 0],
        (values["harmonic"]["amplitude"] * values["harmonic"]["distribution"])[0],
        tiny.RATE,
        tiny.HOP,
    )
    hiss = oracle.filtered_noise(values["noise"]["magnitudes"][0], noise[0].numpy(), tiny.HOP)
    dry = harmonic + hiss
    np.testing.assert_allclose(output.signals["dry"][0], dry, atol=2e-5)
    np.testing.assert_allclose(
        output.audio[0], oracle.reverb(dry, values["reverb"]["impulse_response"]), atol=2e-4
    )


def test_saving_keeps_controls_and_sound(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.instrument == model.instrument
    assert loaded.get_config() == model.get_config()
    features, noise = tiny.features(FRAMES), given_noise(FRAMES)
    before, after = controls_of(model, features, noise), controls_of(loaded, features, noise)
    for node, values in before.items():
        for name, value in values.items():
            np.testing.assert_array_equal(after[node][name], value, err_msg=f"{node}.{name}")
    np.testing.assert_array_equal(
        loaded.processors.get_signal(after).audio, model.processors.get_signal(before).audio
    )


def test_a_saved_model_goes_on_with_the_same_noise(model, tmp_path):
    features = tiny.features(FRAMES)
    model(features)  # not the first noise
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for _ in range(2):
        np.testing.assert_array_equal(loaded(features), model(features))


def test_every_call_draws_new_noise(model):
    features = tiny.features(FRAMES)
    one, other = (np.asarray(model.stream(features)[0].signals["noise"]) for _ in range(2))
    assert np.abs(one - other).max() > 0.5 * np.abs(one).max() > 0.0


def test_one_frame_at_a_time_gives_the_controls_of_the_sequence(model):
    features = tiny.features(FRAMES)
    whole = model.get_controls(features)
    state = {k: tf.zeros([1, size]) for k, size in model.decoder.state_sizes.items()}
    compared = set()
    for i in range(FRAMES):
        inputs = {
            "f0_scaled": tf.constant(scale_f0(features["f0_hz"][:, i]), tf.float32),
            "loudness_scaled": tf.constant(scale_loudness(features["loudness_db"][:, i]), tf.float32),
        }
        frame, state = model.step(inputs, state)
        for node, values in frame.items():
            for name, value in values.items():
                expected = np.asarray(whole[node][name])[:, i]
                scale = 500.0 if name == "f0_hz" else 1.0  # Hz; the others are shares and gains
                np.testing.assert_allclose(value / scale, expected / scale, atol=1e-5)
                compared.add(f"{node}.{name}")
    assert compared == {
        "harmonic.amplitude",
        "harmonic.distribution",
        "harmonic.f0_hz",
        "noise.magnitudes",
    }


@pytest.mark.parametrize("edges", [(1, 3), (10,), (20,)])
def test_blocks_of_controls_make_the_sound_of_one_piece(model, edges):
    features, noise = tiny.features(FRAMES, batch=2), given_noise(FRAMES, batch=2)
    controls = controls_of(model, features, noise)
    whole = model.processors.get_signal(controls).audio
    state, parts = None, []
    for start, stop in itertools.pairwise([0, *edges, FRAMES]):
        block = {
            node: {k: v[:, start:stop] if len(v.shape) == 3 else v for k, v in values.items()}
            for node, values in controls.items()
        }
        block["noise"]["noise"] = noise[:, start * tiny.HOP : stop * tiny.HOP]
        output, state = model.processors.stream_signal(block, state)
        parts.append(output.audio)
    np.testing.assert_allclose(tf.concat(parts, axis=1), whole, atol=1e-5)


def test_streaming_features_equals_one_call_where_nothing_is_random():
    model = Autoencoder.from_experiment(Config.from_dict(tiny.without_noise()))
    features = tiny.features(30)
    whole = model(features)
    state, parts = None, []
    for start, stop in ((0, 1), (1, 4), (4, 29), (29, 30)):
        output, state = model.stream({k: v[:, start:stop] for k, v in features.items()}, state)
        parts.append(output.audio)
    np.testing.assert_allclose(tf.concat(parts, axis=1), whole, atol=1e-5)


def test_a_missing_feature_is_named(model):
    with pytest.raises(DdspError, match="lacks the feature 'loudness_db'; it has f0_hz"):
        model.get_controls({"f0_hz": np.full([1, 3, 1], 220.0, "float32")})


def test_a_decoder_that_does_not_fit_the_processors_is_refused(model):
    decoder = GruDecoder({"amplitude": 1, "distribution": 7, "magnitudes": 9}, units=4, layer_units=4)
    with pytest.raises(DdspError, match=r"'distribution': 7.*but the processors take .*'distribution': 5"):
        Autoencoder(decoder, model.processors)


def test_processors_that_take_a_signal_are_refused(model):
    nodes = [{"name": "room", "type": "Reverb", "config": {"length_samples": 9}, "inputs": {"audio": "dry"}}]
    group = ProcessorGroup(tiny.RATE, tiny.HOP, inputs=["dry"], nodes=nodes)
    with pytest.raises(DdspError, match="takes a signal 'dry', which no decoder gives"):
        Autoencoder(model.decoder, group)


@pytest.mark.parametrize("units", [0, -1, 2.5, "8", None])
def test_a_decoder_of_impossible_size_is_refused(units):
    with pytest.raises(DdspError, match="GruDecoder: units must be a positive integer"):
        GruDecoder({"amplitude": 1}, units=units)


def test_the_same_seed_gives_the_same_weights_and_noise():
    one, two = (Autoencoder.from_experiment(tiny.config()) for _ in range(2))
    other = Autoencoder.from_experiment(tiny.config(training={"seed": 1}))
    features = tiny.features(FRAMES)
    np.testing.assert_array_equal(one(features), two(features))
    assert np.abs(np.asarray(one(features) - other(features))).max() > 1e-4


@pytest.mark.slow
def test_mixed_precision_trains_and_keeps_pitch_and_sound_in_float32():
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        model = Autoencoder.from_experiment(tiny.config())
        features = tiny.features(50, batch=2)
        controls = model.get_controls(features)
        # bfloat16 would be off by up to 7 cents.
        np.testing.assert_array_equal(controls["harmonic"]["f0_hz"], features["f0_hz"])
        assert model(features).dtype == tf.float32
        assert model.decoder.gru.compute_dtype == "bfloat16"
        target = tf.constant(np.stack([tiny.phrase(0.4)] * 2), tf.float32)
        model.compile(keras.optimizers.Adam(1e-3), MultiScaleSpectralLoss((256, 64)), run_eagerly=True)
        weights = [w.numpy() for w in model.trainable_variables]
        assert np.isfinite(model.train_on_batch(features, target)).all()
        moved = [
            np.abs(w.numpy() - v).max() > 0 for w, v in zip(model.trainable_variables, weights, strict=True)
        ]
        assert all(moved)
        assert all(w.dtype == "float32" for w in model.trainable_variables)
    finally:
        keras.config.set_dtype_policy(before)
