"""The network: frame by frame it says what it says of a whole sound."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_edge.transcription.harmonics import N_FEATURES
from ddsp_edge.transcription.naming import Namer
from ddsp_edge.transcription.spectra import N_BINS
from ddsp_tf.tasks.transcription.hearing import network_of
from ddsp_tf.tasks.transcription.loss import NoteLoss
from ddsp_tf.tasks.transcription.model import Transcriber
from ddsp_tf.tasks.transcription.pitch_conv import PitchConv


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    model = Transcriber(8, 40, 24)
    model.build(None)
    rng = np.random.default_rng(0)
    learned = {id(weight) for layer in model.namer for weight in layer.weights}
    for weight in model.non_trainable_weights:  # as after training: means and variances that are not 0 and 1
        if id(weight) in learned:
            continue
        value = (
            rng.uniform(0.5, 1.5, weight.shape)
            if "variance" in weight.path
            else rng.normal(size=weight.shape)
        )
        weight.assign(value)
    return model


def test_frame_by_frame_it_gives_the_roll_of_the_whole(model):
    spectra = np.random.default_rng(1).uniform(0.0, 2.0, (30, N_BINS, 2)).astype(np.float32)
    whole = tf.sigmoid(model({"spectra": spectra[np.newaxis]})["roll"])[0]
    network = network_of(model)
    parts = [network.process(spectra=spectra[a:b])["roll"] for a, b in ((0, 1), (1, 12), (12, 30))]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=2e-5)  # sums in another order


def test_it_is_the_same_for_every_pitch(model):
    """A sound three semitones higher gives the same roll three pitches higher, away from the ends."""
    rng = np.random.default_rng(2)
    spectra = np.zeros((1, 12, N_BINS, 2), np.float32)
    spectra[:, :, 120:150] = rng.uniform(0.0, 2.0, (1, 12, 30, 2))
    higher = np.roll(spectra, 9, axis=2)
    conv = PitchConv(4, frames=2, pitches=3)
    conv.build([None, None, None, 54])
    low, high = conv(model.stacked(spectra)), conv(model.stacked(higher))
    np.testing.assert_allclose(low[:, :, 1:-4], high[:, :, 4:-1], atol=1e-5)


@pytest.mark.parametrize("spread", [1, 12])
def test_a_convolution_is_the_sum_that_it_is_defined_as(spread):
    conv = PitchConv(3, frames=1 if spread == 12 else 2, pitches=3, spread=spread, activation=False)
    conv.build([None, None, None, 2])
    rng = np.random.default_rng(4)
    x = rng.normal(size=(1, 5, 36, 2)).astype(np.float32)
    kernel = np.asarray(conv.kernel, np.float64)
    wanted = np.zeros((5, 36, 3))
    for t in range(5):
        for p in range(36):
            for i in range(conv.frames):
                for j in range(3):
                    at, q = t - (conv.frames - 1) + i, p + (j - 1) * spread
                    if at >= 0 and 0 <= q < 36:
                        wanted[t, p] += x[0, at, q] @ kernel[i, j]
    np.testing.assert_allclose(conv(x)[0], wanted, atol=1e-5)


def test_what_is_unknown_does_not_count_in_the_loss():
    rng = np.random.default_rng(5)
    target = (rng.random((2, 6, 12, 4)) > 0.8).astype(np.float32)
    logits = rng.normal(size=target.shape).astype(np.float32)
    target[:, :2] = -1.0
    other = logits.copy()
    other[:, :2] += 3.0
    loss = NoteLoss()
    one, terms = loss.value_and_terms({"roll": target}, {"roll": logits})
    two, _ = loss.value_and_terms({"roll": target}, {"roll": other})
    np.testing.assert_allclose(one, two, rtol=1e-6)
    assert set(terms) == set(loss.term_names)
    np.testing.assert_allclose(sum(terms.values()), one, rtol=1e-6)


def test_a_perfect_roll_costs_nearly_nothing_and_a_wrong_one_much():
    target = np.zeros((1, 6, 12, 4), np.float32)
    target[0, 2, 5] = 1.0
    right = np.where(target > 0.5, 12.0, -12.0).astype(np.float32)

    def cost(logits):
        value, _ = NoteLoss().value_and_terms({"roll": target}, {"roll": logits})
        return float(value[0])

    assert cost(right) < 1e-3
    assert cost(-right) > 50.0


def test_it_is_saved_and_loaded(model, tmp_path):
    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.models.load_model(path)
    spectra = np.random.default_rng(6).uniform(0, 2, (1, 4, N_BINS, 2)).astype(np.float32)
    features = np.random.default_rng(7).uniform(0, 1, (1, 3, N_FEATURES)).astype(np.float32)
    np.testing.assert_array_equal(again({"spectra": spectra})["roll"], model({"spectra": spectra})["roll"])
    np.testing.assert_array_equal(again.name_logits(features), model.name_logits(features))


def test_the_device_names_notes_as_the_model_does(model):
    features = np.random.default_rng(8).uniform(0, 1, (40, N_FEATURES)).astype(np.float32)
    wanted = tf.nn.log_softmax(model.name_logits(features))
    given = Namer(model.namer_arrays()).log_likelihoods(features)
    assert np.abs(given - wanted).max() < 0.1  # weights of 8 bits
