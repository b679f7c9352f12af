"""What stands beside a model: brought into place, and told apart from nothing."""

import importlib.util

import numpy as np
import pytest

from ddsp_tf.tasks.restoration.evaluation.anchors import anchors, in_place
from ddsp_tf.tasks.restoration.evaluation.judges import judges
from tests.tasks.restoration import sounds


@pytest.mark.parametrize("late", [-300, 0, 480])
def test_what_is_late_is_brought_into_place(late):
    audio = sounds.voice(1.0, 1) + sounds.noise(1.0, 2)
    moved = np.pad(audio, (max(late, 0), 0))[max(-late, 0) :] * 0.5
    given = in_place(audio, moved.astype(np.float32), 960)
    inner = slice(500, -500)
    np.testing.assert_allclose(given[inner], 0.5 * audio[inner], atol=1e-6)


def test_our_own_figures_are_always_there():
    audio = sounds.voice(2.0, 3)
    found = judges(16_000)
    assert found["si_sdr_db"](audio, audio + 0.1 * sounds.noise(2.0, 4)) > found["si_sdr_db"](
        audio, audio + sounds.noise(2.0, 4)
    )
    assert found["lsd_db"](audio, audio) < 1e-3
    assert set(judges(48_000)) == {"si_sdr_db", "lsd_db"}


@pytest.mark.skipif(importlib.util.find_spec("pystoi") is None, reason="pystoi is not installed")
def test_intelligibility_falls_with_noise():
    audio, noise = sounds.voice(3.0, 5), sounds.noise(3.0, 6)
    stoi = judges(16_000)["stoi"]
    assert 1.0 >= stoi(audio, audio + 0.01 * noise) > stoi(audio, audio + 3.0 * noise)
    assert np.isnan(stoi(audio[:3_000], audio[:3_000]))  # too short to tell


@pytest.mark.skipif(importlib.util.find_spec("pyrnnoise") is None, reason="pyrnnoise is not installed")
def test_rnnoise_takes_noise_out():
    audio, hiss = sounds.voice(3.0, 7), sounds.noise(3.0, 8)
    restored = anchors(16_000)["rnnoise"](audio + hiss)
    assert restored.shape == audio.shape
    assert np.std(anchors(16_000)["rnnoise"](hiss)[16_000:]) < 0.5 * np.std(hiss)
