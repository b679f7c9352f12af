"""What `evaluate` says of a run: every score, beside the baselines, the same every time."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from ddsp_tf.data import Passage, prepare, read_passages
from ddsp_tf.errors import DdspError
from ddsp_tf.evaluation import Evaluation, Scores, evaluate
from ddsp_tf.evaluation import evaluate as evaluation_function
from ddsp_tf.features.f0 import F0Track
from ddsp_tf.features.f0_estimators import f0_estimator_as_recorded
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.instrument.evaluation.evaluate import _score
from tests import tiny
from tests.data.doubles import ConstantEstimator

SPEC = FrameSpec(tiny.RATE, tiny.HOP)


@dataclass
class Given:
    """An estimator that hears what it is told."""

    f0_hz: Any
    name: str = "given"

    def estimate(self, audio, spec):
        return F0Track(np.asarray(self.f0_hz, np.float32), np.ones(len(self.f0_hz), np.float32))


def passage(f0_hz, voiced, level=0.1):
    frames = len(f0_hz)
    audio = (level * np.random.default_rng(0).normal(size=frames * tiny.HOP)).astype(np.float32)
    f0_hz, voiced = np.asarray(f0_hz, np.float32), np.asarray(voiced, bool)
    return Passage(audio, f0_hz, voiced, voiced.astype(np.float32), np.zeros(frames, np.float32), "", 0)


@pytest.fixture(scope="module")
def evaluated(trained_run, tiny_dataset, tmp_path_factory):
    """The run, evaluated in a copy."""
    import shutil

    run = shutil.copytree(trained_run, tmp_path_factory.mktemp("evaluated") / "run")
    said = []
    return run, evaluation_function(run, tiny_dataset, progress=said.append), said


def test_all_scores_and_baselines_are_written(evaluated, tiny_dataset):
    run, result, said = evaluated
    written = json.loads((run / "evaluation.json").read_text())
    assert set(written) == {
        "seconds",
        "trained",
        "untrained",
        "mean_spectrum",
        "f0_estimator",
        "levels_db",
        "harmonic_to_noise_db",
    }
    for name in ("trained", "untrained", "mean_spectrum"):
        scores = written[name]
        assert scores["spectral_distance"] > 0
        assert scores["loudness_l1_db"] > 0
        assert getattr(result, name) == Scores(**scores)
    assert 0 <= written["trained"]["f0_within_50_cents"] <= 1
    assert 0 <= written["trained"]["voiced_in_both"] <= 1
    assert written["f0_estimator"] == "pyin"
    held_back = sum(len(p.audio) for p in read_passages(tiny_dataset, "validation")) / tiny.RATE
    assert written["seconds"] == pytest.approx(held_back)
    assert said == [
        "the trained model",
        "the untrained model",
        "the mean spectrum",
        "the balance of its branches",
    ]


def test_training_and_knowing_the_spectrum_are_better_than_nothing(evaluated):
    _, result, _ = evaluated
    assert result.trained.spectral_distance < result.untrained.spectral_distance
    assert result.mean_spectrum.spectral_distance < result.untrained.spectral_distance
    assert result.mean_spectrum.loudness_l1_db < 3.0


def test_the_same_run_has_the_same_scores_every_time(evaluated, tiny_dataset):
    run, result, _ = evaluated
    assert evaluate(run, tiny_dataset) == result


def test_the_table_shows_what_was_measured():
    scores = Scores(3.25, 1.5, 0.987, 0.9)
    table = Evaluation(12.0, scores, Scores(13.0, 20.0), Scores(5.5, 0.5), "pyin").table()
    lines = table.splitlines()
    assert lines[0].split("  ")[-1] == "f0 within 50 cents"
    assert lines[1].split() == ["trained", "3.250", "1.50", "98.7", "%"]
    assert lines[2].split() == ["untrained", "13.000", "20.00"]
    assert lines[3].split()[-2:] == ["5.500", "0.50"]
    assert "12.0 s held back; distance 4.00 times better than untrained; 90.0 %" in lines[4]


def test_pitch_counts_only_where_both_are_voiced():
    f0_hz = np.full(8, 200.0)
    voiced = [1, 1, 1, 1, 1, 1, 0, 0]
    cents = np.array([0.0, 49.0, -49.0, 51.0, 1200.0, 0.0, 0.0, 0.0])
    heard = f0_hz * 2.0 ** (cents / 1200.0)
    heard[5] = 0.0  # voiced in the recording only; frames 6 and 7 in the rendering only
    one = passage(f0_hz, voiced)
    scores = _score([(one, one.audio)], SPEC, Given(heard))
    assert scores.f0_within_50_cents == pytest.approx(3 / 5)
    assert scores.voiced_in_both == pytest.approx(5 / 6)
    assert scores.spectral_distance == 0.0
    assert scores.loudness_l1_db == 0.0


def test_a_gain_is_seen_in_the_loudness():
    one = passage(np.full(100, 200.0), np.ones(100))
    scores = _score([(one, one.audio * 10 ** (-6 / 20))], SPEC, None)
    # 0.01 dB: the floor at -80 dB.
    assert scores.loudness_l1_db == pytest.approx(6.0, abs=0.01)
    assert scores.f0_within_50_cents is None


def test_passages_count_by_their_length():
    short, long = passage(np.full(20, 200.0), np.ones(20)), passage(np.full(60, 200.0), np.ones(60))
    alone = [_score([(p, 0.5 * p.audio)], SPEC, None).spectral_distance for p in (short, long)]
    both = _score([(p, 0.5 * p.audio) for p in (short, long)], SPEC, None).spectral_distance
    assert both == pytest.approx((20 * alone[0] + 60 * alone[1]) / 80)


def test_renderings_are_tracked_as_the_dataset_was():
    same = f0_estimator_as_recorded({"name": "pyin", "f0_min_hz": 150, "f0_max_hz": 500})
    assert (same.name, same.settings["f0_min_hz"], same.settings["f0_max_hz"]) == ("pyin", 150.0, 500.0)
    without_weights = {"name": "crepe", "implementation": "keras", "f0_min_hz": 60.0, "f0_max_hz": 900.0}
    assert f0_estimator_as_recorded(without_weights).name == "yin-viterbi"
    with pytest.raises(DdspError, match="f0 must be one of"):
        f0_estimator_as_recorded({"name": "ears"})
    with pytest.raises(DdspError, match="estimator that was used is not recorded"):
        f0_estimator_as_recorded({})


def test_a_dataset_of_another_rate_is_refused(trained_run, tmp_path):
    config = tiny.config(sample_rate=8000)
    file = tiny.write_phrase(tmp_path / "a.wav", 5.0)
    prepare([file], tmp_path / "data", config.spec, config.data, estimator=ConstantEstimator(), jobs=1)
    with pytest.raises(DdspError, match="has a sample rate of 8000 Hz, not 16000 Hz"):
        evaluate(trained_run, tmp_path / "data")
