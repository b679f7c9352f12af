"""A transcriber goes the whole road, from prepare to the device."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.model.file import read_model_file
from ddsp_edge.transcription.note import read_table
from ddsp_tf.cli.main import main
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.data.records.shards import read_records
from ddsp_tf.metrics.notes import score_notes
from ddsp_tf.training.callbacks import read_log
from tests.tasks.transcription.music import write_solo

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.slow  # test_model.py and tests/device/transcription are its quick parts
CONFIG = """
task: transcription
name: ears
sample_rate: 16000
frame_rate: 50
network: {channels: 8, lowest_midi: 48, octaves: 2}
naming: {mixtures: 20, rounds: 4, units: 8}
mixing: {most_parts: 2, semitones: 1, room_share: 0.2, loudest_noise_db: -45.0}
data: {passage_seconds: 4.0, held_back: [held]}
training: {steps: 80, steps_per_epoch: 40, batch_size: 3, clip_seconds: 1.2, learning_rate: 0.02}
"""
CLOCKS = ("seconds", "audio_s_per_s")


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    """A folder with the configuration, solos, the dataset and the run."""
    folder = tmp_path_factory.mktemp("transcription")
    (folder / "ears.yaml").write_text(CONFIG)
    (folder / "solos").mkdir()
    for number in range(3):
        write_solo(folder / "solos" / f"own-{number}.flac", number, 8.0)
    for number in (10, 11):
        write_solo(folder / "solos" / f"held-{number}.flac", number, 8.0)
    config, data, run = (str(folder / name) for name in ("ears.yaml", "data", "run"))
    assert main(["prepare", str(folder / "solos"), "--out", data, "--config", config, "--jobs", "1"]) == 0
    assert main(["train", config, "--data", data, "--out", run]) == 0
    assert main(["evaluate", run, "--data", data]) == 0
    return folder


def log_of(run):
    return [{k: v for k, v in row.items() if k not in CLOCKS} for row in read_log(run)]


def test_records_hold_the_notes_that_sound_in_them(road):
    info = load_dataset_info(road / "data")
    for split, word in (("train", "own"), ("validation", "held")):
        records = [record for _, record in read_records(road / "data", info, split)]
        assert {record.source.split("-")[0] for record in records} == {word}
        for record in records:
            all_notes = read_table(road / "solos" / Path(record.source).with_suffix(".notes.csv"))
            begin, end = (s / 16_000 for s in (record.first_sample, record.first_sample + record.n_samples))
            wanted = [n for n in all_notes if n.offset_s > begin and n.onset_s < end]
            table = record.features["notes"].values
            assert len(table) == len(wanted)
            np.testing.assert_allclose(table[:, 0] + begin, [n.onset_s for n in wanted], atol=1e-5)
            assert list(table[:, 2]) == [n.pitch for n in wanted]


def test_a_recording_without_notes_is_named_and_skipped(road, tmp_path, capsys):
    write_solo(tmp_path / "with.flac", 1, 5.0)
    write_solo(tmp_path / "without.flac", 2, 5.0)
    (tmp_path / "without.notes.csv").unlink()
    command = ["prepare", str(tmp_path), "--out", str(tmp_path / "data"), "--config", str(road / "ears.yaml")]
    assert main([*command, "--jobs", "1", "--set", "data.held_back=[]"]) == 0
    assert "without.flac has no notes beside it" in capsys.readouterr().out


def test_it_learns_and_is_scored_beside_the_pitch_tracker(road):
    losses = [float(row["loss"]) for row in read_log(road / "run")]
    assert losses[-1] < 0.7 * losses[0]
    scores = json.loads((road / "run" / "evaluation.json").read_text())
    assert scores["onset_f1"] > 0.35  # chance gives less than a tenth
    assert 0.0 < scores["tracker_onset_f1"] < 1.0
    assert 0.0 < scores["thresholds"]["onset"] < 1.0


def test_the_report_shows_and_plays_a_mixture(road):
    report = (road / "run" / "report.html").read_text()
    assert "A mixture of held-back recordings" in report
    assert report.count("<audio") == 2


def test_a_run_that_is_killed_ends_like_one_that_was_not(road):
    run = road / "killed"
    arguments = [str(road / name) for name in ("ears.yaml", "data", "killed")]
    killed = [sys.executable, "-m", "tests.training.killing", *arguments, "9"]
    done = subprocess.run(killed, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    command = ["train", arguments[0], "--data", arguments[1], "--out", str(run), "--no-report"]
    assert main([*command, "--resume"]) == 0
    assert log_of(run) == log_of(road / "run")


@pytest.mark.parametrize("quantize", ["float32", "int8"])
def test_it_is_exported_and_hears_on_the_device_what_keras_hears(road, quantize, capsys):
    path, source, out = (road / name for name in (f"{quantize}.tflite", "solos/held-10.flac", "device.csv"))
    assert main(["export", str(road / "run"), "--out", str(path), "--quantize", quantize]) == 0
    assert "finds the notes that Keras finds" in capsys.readouterr().out
    card = read_model_file(path).card
    assert (card.task, card.name, card.quantization) == ("transcription", "ears", quantize)
    assert main(["transcribe", str(road / "run"), str(source), str(road / "keras.csv"), "--quiet"]) == 0
    wanted = read_table(road / "keras.csv")
    program = (
        "import sys\nfor n in ('tensorflow', 'keras', 'ddsp_tf'): sys.modules[n] = None\n"
        "from ddsp_edge.cli.main import main\nsys.exit(main(sys.argv[1:]))"
    )
    for runtime in ("litert", "numpy"):
        command = [sys.executable, "-c", program, "transcribe", str(path), str(source), str(out)]
        command += ["--runtime", runtime]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        least = 1.0 if quantize == "float32" else 0.9
        assert score_notes(wanted, read_table(out)).f1 >= least
    truth = read_table(road / "solos" / "held-10.notes.csv")
    assert score_notes(truth, wanted).f1 > 0.35


def test_a_recording_is_shown_and_played_back(road, tmp_path, capsys):
    source, page = road / "solos" / "held-11.flac", tmp_path / "page.html"
    command = [
        "transcribe",
        str(road / "run"),
        str(source),
        str(tmp_path / "notes.mid"),
        "--report",
        str(page),
    ]
    assert main([*command, "--instruments", "cello", "--resynthesis", str(tmp_path / "again.wav")]) == 0
    said = capsys.readouterr().out
    assert "cello: " in said
    text = page.read_text()
    assert "The notes that lie beside the recording" in text
    assert text.count("<audio") == 2
    again, rate = read_audio(tmp_path / "again.wav")
    assert len(again) == 8 * rate
    assert np.abs(again).max() > 0.02


def test_a_run_that_was_not_evaluated_is_not_exported(road, tmp_path, capsys):
    run = tmp_path / "run"
    command = ["train", str(road / "ears.yaml"), "--data", str(road / "data"), "--out", str(run)]
    assert main([*command, "--no-report", "--set", "training.steps=2"]) == 0
    assert main(["export", str(run), "--out", str(tmp_path / "x.tflite")]) == 1
    assert "`ddsp-tf evaluate" in capsys.readouterr().err
