"""A model that listens, and plays several instruments: trained, saved, mixed, in blocks."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.config import Config
from ddsp_tf.errors import DdspError
from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.models import Autoencoder, GruDecoder
from ddsp_tf.tasks.instrument.model.render import Renderer
from ddsp_tf.units import scale_f0, scale_loudness
from tests import tiny
from tests.selection import slow_but

FRAMES = 40
INSTRUMENTS = {"flute": "flute-*", "horn": "horn-*", "violin": "violin-*"}
ENCODER = {"z_size": 3, "units": 8, "n_mfcc": 10, "n_mels": 40}


def settings(encoder=None, instruments=None):
    values = tiny.without_noise()
    values["model"] |= {"encoder": encoder, "instruments": instruments or {}, "instrument_size": 4}
    return values


def made(encoder=None, instruments=None, **training):
    """A model with random weights everywhere: untrained, heads are near zero."""
    values = settings(encoder, instruments)
    values["training"] |= training
    model = Autoencoder.from_experiment(Config.from_dict(values))
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    return model


@pytest.fixture(scope="module")
def listening():
    """A model with an encoder."""
    return made(ENCODER)


@pytest.fixture(scope="module")
def several():
    """A model of three instruments."""
    return made(instruments=INSTRUMENTS)


@pytest.fixture(scope="module")
def both():
    """A variational model of three instruments."""
    return made({**ENCODER, "kl_weight": 0.01}, INSTRUMENTS)


def given(model, frames=FRAMES, batch=1):
    """Features, and what the model wants beside them."""
    rng = np.random.default_rng(3)
    features = tiny.features(frames, batch)
    if "audio" in model.feature_names:
        features["audio"] = rng.uniform(-0.5, 0.5, [batch, frames * tiny.HOP]).astype("float32")
    if "instrument" in model.feature_names:
        features["instrument"] = np.eye(3, dtype="float32")[rng.integers(3, size=[batch, 1])]
    return features


def curves(features):
    """The features of one sound as a renderer takes them."""
    flat = {name: value[0, :, 0] for name, value in features.items() if name in ("f0_hz", "loudness_db")}
    return {**flat, **{name: value[0] for name, value in features.items() if name not in flat}}


def compiled(model):
    model.compile(keras.optimizers.Adam(0.01), MultiScaleSpectralLoss((256, 64)), run_eagerly=True)
    return model


def test_a_model_without_them_is_as_it_was():
    plain = Autoencoder.from_experiment(Config.from_dict(tiny.without_noise()))
    assert plain.feature_names == ("f0_hz", "loudness_db")
    assert not {"encoder", "embedding", "mix"} & set(plain.get_config())
    extended = Autoencoder.from_experiment(Config.from_dict(settings(ENCODER, INSTRUMENTS)))
    own = {v.path.split("/", 1)[1] for v in extended.variables} - {
        v.path.split("/", 1)[1] for v in plain.variables
    }
    assert {path.split("/")[-3 if "gru" in path else -2] for path in own} >= {"head", "embedding"}


@pytest.mark.parametrize("name", slow_but(("both",), ("listening", "several", "both")))
def test_blocks_sound_like_one_piece(name, request):
    model = request.getfixturevalue(name)
    features = given(model, batch=2)
    whole = model(features)
    if "instrument" in features:
        features["instrument"] = np.repeat(features["instrument"], FRAMES, axis=1)
    state, parts = None, []
    for first, last in itertools.pairwise([0, 1, 2, 21, FRAMES]):
        hops = slice(first * tiny.HOP, last * tiny.HOP)
        block = {k: v[:, hops] if k == "audio" else v[:, first:last] for k, v in features.items()}
        output, state = model.stream(block, state)
        parts.append(output.audio)
    np.testing.assert_allclose(tf.concat(parts, axis=1), whole, atol=1e-5)
    renderer = Renderer(model, block_seconds=19 / tiny.FRAME_RATE)
    rendered = renderer.render(**curves({k: v[:1] for k, v in features.items()}))
    np.testing.assert_allclose(rendered, whole[0], atol=1e-5)


@pytest.mark.parametrize("name", ["listening", "several", "both"])
def test_saving_keeps_the_sound(name, request, tmp_path):
    model = request.getfixturevalue(name)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    np.testing.assert_array_equal(loaded(given(model)), model(given(model)))


def test_what_is_heard_is_heard_in_the_sound(listening):
    features = given(listening)
    other = {**features, "audio": 0.1 * features["audio"]}
    assert np.abs(listening(features) - listening(other)).max() > 1e-3


def test_a_mix_is_on_the_line_between_its_instruments(several):
    """The decoder takes what is half way between two vectors; one weight in every frame is one for all."""
    features = {**tiny.features(FRAMES), "instrument": np.array([[[0.5, 0.0, 0.5]]], "float32")}
    half = several(features)
    vectors = several.embedding.vectors.numpy()
    shared = GruDecoder.from_config(several.decoder.get_config())
    shared.build(None)
    shared.set_weights(several.decoder.get_weights())
    inputs = {
        "f0_scaled": tf.constant(scale_f0(features["f0_hz"]), tf.float32),
        "loudness_scaled": tf.constant(scale_loudness(features["loudness_db"]), tf.float32),
        "instrument": np.tile(0.5 * (vectors[0] + vectors[2]), [1, FRAMES, 1]),
    }
    raw, _ = shared(inputs)
    output = several.processors({**raw, "f0_hz": features["f0_hz"]})
    np.testing.assert_allclose(half, output, atol=1e-5)
    every = np.repeat(features["instrument"], FRAMES, axis=1)
    np.testing.assert_allclose(several({**features, "instrument": every}), half, atol=1e-6)


def test_a_model_that_plays_a_mix_needs_no_weights_and_shares_its_own(several, tmp_path):
    features = tiny.features(FRAMES)
    weights = np.array([[[0.25, 0.0, 0.75]]], "float32")
    playing = several.playing({"violin": 0.75, "flute": 0.25})
    expected = several({**features, "instrument": weights})
    np.testing.assert_array_equal(playing(features), expected)
    assert playing.feature_names == ("f0_hz", "loudness_db")
    assert playing.decoder is several.decoder
    playing.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(features), expected)


def test_one_frame_at_a_time_a_mix_has_the_controls_of_the_sequence(several):
    playing, features = several.playing({"horn": 1.0}), tiny.features(FRAMES)
    whole = playing.get_controls(features)["harmonic"]["distribution"]
    state = {name: tf.zeros([1, size]) for name, size in playing.decoder.state_sizes.items()}
    for i in range(FRAMES):
        inputs = {
            "f0_scaled": tf.constant(scale_f0(features["f0_hz"][:, i]), tf.float32),
            "loudness_scaled": tf.constant(scale_loudness(features["loudness_db"][:, i]), tf.float32),
        }
        controls, state = playing.step(inputs, state)
        np.testing.assert_allclose(controls["harmonic"]["distribution"], whole[:, i], atol=1e-5)


def test_weights_may_change_from_frame_to_frame(several):
    features = tiny.features(FRAMES)
    weights = np.repeat(np.eye(3, dtype="float32")[[[0]]], FRAMES, axis=1)
    one = several({**features, "instrument": weights})
    weights[:, 20:] = [0.0, 1.0, 0.0]
    two = several({**features, "instrument": weights})
    np.testing.assert_allclose(two[:, : 19 * tiny.HOP], one[:, : 19 * tiny.HOP], atol=1e-5)  # float32
    assert np.abs(two[:, 21 * tiny.HOP :] - one[:, 21 * tiny.HOP :]).max() > 1e-3


@pytest.mark.parametrize(
    ("name", "features", "words"),
    [
        ("listening", {}, "lacks the feature 'audio'"),
        ("several", {}, r"lacks the feature 'instrument' \(it plays flute, horn, violin\)"),
        ("several", {"instrument": np.ones([1, 1, 2], "float32")}, "weights of flute, horn, violin"),
        ("listening", {"audio": np.zeros([1, 9], "float32")}, "128 samples for each frame"),
    ],
)
def test_what_a_model_needs_is_named(name, features, words, request):
    with pytest.raises(DdspError, match=words):
        request.getfixturevalue(name)({**tiny.features(FRAMES), **features})


def test_mixes_that_cannot_be_are_refused(several, listening):
    with pytest.raises(DdspError, match=r"no instrument 'flut'\. Did you mean 'flute'\?"):
        several.playing({"flut": 1.0})
    with pytest.raises(DdspError, match="a model of one instrument has no mix"):
        listening.playing({"flute": 1.0})
    with pytest.raises(DdspError, match="name one, or a mix, of flute, horn, violin"):
        several.step(dict.fromkeys(("f0_scaled", "loudness_scaled"), tf.zeros([1, 1])), {})
    with pytest.raises(DdspError, match="listens to sound"):
        listening.step(dict.fromkeys(("f0_scaled", "loudness_scaled"), tf.zeros([1, 1])), {})


@pytest.mark.slow
def test_fit_listens_to_its_target_and_reports_the_divergence():
    model = compiled(made({**ENCODER, "kl_weight": 0.01}, INSTRUMENTS))
    features = given(model, batch=4)
    target = features.pop("audio")
    encoder_before = model.encoder.head.get_weights()[0].copy()
    with pytest.raises(DdspError, match="lacks the feature 'audio'"):
        model(features)
    history = model.fit(features, target, batch_size=2, epochs=3, verbose=0, validation_split=0.5).history
    assert history["loss"][-1] < history["loss"][0]
    assert {"kl", "val_kl"} <= set(history)
    parts = [sum(h[-1] for k, h in history.items() if k in ("magnitude", "log_magnitude", "kl"))]
    assert history["loss"][-1] == pytest.approx(parts[0], rel=1e-5)
    assert np.abs(model.encoder.head.get_weights()[0] - encoder_before).max() > 1e-3
    latent, _ = model.encoder(target)
    expected = 0.01 * float(tf.reduce_mean(model.encoder.kl_divergence(latent)))
    scores = model.evaluate(features, target, batch_size=4, verbose=0, return_dict=True)
    assert scores["kl"] == pytest.approx(expected, rel=1e-4)
    sounds = model.predict({**features, "audio": target}, verbose=0)
    assert sounds.shape == target.shape


def test_any_keras_loss_gets_the_divergence_too():
    model = made({**ENCODER, "kl_weight": 0.01})
    model.compile("adam", loss="mae", run_eagerly=True)
    features = given(model, batch=2)
    scores = model.evaluate(features, 0.1 * features["audio"], verbose=0, return_dict=True)
    error = np.abs(0.1 * features["audio"] - model(features)).mean()
    assert scores["loss"] == pytest.approx(error + scores["kl"], rel=1e-5)


def test_training_draws_and_rendering_does_not(both):
    features = given(both)
    np.testing.assert_array_equal(both(features), both(features))
    assert np.abs(both(features, training=True) - both(features, training=True)).max() > 1e-4


def test_half_precision_trains_and_plays_in_float32():
    model = compiled(made(ENCODER, INSTRUMENTS, precision="bfloat16"))
    features = given(model, batch=2)
    history = model.fit(features, features["audio"], epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert model.encoder.gru.compute_dtype == "bfloat16"
    played = model.in_float32()
    assert played.encoder.gru.compute_dtype == "float32"
    assert played.embedding is model.embedding
    shares = (m.get_controls(features)["harmonic"]["distribution"] for m in (model, played))
    np.testing.assert_allclose(*shares, atol=0.05)  # bfloat16 has 8 bits
