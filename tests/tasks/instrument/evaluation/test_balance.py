"""The balance of branches against the signals of the whole model."""

import numpy as np
import pytest

from ddsp_tf.data.reading import read_passages
from ddsp_tf.models import Autoencoder
from ddsp_tf.tasks.instrument.evaluation.balance import branch_levels_db, harmonic_to_noise_db
from tests import tiny


def test_levels_are_those_of_the_signals_in_one_piece(tiny_dataset):
    config = tiny.config()
    model = Autoencoder.from_experiment(config)
    passages = list(read_passages(tiny_dataset, "validation", config.spec))
    levels = branch_levels_db(model, passages)
    power = dict.fromkeys(levels, 0.0)
    for passage in passages:
        features = {"f0_hz": passage.f0_hz[None, :, None], "loudness_db": passage.loudness_db[None, :, None]}
        signals = model.stream(features)[0].signals
        parts = {**signals, "recording": passage.audio[None], "reverb": signals["reverb"] - signals["dry"]}
        for name in power:
            power[name] += np.sum(np.square(np.asarray(parts[name], np.float64)))
    total = sum(len(passage.audio) for passage in passages)
    for name, level in levels.items():
        expected = 10.0 * np.log10(power[name] / total + 1e-12)
        assert level == pytest.approx(expected, abs=0.1 if name == "noise" else 1e-3)  # noise is drawn anew
    expected = levels["harmonic"] - levels["noise"]
    assert harmonic_to_noise_db(model, levels) == pytest.approx(expected, abs=1e-6)
