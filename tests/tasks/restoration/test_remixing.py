"""New mixtures reckoned from powers in bands, against mixtures that are made."""

import numpy as np
import tensorflow as tf

from ddsp_tf.tasks.restoration.model.remixing import remixed


def _products(clean, noise):
    mixture = clean + noise
    parts = np.abs(mixture) ** 2, np.abs(clean) ** 2, np.real(clean * np.conj(mixture))
    return [tf.constant(part.astype(np.float32)) for part in parts]


def _spectra(seed, shape=(3, 40, 24)):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, *shape)) + 1j * rng.normal(size=(2, *shape))


def test_louder_noise_is_what_adding_louder_noise_makes():
    clean, noise = _spectra(1)
    power, target, product = (
        x.numpy()
        for x in remixed(_products(clean, noise), level_db=12.0, colour_db=0.0, seed=tf.constant([5, 6]))
    )
    gains = np.sqrt((power - 2.0 * product + target).mean((1, 2)) / (np.abs(noise) ** 2).mean((1, 2)))
    assert len(set(np.round(gains, 3))) == 3  # each example has its own
    assert np.all(np.abs(20.0 * np.log10(gains)) <= 12.0)
    made = clean + gains[:, None, None] * noise
    np.testing.assert_allclose(power, np.abs(made) ** 2, atol=1e-3)
    np.testing.assert_allclose(target, np.abs(clean) ** 2, atol=1e-4)
    np.testing.assert_allclose(product, np.real(clean * np.conj(made)), atol=1e-3)


def test_colours_are_smooth_and_within_their_bound_and_the_same_in_all_frames():
    clean, noise = _spectra(2)
    _, target, _ = remixed(_products(clean, noise), level_db=0.0, colour_db=6.0, seed=tf.constant([1, 2]))
    gains_db = 10.0 * np.log10(target.numpy() / np.abs(clean) ** 2)
    np.testing.assert_allclose(gains_db, np.broadcast_to(gains_db[:, :1], gains_db.shape), atol=1e-3)
    assert 0.5 < np.abs(gains_db).max() <= 6.0
    assert np.abs(np.diff(gains_db[:, 0], axis=1)).max() < 3.0


def test_the_same_seed_mixes_the_same_and_nothing_changes_by_zero_db():
    products = _products(*_spectra(3))
    first = remixed(products, level_db=8.0, colour_db=6.0, seed=tf.constant([1, 2]))
    again = remixed(products, level_db=8.0, colour_db=6.0, seed=tf.constant([1, 2]))
    other = remixed(products, level_db=8.0, colour_db=6.0, seed=tf.constant([1, 3]))
    same = remixed(products, level_db=0.0, colour_db=0.0, seed=tf.constant([1, 2]))
    np.testing.assert_array_equal(first[0], again[0])
    assert np.abs(first[0] - other[0]).max() > 0.1
    for before, after in zip(products, same, strict=True):
        np.testing.assert_allclose(after, before, atol=1e-5)


def test_clean_sound_stays_clean_and_noise_alone_stays_alone():
    clean, noise = _spectra(4)
    power, target, product = remixed(
        _products(clean, 0.0 * noise), level_db=8.0, colour_db=6.0, seed=tf.constant([1, 2])
    )
    np.testing.assert_allclose(power, target, rtol=1e-4)
    np.testing.assert_allclose(product, target, rtol=1e-4)
    _, target, product = remixed(
        _products(0.0 * clean, noise), level_db=8.0, colour_db=6.0, seed=tf.constant([1, 2])
    )
    assert not np.any(target)
    assert not np.any(product)
