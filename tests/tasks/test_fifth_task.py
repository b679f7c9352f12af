"""A task that is not of the library goes the whole road, with nothing but its folder and its registration."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_edge import StepModel, read_model_file
from ddsp_edge.files.audio_file import read_audio
from ddsp_tf.cli.main import main
from ddsp_tf.data import load_dataset_info
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.registry import VARIABLE, register, task_names
from ddsp_tf.tasks.task import task_named
from ddsp_tf.training.callbacks import read_log
from tests import tiny
from tests.selection import slow_but

ROOT = Path(__file__).parents[2]
CONFIG = """
task: gain
name: squeezer
sample_rate: 16000
frame_rate: 250
network: {units: 48}
data: {passage_seconds: 2.0}
training: {steps: 240, steps_per_epoch: 80, batch_size: 4, clip_seconds: 0.5, learning_rate: 0.01}
"""
CLOCKS = ("seconds", "audio_s_per_s")


@pytest.fixture(scope="module")
def registered():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "")
        register("gain", "tests.tasks.gain")
        patch.setenv("PYTHONPATH", str(ROOT), prepend=":")
        yield


@pytest.fixture(scope="module")
def road(registered, tmp_path_factory):
    """A folder with the configuration, a recording, the dataset and the run."""
    folder = tmp_path_factory.mktemp("gain")
    (folder / "gain.yaml").write_text(CONFIG)
    (folder / "recordings").mkdir()
    for number in range(3):
        sound = tiny.phrase(6.0) * (0.2 + 0.4 * number)
        soundfile.write(folder / "recordings" / f"{number}.wav", sound, tiny.RATE)
    config, data, run = (str(folder / name) for name in ("gain.yaml", "data", "run"))
    assert (
        main(["prepare", str(folder / "recordings"), "--out", data, "--config", config, "--jobs", "2"]) == 0
    )
    assert main(["train", config, "--data", data, "--out", run]) == 0
    return folder


def log_of(run):
    return [{k: v for k, v in row.items() if k not in CLOCKS} for row in read_log(run)]


def test_its_records_hold_its_own_sounds_and_features(road, capsys):
    info = load_dataset_info(road / "data")
    assert info.sounds == {"audio": "int16", "compressed": "int16"}
    assert {name: form.hop for name, form in info.features.items()} == {"level_db": 64, "gain": 64}
    assert info.extractors["gain"] == {"name": "ideal", "ratio": 4.0}
    command = ["prepare", str(road / "recordings"), "--out", str(road / "data")]
    assert main([*command, "--config", str(road / "gain.yaml"), "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert "holds all of this already" in said
    assert "levels    every 64 samples" in said


def test_it_learns_and_is_reported(road):
    losses = [float(row["val_loss"]) for row in read_log(road / "run")]
    assert losses[-1] < 2e-3  # the variance of the gains is 0.06
    assert (road / "run" / "gain.keras").exists()
    report = (road / "run" / "report.html").read_text()
    assert "squeezer: 240 steps of training" in report
    assert "What a compressor should do" in report


def test_where_there_is_nothing_to_hear_that_is_said_and_it_trains(road, capsys):
    run = road / "heard"
    command = ["train", str(road / "gain.yaml"), "--data", str(road / "data"), "--out", str(run)]
    assert main([*command, "--steps", "1", "--no-report", "--sounds"]) == 0
    assert "there is nothing to hear of a compressor while it trains" in capsys.readouterr().err
    assert not (run / "sounds").exists()
    assert (run / "gain.keras").exists()


@pytest.mark.slow
def test_a_run_that_is_killed_ends_like_one_that_was_not(road):
    run = road / "killed"
    arguments = [str(road / name) for name in ("gain.yaml", "data", "killed")]
    for operation in (3, 9):
        killed = [sys.executable, "-m", "tests.training.killing", *arguments, str(operation)]
        done = subprocess.run(killed, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == -9, done.stderr
        command = ["train", arguments[0], "--data", arguments[1], "--out", str(run), "--no-report"]
        assert main([*command, "--resume"]) == 0
        assert log_of(run) == log_of(road / "run")
        for path in (run / "checkpoints").glob("*"):
            path.unlink()
        for path in run.iterdir():
            path.unlink() if path.is_file() else path.rmdir()


def test_it_is_evaluated_beside_its_baseline(road, capsys):
    assert main(["evaluate", str(road / "run"), "--data", str(road / "data")]) == 0
    assert "error of the gain: model 0.0" in capsys.readouterr().out
    scores = json.loads((road / "run" / "evaluation.json").read_text())
    assert scores["model"] < 0.2 * scores["unity"]


@pytest.mark.parametrize("quantize", slow_but(("float32", "int8"), ("float32", "int8", "auto")))
def test_it_is_exported_and_used_on_the_device_without_tensorflow(road, quantize, capsys):
    path, source, out = (road / name for name in (f"{quantize}.tflite", "recordings/2.wav", "device.wav"))
    assert main(["export", str(road / "run"), "--out", str(path), "--quantize", quantize]) == 0
    assert "gain equal to Keras within" in capsys.readouterr().out
    card = read_model_file(path).card
    assert (card.task, card.name, card.about) == ("gain", "squeezer", {"threshold_db": -30.0})
    assert list(card.inputs) == ["level_scaled"]
    if quantize != "auto":
        assert card.quantization == quantize
    program = (
        "import sys\nfor n in ('tensorflow', 'keras', 'ddsp_tf'): sys.modules[n] = None\n"
        "from pathlib import Path\nfrom tests.tasks.gain.device import compress\n"
        "compress(*map(Path, sys.argv[1:4]), sys.argv[4])"
    )
    assert main(["compress", str(road / "run"), str(source), str(road / "keras.wav")]) == 0
    wanted, _ = read_audio(road / "keras.wav", tiny.RATE)
    for runtime in ("litert", "numpy"):
        command = [sys.executable, "-c", program, str(path), str(source), str(out), runtime]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        given, _ = read_audio(out, tiny.RATE)
        assert np.abs(given - wanted).max() < (1e-4 if quantize == "float32" else 0.02)


def test_what_plays_instruments_says_what_the_file_is(road, capsys):
    from ddsp_edge import Instrument
    from ddsp_edge.cli.main import main as edge

    path = road / "float32.tflite"
    if not path.exists():  # of the test before
        assert main(["export", str(road / "run"), "--out", str(path), "--quantize", "float32"]) == 0
    with pytest.raises(DdspError, match="'gain', not an instrument"):
        Instrument(path)
    assert edge(["info", str(path)]) == 0
    assert "gain" in capsys.readouterr().out
    model = StepModel(path)
    assert 0.0 < model.step(level_scaled=0.9)["gain"].item() < model.step(level_scaled=0.1)["gain"].item()


def test_what_is_of_another_task_is_refused_in_words(road, tiny_dataset, capsys):
    assert main(["transfer", str(road / "run"), "in.wav", "out.wav"]) == 1
    assert "holds a compressor: `ddsp-tf compress` uses it" in capsys.readouterr().err
    command = ["train", str(road / "gain.yaml"), "--data", str(tiny_dataset), "--out", str(road / "other")]
    assert main(command) == 1
    assert "has no compressed, level_db, gain, which a compressor is made of" in capsys.readouterr().err
    assert main(["train", "demo", "--data", str(road / "data"), "--out", str(road / "other")]) == 1
    assert "has no f0_hz, voicing, loudness_db" in capsys.readouterr().err


def test_a_task_that_is_not_there_is_refused_with_the_nearest(registered):
    assert {"instrument", "restoration", "transcription", "gain"} <= set(task_names())
    with pytest.raises(DdspError, match="Did you mean 'gain'"):
        task_named("gian")
