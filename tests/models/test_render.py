"""Rendering in blocks: constant memory, and the sound of one piece."""

import numpy as np
import pytest

from ddsp_tf.config import Config
from ddsp_tf.models import Autoencoder
from ddsp_tf.models.render import Renderer
from tests import tiny


@pytest.fixture(scope="module")
def model():
    """A model without noise, so that its sound is a function of its features."""
    model = Autoencoder.from_experiment(Config.from_dict(tiny.without_noise()))
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    return model


@pytest.fixture(scope="module")
def renderer(model):
    """Renders ten frames at once."""
    return Renderer(model, block_seconds=10 / tiny.FRAME_RATE)


def curves(frames):
    return [v[0, :, 0] for v in tiny.features(frames).values()]


@pytest.mark.parametrize("frames", [1, 9, 10, 11, 20, 45])
def test_blocks_cover_every_length_and_sound_like_one_piece(model, renderer, frames):
    features = tiny.features(frames)
    renderer.reset()
    blocks = list(renderer.blocks(*curves(frames)))
    assert [len(b) for b in blocks] == [tiny.HOP * min(10, frames - start) for start in range(0, frames, 10)]
    np.testing.assert_allclose(np.concatenate(blocks), model(features)[0], atol=1e-5)


def test_the_state_is_carried_from_call_to_call_until_it_is_reset(renderer):
    f0_hz, loudness_db = curves(40)
    renderer.reset()
    whole = renderer.render(f0_hz, loudness_db)
    assert np.abs(whole).max() > 1e-3
    renderer.reset()
    parts = [renderer.render(f0_hz[a:b], loudness_db[a:b]) for a, b in ((0, 1), (1, 17), (17, 40))]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)
    renderer.reset()
    np.testing.assert_allclose(renderer.render(f0_hz, loudness_db), whole, atol=1e-6)


def test_nothing_renders_to_nothing(model):
    assert Renderer(model).render(np.zeros(0), np.zeros(0)).shape == (0,)
