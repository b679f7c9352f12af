"""The encoder: what it hears, that it hears nothing of the future, and its distribution."""

import itertools
import sys

import keras
import librosa
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from ddsp_tf.errors import DdspError
from ddsp_tf.models import MfccEncoder
from ddsp_tf.tasks.instrument.model import encoder as module

RATE, HOP, FRAMES = 16_000, 128, 30
SIZES = {"z_size": 3, "units": 8, "n_mfcc": 10, "n_mels": 40}


def made(rate=RATE, hop=HOP, **sizes):
    keras.utils.set_random_seed(1)
    encoder = MfccEncoder(rate, hop, **{**SIZES, **sizes})
    encoder.build(None)
    return encoder


def sound(frames=FRAMES, hop=HOP, batch=2):
    return np.random.default_rng(0).uniform(-0.5, 0.5, [batch, frames * hop]).astype(np.float32)


@pytest.mark.parametrize(("rate", "hop"), [(16_000, 128), (16_000, 1500), (44_100, 350)])
def test_blocks_hear_what_one_piece_hears(rate, hop):
    """Windows of 64 ms are longer than most blocks, and at a hop of 1500 shorter than one."""
    encoder, audio = made(rate, hop), sound(hop=hop)
    whole, end = encoder(audio)
    state, parts = None, []
    for first, last in itertools.pairwise([0, 1, 2, 11, FRAMES]):
        latent, state = encoder(audio[:, first * hop : last * hop], state)
        parts.append(latent["mean"])
    np.testing.assert_allclose(tf.concat(parts, axis=1), whole["mean"], atol=1e-5)  # float32
    for name, value in end.items():
        np.testing.assert_allclose(state[name], value, atol=1e-5, err_msg=name)


def test_a_frame_hears_nothing_after_it():
    encoder, audio = made(), sound()
    other = audio.copy()
    other[:, 20 * HOP :] = 0.0
    one, two = (encoder(x)[0]["mean"].numpy() for x in (audio, other))
    np.testing.assert_allclose(two[:, :20], one[:, :20], atol=1e-5)
    assert np.abs(two[:, 20] - one[:, 20]).max() > 1e-4  # and its own hop, where the window is small
    assert np.abs(two[:, 24] - one[:, 24]).max() > 1e-2


def test_what_it_hears_are_the_cepstra_of_the_sound_before_a_frame():
    """Against librosa, whose window `i` begins at `i * hop`; 0.02 is 0.04 dB."""
    encoder, audio = made(), sound(batch=1)
    past = encoder.past_hops * HOP
    assert past + HOP == 1024
    heard = np.pad(audio, [[0, 0], [past, 0]])
    own = encoder._normalised_mfcc(tf.constant(heard))[0].numpy()
    mel = librosa.feature.melspectrogram(
        y=heard[0], sr=RATE, n_fft=1024, hop_length=HOP, n_mels=40, center=False, htk=False
    )
    level_db = 10.0 * np.log10(np.maximum(mel, 1e-10))
    cepstra = librosa.feature.mfcc(S=level_db, n_mfcc=10, dct_type=2, norm="ortho").T / np.sqrt(40)
    middle, step = [-40.0] + [0.0] * 9, [20.0] + [2.0] * 9
    np.testing.assert_allclose(own, (cepstra - middle) / step, atol=0.02)


def test_z_is_its_mean_where_it_is_no_distribution():
    encoder = made()
    latent, _ = encoder(sound())
    assert set(latent) == {"mean"}
    assert encoder.sample(latent) is latent["mean"]


def test_drawn_z_have_mean_and_scale_and_go_on_where_they_were():
    encoder = made(kl_weight=0.1)
    latent = {"mean": tf.fill([1, 20_000, 3], 2.0), "scale": tf.fill([1, 20_000, 3], 0.5)}
    drawn = encoder.sample(latent).numpy()
    assert drawn.mean() == pytest.approx(2.0, abs=0.01)  # 5 standard errors of 60,000
    assert drawn.std() == pytest.approx(0.5, abs=0.01)
    assert np.abs(drawn - encoder.sample(latent)).max() > 0.1
    again = made(kl_weight=0.1)
    np.testing.assert_array_equal(again.sample(latent), drawn)  # the same seed


def test_the_divergence_is_that_of_the_distributions():
    """Against a numerical integral over the density."""
    encoder = made(kl_weight=0.1)
    means, scales = [[0.3, -1.0, 0.0]], [[0.5, 1.5, 1.0]]
    latent = {"mean": tf.constant([means]), "scale": tf.constant([scales])}
    x = np.linspace(-12, 12, 20_001)[:, None]
    density, standard = stats.norm(means[0], scales[0]).logpdf(x), stats.norm.logpdf(x)
    expected = np.trapezoid(np.exp(density) * (density - standard), x, axis=0).sum()
    assert float(encoder.kl_divergence(latent)[0]) == pytest.approx(expected, rel=1e-4)


def test_without_tensorflow_probability_the_cure_is_named(monkeypatch):
    module.tensorflow_distributions.cache_clear()
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DdspError, match=r"kl_weight needs TensorFlow Probability \(pip install"):
        module.tensorflow_distributions()


def test_rendering_needs_no_tensorflow_probability(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_probability", None)
    latent, _ = made(kl_weight=0.1)(sound())
    assert latent["scale"].shape == (2, FRAMES, 3)
    assert float(tf.reduce_min(latent["scale"])) > 0.0


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"z_size": 0}, "z_size must be a positive integer"),
        ({"n_mfcc": 41}, "n_mfcc must not be above n_mels"),
    ],
)
def test_impossible_sizes_are_refused(sizes, words):
    with pytest.raises(DdspError, match=words):
        MfccEncoder(RATE, HOP, **{**SIZES, **sizes})
