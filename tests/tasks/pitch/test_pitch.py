"""A tracker of pitch goes the road: prepare, train, evaluate, follow a recording, export."""

import json
from pathlib import Path

import numpy as np
import pytest

from ddsp_edge import read_model_file
from ddsp_edge.errors import DdspError
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.frames import FrameSpec
from ddsp_edge.voice.speech_pitch import open_speech_pitch
from ddsp_tf.cli.main import main
from ddsp_tf.config import load_config
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.data.records.shards import read_records
from ddsp_tf.tasks.pitch.evaluation import heard
from ddsp_tf.tasks.pitch.examples import UNKNOWN, PitchExamples
from ddsp_tf.tasks.pitch.loss import PitchLoss
from ddsp_tf.tasks.pitch.reading import tracker_of
from ddsp_tf.tasks.task import task_named
from ddsp_tf.training.callbacks import read_log
from ddsp_tf.training.run import load_model_of_run
from tests.tasks.voice.speech import utterance, write_speakers

SPEC = FrameSpec(16_000, 128)
# Labels by what every machine has; those that come along were labelled by harvest.
CONFIG = """
task: pitch
name: tiny
sample_rate: 16000
frame_rate: 125
data: {passage_seconds: 2.0, validation_share: 0.2, f0: yin-viterbi}
network: {channels: 64, units: 48, lookahead_frames: 3}
changes: {noise_share: 0.1}
training: {steps: 300, steps_per_epoch: 150, batch_size: 8, clip_seconds: 1.5, learning_rate: 0.006}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Recordings of six speakers, and their dataset."""
    folder = tmp_path_factory.mktemp("pitch")
    (folder / "pitch.yaml").write_text(CONFIG)
    write_speakers(folder / "speakers", 6, 9.0)
    command = ["prepare", str(folder / "speakers"), "--out", str(folder / "data"), "--jobs", "1"]
    assert main([*command, "--config", str(folder / "pitch.yaml")]) == 0
    return folder


@pytest.fixture(scope="module")
def road(folder) -> Path:
    """The same folder, with a run and its file."""
    config, data, run = (str(folder / name) for name in ("pitch.yaml", "data", "run"))
    assert main(["train", config, "--data", data, "--out", run]) == 0
    assert main(["export", run, "--out", str(folder / "pitch.tflite"), "--quantize", "int8"]) == 0
    return folder


@pytest.fixture(scope="module")
def untrained(folder):
    """A model with the weights that it begins with, and a recording."""
    config, data = load_config(folder / "pitch.yaml"), folder / "data"
    task = task_named("pitch")
    model = task.build(config, task.facts(load_dataset_info(data), config, data))
    audio, _ = read_audio(folder / "speakers" / "speaker-1.wav", 16_000)
    return model, audio[:40_000]


def test_frames_are_labelled_with_the_pitch_that_was_spoken(folder):
    info, right, known = load_dataset_info(folder / "data"), 0, 0
    for split in ("train", "validation"):
        for _, record in read_records(folder / "data", info, split):
            number = int(record.source.split("-")[1].split(".")[0])
            f0_hz = record.features["f0_hz"].values
            times = (record.first_sample + (np.arange(len(f0_hz)) + 1) * 128) / 16_000
            own = 95.0 + 17.0 * number
            for name, begin, end in utterance(number, 9.0, own)[1]:
                inside = (times > begin + 0.03) & (times < end - 0.03)
                spoken = np.abs(f0_hz[inside] / own - 1.0) < 0.03
                right += int(np.sum(spoken if name != "s" else f0_hz[inside] == 0.0))
                known += int(inside.sum())
    assert right / known > 0.9


def test_faster_speech_has_a_higher_pitch_in_its_place(folder):
    config = load_config(folder / "pitch.yaml")
    examples = PitchExamples(folder / "data", "train", config)
    for number in range(8):
        clip = examples.draw(number % len(examples.places), 0, number)
        speech, (given, wanted) = examples.changed(clip), examples.example(clip)
        _, labels = examples.passage(clip.passage)
        assert (wanted[:3] == UNKNOWN).all()  # three frames of look-ahead
        spoken = np.median(wanted[wanted > 0.0]) / np.median(labels[labels > 0.0])
        assert spoken == pytest.approx(speech.speed, rel=0.02)
        # What is said of a frame is heard three frames before: there the sound repeats itself best.
        pitches = given["repetition"].shape[1] // 2
        likely = given["repetition"][:, :pitches]
        place = np.log2(np.maximum(wanted, 60.0) / 60.0) * 48
        steady = np.flatnonzero(wanted > 0.0)
        own = likely[steady - 3, np.rint(place[steady]).astype(int)]
        assert np.mean(own) > np.mean(likely[steady - 3]) + 0.2


def test_a_label_is_met_best_by_its_own_pitch():
    loss, grid = PitchLoss(60.0, 500.0), 149  # pitches and none
    wanted = np.array([[200.0, 0.0, -1.0]], np.float32)
    own = round(np.log2(200.0 / 60.0) * 48)

    def logits(first: int, second: int) -> np.ndarray:
        found = np.zeros((1, 3, grid), np.float32)
        found[0, 0, first] = found[0, 1, second] = found[0, 2, 5] = 8.0
        return found

    values = {
        name: float(loss.value_and_terms(wanted, logits(*where))[0][0])
        for name, where in {
            "right": (own, grid - 1),
            "near": (own + 1, grid - 1),
            "octave": (own - 48, grid - 1),
            "unvoiced": (grid - 1, grid - 1),
            "voiced": (own, 40),
        }.items()
    }
    assert values["right"] < values["near"] < values["octave"]
    assert values["right"] < min(values["unvoiced"], values["voiced"])
    _, terms = loss.value_and_terms(wanted, logits(own - 48, 40))
    assert float(terms["voicing"][0]) == pytest.approx(1.0 / 3.0)  # one of two that are known, of three
    assert float(terms["pitch"][0]) == pytest.approx(1.0 / 2.0)


def test_any_cut_of_a_stream_has_the_pitch_of_the_whole(untrained):
    model, audio = untrained
    whole = heard(model, model.config, audio)
    tracker = tracker_of(model)
    for cuts in ([], [1, 700, 701, 20_000]):
        tracker.reset()
        parts = [tracker.push(part) for part in np.split(audio, cuts)]
        f0_hz, voicing = (np.concatenate(c) for c in zip(*parts, tracker.flush(), strict=True))
        assert len(f0_hz) == len(whole)
        # The whole has no silence after it, which a stream has.
        inside = slice(0, len(whole) - 4)
        np.testing.assert_allclose(np.where(voicing >= 0.5, f0_hz, 0.0)[inside], whole[inside], rtol=1e-3)


def test_a_frame_is_known_when_its_latency_is_over(untrained):
    model, audio = untrained
    tracker = tracker_of(model)
    assert tracker.latency_samples == 512 + 3 * 128
    known = sum(len(tracker.push(audio[i : i + 1])[0]) for i in range(4_000))
    assert known == (4_000 - tracker.latency_samples) // 128


def test_a_file_of_another_task_is_refused():
    from ddsp_edge.shipped import shipped_models

    with pytest.raises(DdspError, match="'content', not one that hears pitch"):
        open_speech_pitch(shipped_models()["content"])


@pytest.mark.slow
def test_it_learns_and_is_scored(road):
    log = read_log(road / "run")
    assert float(log[-1]["val_voicing"]) < 0.15
    assert main(["evaluate", str(road / "run"), "--data", str(road / "data")]) == 0
    scores = json.loads((road / "run" / "evaluation.json").read_text())
    assert scores["network"]["frames within 50 cents"] > 0.5
    assert 0.0 < scores["tracker"]["frames within 50 cents"] <= 1.0
    assert "Held-back speech" in (road / "run" / "report.html").read_text()


@pytest.mark.slow
def test_the_pitch_of_a_recording_is_written(road, tmp_path):
    out = tmp_path / "pitch.csv"
    assert main(["pitch", str(road / "run"), str(road / "speakers" / "speaker-0.wav"), str(out)]) == 0
    lines = out.read_text().splitlines()
    assert lines[0] == "time_s,f0_hz,voicing"
    assert len(lines) - 1 == 9 * 125
    assert float(lines[1].split(",")[0]) == pytest.approx(0.008)


@pytest.mark.slow
def test_the_file_hears_what_the_model_does_by_either_runtime(road):
    model = load_model_of_run(road / "run", task="pitch")
    audio, _ = read_audio(road / "speakers" / "speaker-1.wav", 16_000)
    expected = heard(model, model.config, audio)
    file = read_model_file(road / "pitch.tflite")
    assert file.card.task == "pitch"
    for runtime in ("litert", "numpy"):
        tracker = open_speech_pitch(file, runtime)
        parts = [tracker.push(audio), tracker.flush()]
        f0_hz, voicing = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        found = np.where(voicing >= 0.5, f0_hz, 0.0)
        near = np.abs(found - expected) <= 0.03 * expected
        assert np.mean(near) > 0.93  # 8-bit weights
