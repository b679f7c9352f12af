"""What names notes learns before the first step."""

import numpy as np
import pytest

from ddsp_edge.transcription.harmonics import N_FEATURES
from ddsp_edge.transcription.names import NAMES
from ddsp_edge.transcription.naming import Namer
from ddsp_tf.tasks.transcription.lessons import teach
from ddsp_tf.tasks.transcription.model import Transcriber

FLUTE, OBOE, HARP = (NAMES.index(name) for name in ("flute", "oboe", "harp"))


def notes_of(names, seed):
    """Notes whose instrument shows in one feature, under noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0.0, 0.3, (len(names), N_FEATURES)).astype(np.float32)
    features[np.arange(len(names)), names] += 1.0
    return features


@pytest.mark.slow
def test_it_learns_to_tell_instruments_apart_and_the_device_hears_the_same():
    names = np.repeat([FLUTE, OBOE, HARP], 300)
    model = Transcriber(8, 40, 12, (16, 8))
    model.build(None)
    teach(model, notes_of(names, 1), names, rounds=150, seed=3)
    unseen = np.repeat([HARP, FLUTE, OBOE], 50)
    found = Namer(model.namer_arrays()).log_likelihoods(notes_of(unseen, 2)).argmax(axis=1)
    assert np.mean(found == unseen) > 0.9


@pytest.mark.slow
def test_a_rare_instrument_is_named_as_often_as_a_frequent_one():
    """Features say nothing: what is left is how often each was heard, which is not to matter."""
    names = np.repeat([FLUTE, OBOE], [900, 100])
    rng = np.random.default_rng(4)
    features = rng.normal(0.0, 0.01, (1000, N_FEATURES)).astype(np.float32)
    model = Transcriber(8, 40, 12, (16, 8))
    model.build(None)
    teach(model, features, names, rounds=100, seed=3)
    found = Namer(model.namer_arrays()).log_likelihoods(features).mean(axis=0)
    assert abs(found[FLUTE] - found[OBOE]) < 0.4  # unweighted, log 9 = 2.2


@pytest.mark.slow
def test_the_same_seed_learns_the_same():
    names = np.repeat([FLUTE, OBOE], 100)
    learned = []
    for _ in range(2):
        model = Transcriber(8, 40, 12, (16, 8))
        model.build(None)
        teach(model, notes_of(names, 1), names, rounds=2, seed=3)
        learned.append(model.namer_arrays()["namer_0_weights"])
    np.testing.assert_array_equal(*learned)
