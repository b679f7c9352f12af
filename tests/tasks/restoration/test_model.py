"""The model: one frame at a time is what a sequence is, blind to level and colour, and law 1."""

import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.config.files import load_config
from ddsp_tf.config.sections import Config
from ddsp_tf.errors import DdspError
from ddsp_tf.layers.band_normaliser import BandNormaliser
from ddsp_tf.tasks.restoration.loss import RestorationLoss
from ddsp_tf.tasks.restoration.model.band_loss import band_products
from ddsp_tf.tasks.restoration.model.gain_refinement import GainRefinement
from ddsp_tf.tasks.restoration.model.model import Restoration
from ddsp_tf.tasks.restoration.restore import restorer_of
from tests.device.restoration.networks import masked
from tests.tasks.restoration import sounds


@pytest.fixture(scope="module", params=[(0, 0.0), (4, 0.1)], ids=["plain", "refined, some noise stays"])
def model(request):
    settings = sounds.settings()
    settings["network"].update(zip(("channels", "least_gain"), request.param, strict=True))
    return with_weights(Restoration.from_experiment(Config.from_dict(settings), {}))


def with_weights(model):
    """Its convolutions do something: the last weights begin at zero."""
    if model.refinement is not None:
        rng = np.random.default_rng(9)
        model.refinement.set_weights([rng.normal(0.0, 0.3, w.shape) for w in model.refinement.weights])
    return model


@pytest.fixture(scope="module")
def audio():
    return sounds.voice(2.0, 5) + sounds.noise(2.0, 6)


def streamed_as_called(model, audio):
    """What a device makes of it in blocks, which is the call of the model."""
    restorer = restorer_of(model)
    padded = np.pad(audio, (0, restorer.latency_samples))
    parts = [restorer.push(padded[i : i + 999])[0][:, 0] for i in range(0, len(padded), 999)]
    streamed = np.concatenate(parts)[restorer.latency_samples :]
    whole = model({"audio": audio[None]}).numpy()[0]
    np.testing.assert_allclose(streamed, whole[: len(streamed)], atol=1e-5)
    return streamed


def test_blocks_of_numpy_are_the_call_of_keras_is_the_definition(model, audio):
    streamed = streamed_as_called(model, audio)
    padded = np.pad(audio, (0, model.latency_samples))
    spectra = model.spectra(tf.constant(padded[None, : len(padded) // 128 * 128]))
    gains = model.network(model.log_powers(tf.abs(spectra) ** 2))[0].numpy()[0]
    wanted = masked(padded[: len(padded) // 128 * 128].astype(np.float64), gains, model.bands)
    np.testing.assert_allclose(streamed, wanted[model.latency_samples :], atol=1e-5)


def test_no_gain_is_less_than_the_least(model, audio):
    before = model.get_weights()
    model.set_weights([w - 30.0 if w.shape == model.head.bias.shape else w for w in before])
    gains = model.network(model.log_powers(tf.abs(model.spectra(tf.constant(audio[None, :6400]))) ** 2))[0]
    model.set_weights(before)
    assert gains.numpy().min() >= model.least_gain
    assert gains.numpy().min() == pytest.approx(model.least_gain, abs=1e-3)


def test_a_stream_of_keras_is_the_same_in_any_blocks(model, audio):
    whole, _ = model.stream(tf.constant(audio[None]))
    state, parts = None, []
    for start, end in ((0, 128), (128, 6_400), (6_400, 32_000)):
        part, state = model.stream(tf.constant(audio[None, start:end]), state)
        parts.append(part)
    np.testing.assert_allclose(tf.concat(parts, 1), whole, atol=1e-5)


def test_at_48_khz_blocks_are_the_call(audio):
    model = with_weights(Restoration.from_experiment(load_config("restore_speech_48k"), {}))
    assert model.bands.count == 122
    assert model.latency_samples == 3 * 384
    streamed_as_called(model, audio)


def test_step_is_a_frame_of_the_network(model):
    frames = np.random.default_rng(1).normal(-8.0, 3.0, (1, 30, 96)).astype(np.float32)
    wanted, after = model.network(tf.constant(frames))
    states = [tf.zeros([1, size]) for size in model.state_sizes.values()]
    for i in range(30):
        out = model.step(tf.constant(frames[:, i]), *states)
        states = [out[name] for name in model.state_sizes]
        np.testing.assert_allclose(out["gains"], wanted[:, i], atol=1e-5)
    for name in model.state_sizes:
        np.testing.assert_allclose(out[name], after[name], atol=1e-4)


def test_a_refinement_is_sums_over_bands_and_frames():
    bands, channels, frames = 9, 3, 4
    layer = GainRefinement(bands, channels)
    layer.build(None)
    rng = np.random.default_rng(7)
    layer.set_weights([rng.normal(0.0, 0.5, w.shape) for w in layer.weights])
    kernels, biases = ([w.numpy().astype(float) for w in found] for found in (layer.kernels, layer.biases))
    features, context = rng.normal(0.0, 1.0, (2, frames, 2, bands))

    def convolved(values, kernel, bias):  # [bands, channels]
        out = np.zeros((bands, kernel.shape[2])) + bias
        for band in range(bands):
            for k in range(len(kernel)):
                if 0 <= band + k - len(kernel) // 2 < bands:
                    out[band] += values[band + k - len(kernel) // 2] @ kernel[k]
        return out

    wanted = []
    for i in range(frames):
        seen = [features[j].T if j >= 0 else np.zeros((bands, 2)) for j in (i - 2, i - 1, i)]
        hidden = np.maximum(convolved(np.concatenate(seen, 1), kernels[0], biases[0]), 0.0)
        told = np.concatenate([hidden, context[i].T], 1)
        hidden = np.maximum(convolved(told, kernels[1], biases[1]), 0.0)
        wanted.append(convolved(hidden, kernels[2], biases[2])[:, 0] + context[i, 0])
    flat = (tf.constant(x.reshape(1, frames, 2 * bands), tf.float32) for x in (features, context))
    np.testing.assert_allclose(layer(*flat)[0][0], wanted, atol=1e-5)


@pytest.mark.parametrize(("bands", "channels"), [(0, 4), (9, 0)])
def test_a_refinement_of_nothing_is_refused(bands, channels):
    with pytest.raises(DdspError, match="above 0"):
        GainRefinement(bands, channels)


def test_a_refinement_is_the_same_for_every_band():
    layer = GainRefinement(40, 5)
    layer.build(None)
    rng = np.random.default_rng(8)
    layer.set_weights([rng.normal(0.0, 0.5, w.shape) for w in layer.weights])
    features, context = (rng.normal(0.0, 1.0, (1, 6, 2, 40)).astype(np.float32) for _ in range(2))

    def logits(shift):
        moved = (np.roll(x, shift, axis=-1).reshape(1, 6, 80) for x in (features, context))
        return layer(*(tf.constant(x) for x in moved))[0].numpy()

    inner = slice(12, 30)  # out of reach of the ends
    np.testing.assert_allclose(logits(3)[..., 15:33], logits(0)[..., inner], atol=1e-5)
    assert np.abs(logits(3)[..., inner] - logits(0)[..., inner]).max() > 0.1


def test_a_frame_at_a_time_is_a_sequence_where_the_mean_is_that_of_all_bands():
    layer = BandNormaliser(3, 125.0, by_band=False)
    frames = tf.constant(np.random.default_rng(6).normal(-5.0, 3.0, (1, 20, 3)), tf.float32)
    wanted, after = layer(frames)
    state = {name: tf.zeros([1, size]) for name, size in layer.state_sizes.items()}
    for i in range(20):
        given, state = layer.step(frames[:, i], state)
        np.testing.assert_allclose(given, wanted[:, i], atol=2e-4)  # quotients of small numbers
    for name, value in state.items():
        np.testing.assert_allclose(value, after[name], atol=1e-4)


def test_neither_level_nor_colour_is_heard(model):
    frames = np.random.default_rng(2).normal(-3.0, 2.0, (1, 40, 96)).astype(np.float32)
    colour = np.linspace(-2.0, 4.0, 96, dtype=np.float32)
    wanted, given = (model.network(tf.constant(x))[0] for x in (frames, frames + colour))
    np.testing.assert_allclose(given, wanted, atol=1e-4)


@pytest.mark.parametrize("by_band", [True, False])
def test_the_normaliser_is_its_definition_in_float64(by_band):
    layer = BandNormaliser(3, 125.0, by_band)
    x = np.random.default_rng(3).normal(-5.0, 3.0, (300, 3))
    out = layer(tf.constant(x[None], tf.float32))[0].numpy()[0]
    slow, fast = np.exp(-1.0 / 125.0), np.exp(-1.0 / 5.0)
    rise = 6.0 / 125.0 * np.log(10.0) / 10.0
    mean = smooth = np.zeros(3)
    floor = np.full(3, np.inf)
    for i, frame in enumerate(x):
        level = frame if by_band else frame.mean()
        mean, smooth = slow * mean + (1 - slow) * level, fast * smooth + (1 - fast) * frame
        floor = np.minimum(smooth / (1 - fast ** (i + 1)), floor + rise)
        wanted = np.concatenate([frame - mean / (1 - slow ** (i + 1)), frame - floor]) / 4.0
        np.testing.assert_allclose(out[i], wanted, atol=2e-4)  # means begin as quotients of small numbers


def test_the_mask_never_boosts(model):
    gains = model.bin_gains(tf.constant(np.random.default_rng(4).random((1, 5, 96)), tf.float32))
    assert 0.0 <= float(tf.reduce_min(gains)) <= float(tf.reduce_max(gains)) <= 1.0
    loud = np.random.default_rng(5).uniform(-1, 1, (1, 8_000)).astype(np.float32)
    assert np.sum(model({"audio": loud}).numpy() ** 2) <= np.sum(loud**2)


def test_the_error_reckoned_in_bands_is_that_of_the_sound(model, audio):
    """Where gains are the same in all bands, masked sound is the mixture times the gain."""
    loss = RestorationLoss(compressed_weight=0.0, under_weight=0.0, ratio_weight=1.0)
    clean = audio * 0.5 + sounds.noise(2.0, 9) * 0.1
    spectra = (model.spectra(tf.constant(x[None])) for x in (audio, clean))
    products = band_products(*spectra, tf.eye(257))
    for gain in (0.3, 0.6):
        gains = tf.fill(products[0].shape, gain)
        in_bands, _ = loss.of_bands(gains, *products)
        power = tf.constant([np.mean(audio**2)])
        of_sound, _ = loss.of_sound(tf.constant(clean[None]), tf.constant(gain * audio[None]), power)
        np.testing.assert_allclose(in_bands, of_sound, atol=0.2)  # dB; one counts half the bins, and no edges


def test_the_loss_is_lower_the_nearer_and_its_terms_add_up(audio):
    loss = RestorationLoss()
    clean = tf.constant(sounds.voice(2.0, 5)[None])
    values = []
    for share in (1.0, 0.5, 0.1, 0.0):
        value, terms = loss.value_and_terms(clean, clean + share * tf.constant(audio[None] - clean))
        np.testing.assert_allclose(value, sum(terms.values()), rtol=1e-5)
        values.append(float(value[0]))
    assert values == sorted(values, reverse=True)
    again = RestorationLoss.from_config(loss.get_config())
    np.testing.assert_allclose(
        again.call(clean, tf.constant(audio[None])), loss.call(clean, tf.constant(audio[None]))
    )
