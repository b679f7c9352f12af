"""Rendering in blocks: constant memory, and the sound of one piece."""

import re

import numpy as np
import pytest

from ddsp_tf.config import Config
from ddsp_tf.errors import DdspError
from ddsp_tf.models import Autoencoder
from ddsp_tf.tasks.instrument.model.render import Renderer
from tests import tiny
from tests.selection import slow_but


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


@pytest.mark.parametrize("frames", slow_but((11,), (1, 9, 10, 11, 20, 45)))
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


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"loudness_db": np.zeros(7)}, "loudness_db must have length 8, as f0_hz has. Received: 7"),
        ({"audio": np.zeros(5)}, f"audio must have length {8 * tiny.HOP}, a hop for each of 8 frames"),
        ({"instrument": np.ones([3, 2])}, "instrument must have length 8, as f0_hz has, or one row"),
    ],
)
def test_features_of_unequal_length_are_refused(renderer, given, words):
    features = {"f0_hz": np.full(8, 440.0), "loudness_db": np.full(8, -20.0)} | given
    with pytest.raises(DdspError, match=re.escape(words)):
        renderer.render(**features)


def test_a_filter_behind_the_room_stays_open_while_it_rings_out(model):
    settings = tiny.without_noise()
    group = settings["model"]["processors"]
    group["inputs"].append("colour")
    wires = {"audio": "reverb", "magnitudes": "colour"}
    group["nodes"].append({"name": "tone", "type": "FIRFilter", "config": {"n_bands": 9}, "inputs": wires})
    model = Autoencoder.from_experiment(Config.from_dict(settings))
    taps = np.zeros(299, np.float32)
    taps[-1] = 3.6  # against the envelope, 0.28 there: the last tap repeats all of the sound
    model.processors.processors["reverb"].taps.assign(taps)
    renderer = Renderer(model, block_seconds=1.0)
    rendered = renderer.render(*curves(20))
    tail = renderer.ring_out()
    assert len(tail) == 4 * tiny.HOP  # one to fade in, then 299 samples of the room and 15 of the filter
    repeat = tail[-tiny.HOP - 128 : -tiny.HOP]
    assert np.sqrt(np.mean(repeat**2)) > 0.1 * np.sqrt(np.mean(rendered[-512:] ** 2))
    assert np.abs(tail[128 + 299 + 15 :]).max() < 1e-6


def test_ringing_out_is_the_end_of_a_longer_sound(model):
    """Controls that fall silent while all else is held, rendered in one piece."""
    renderer = Renderer(model, block_seconds=1.0)
    rendered = renderer.render(*curves(20))
    tail = renderer.ring_out()
    features = tiny.features(20)
    held = {
        node: {
            name: np.concatenate([value, np.repeat(value[:, -1:], 4, axis=1)], axis=1)
            if len(value.shape) == 3
            else value
            for name, value in values.items()
        }
        for node, values in model.get_controls(features).items()
    }
    held["harmonic"]["amplitude"][:, 20:] = 0.0
    whole = model.processors.get_signal(held).audio[0]
    np.testing.assert_allclose(np.concatenate([rendered, tail]), whole, atol=1e-5)
    assert np.abs(tail).max() > 1e-3
