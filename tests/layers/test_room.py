"""The room that is as live as the recording."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers import Room
from ddsp_tf.tasks.instrument.export.describe import describe
from tests import tiny
from tests.layers.harness import assert_layer_behaves

RATE, HOP = 16_000, 128


def made(seconds=1.0, **config):
    layer = Room(round(seconds * RATE), RATE, HOP, **config)
    layer.build(None)
    return layer


def level_db(response, start_s, end_s, rate=RATE):
    return 10.0 * np.log10(np.mean(np.square(response[round(start_s * rate) : round(end_s * rate)])))


def test_it_behaves_as_a_keras_layer_and_streams_at_a_hop_of_one_sample(tmp_path):
    assert_layer_behaves(Room(50, 48_000, 1), tmp_path)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_an_untrained_room_is_a_diffuse_one_that_falls_by_60_db_in_half_a_second(rate):
    response = Room(rate, rate, HOP).impulse_response.numpy()
    assert response[0] == 1.0
    assert 10 * np.log10(np.sum(response[1:] ** 2)) == pytest.approx(-22.9, abs=0.5)  # at any rate
    fall = level_db(response, 0.1, 0.15, rate) - level_db(response, 0.35, 0.4, rate)
    assert fall == pytest.approx(30.0, abs=1.0)


def test_each_band_has_a_time_of_its_own():
    layer = made()
    times = np.zeros(layer.n_bands)
    times[3] = np.log(2.0) / 5.0  # 1 kHz, twice as long
    layer.times.assign(times)
    np.testing.assert_allclose(layer.band_seconds, 0.5 * np.exp(5.0 * times), rtol=1e-5)
    response = layer.impulse_response.numpy()
    spectrum = np.fft.rfft(response[round(0.3 * RATE) : round(0.5 * RATE)])
    hz = np.fft.rfftfreq(round(0.2 * RATE), 1 / RATE)
    power = np.abs(spectrum) ** 2
    inside = power[(hz > 900) & (hz < 1100)].mean()
    outside = power[(hz > 3000) & (hz < 6000)].mean()
    assert 10 * np.log10(inside / outside) == pytest.approx(24.0, abs=4.0)  # 0.4 s at 60 and 120 dB a second


def test_its_taps_are_numbers_of_half_precision_through_which_gradients_pass():
    layer = made()
    response = layer.impulse_response.numpy()
    np.testing.assert_array_equal(response, response.astype(np.float16).astype(np.float32))
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(tf.square(layer.impulse_response[1:]))
    assert all(np.abs(g).max() > 0 for g in tape.gradient(value, [layer.noise, layer.levels, layer.times]))


def test_level_and_time_of_a_hall_are_found_from_its_sound():
    """A hall of other noise: white noise played in it, compared by log magnitudes, as in training."""
    rng = np.random.default_rng(5)
    seconds = np.arange(RATE) / RATE
    hall = 0.02 * rng.normal(size=RATE) * 10.0 ** (-3.0 * seconds / 0.9)
    hall[0] = 1.0
    hall[: round(0.1 * RATE)][1:] = 0.0  # the early part is another's
    clicks = np.zeros(2 * RATE)
    clicks[100] = 1.0
    target = np.convolve(clicks, hall)[: 2 * RATE]
    layer = made()
    layer.noise.trainable = False
    layer.taps.trainable = False
    optimizer = keras.optimizers.Adam(5e-3)
    optimizer.build(layer.trainable_variables)

    def magnitudes(sound):
        return tf.math.log(tf.abs(tf.signal.stft(sound, 1024, 256)) + 1e-5)[8:64]

    wanted = magnitudes(tf.constant(target, tf.float32))
    sound = tf.constant(clicks[None], tf.float32)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(magnitudes(layer({"audio": sound})[0]) - wanted))
        optimizer.apply(tape.gradient(loss, layer.trainable_variables))

    for _ in range(300):
        step()
    np.testing.assert_allclose(layer.band_seconds[2:-1], 0.9, rtol=0.15)
    response = layer.impulse_response.numpy()
    for start in (0.2, 0.4, 0.6):
        assert level_db(response, start, start + 0.1) == pytest.approx(
            level_db(hall, start, start + 0.1), abs=2.0
        )


def test_it_keeps_its_noise_when_it_is_loaded(tmp_path):
    layer = made(0.01)
    layer.noise.assign(-layer.noise)  # what no seed gives
    audio = keras.Input([None], name="audio")
    keras.Model(audio, layer({"audio": audio})).save(tmp_path / "room.keras")
    loaded = keras.models.load_model(tmp_path / "room.keras").get_layer(layer.name)
    np.testing.assert_array_equal(loaded.impulse_response, layer.impulse_response)


def test_devices_get_a_reverb_without_the_silence_that_a_dry_room_ends_with(trained_model):
    """Of a model whose room is a `Room`, dead after 50 ms."""
    values = tiny.settings()
    reverb = values["model"]["processors"]["nodes"][3]
    reverb["type"], reverb["config"] = "Room", {"length_samples": RATE}
    from ddsp_tf.config import Config
    from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder

    model = Autoencoder.from_experiment(Config.from_dict(values), dict(trained_model.instrument))
    layer = model.processors.processors["reverb"]
    layer.times.assign(np.full(layer.n_bands, np.log(0.05 / 0.5) / 5.0))
    card, arrays = describe(model)
    assert [node["type"] for node in card.synthesizer["nodes"]][-1] == "Reverb"
    [response] = arrays.values()
    whole = layer.impulse_response.numpy()
    np.testing.assert_array_equal(response, whole[: len(response)])
    assert not whole[len(response) :].any()
    assert 0.05 * RATE < len(response) < 0.15 * RATE


def test_a_seed_that_is_none_is_refused():
    with pytest.raises(DdspError, match="seed=-1"):
        Room(100, RATE, HOP, seed=-1)
