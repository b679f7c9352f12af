"""A restoration goes the whole road: prepare, train, go on, evaluate, restore, export, and the device."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_edge import read_model_file
from ddsp_edge.cli.main import main as edge
from ddsp_edge.restoration.live import LiveRestorer
from ddsp_tf.cli.main import main
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.data.records.shards import read_records
from ddsp_tf.tasks.restoration.held_back import load_held_back
from ddsp_tf.training.callbacks import read_log
from tests.tasks.restoration import sounds

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.slow  # test_model.py and tests/device/restoration are its quick parts


@pytest.fixture(scope="module")
def exported(road):
    assert main(["export", str(road / "run"), "--out", str(road / "int8.tflite")]) == 0
    return road / "int8.tflite"


@pytest.fixture(scope="module")
def noisy(road):
    clean = sounds.voice(3.0, 99)
    hiss = sounds.noise(3.0, 98)
    path = road / "noisy.wav"
    soundfile.write(path, clean + hiss * np.std(clean) / np.std(hiss), sounds.RATE, subtype="FLOAT")
    return path


def test_a_mixture_and_what_is_left_of_it_are_heard_while_it_learns(road):
    noisy, restored = (soundfile.read(path)[0] for path in sorted((road / "run" / "sounds").iterdir()))
    np.testing.assert_allclose(noisy, load_held_back(road / "run").noisy[0], rtol=0, atol=1.0 / 32768.0)
    left = 1.0 - np.std(noisy - restored) / np.std(noisy)
    assert len(restored) == len(noisy)
    assert 0.05 < left < 0.95


def test_speakers_noises_and_rooms_are_held_back_as_a_whole(road):
    info = load_dataset_info(road / "data")
    assert info.sounds == {"audio": "int16"}
    assert info.statistics["recordings"] == {"clean": 6, "noise": 2, "rooms": 1}
    sources = {
        s: {r.source for _, r in read_records(road / "data", info, s)} for s in ("train", "validation")
    }
    assert sources["validation"] == {
        "clean/speaker-1-0.wav",
        "clean/speaker-1-1.wav",
        "noise/noise-1.wav",
        "rooms/room-1.wav",
    }
    assert not sources["train"] & sources["validation"]


def test_it_learns_and_is_reported(road):
    log = read_log(road / "run")
    assert [row["step"] for row in log] == ["20", "40"]
    losses = [float(row["val_loss"]) for row in log]
    assert losses[-1] < losses[0]
    assert {"compressed", "missing", "error_level", "val_error_level"} <= set(log[0])
    report = (road / "run" / "report.html").read_text()
    assert "tiny voice: 40 steps of training" in report
    assert "What the mask lets through" in report


def test_it_is_evaluated_by_ratio_in_rooms_and_on_clean_sound(road, capsys):
    assert main(["evaluate", str(road / "run"), "--data", str(road / "data")]) == 0
    said = capsys.readouterr().out
    assert "noise at 0 dB (" in said
    scores = json.loads((road / "run" / "evaluation.json").read_text())
    assert {"noise at 0 dB", "noise at 20 dB", "room", "clean", "as in training"} <= set(scores["conditions"])
    at_0_db = scores["conditions"]["noise at 0 dB"]
    assert at_0_db["noisy"]["si_sdr_db"] == pytest.approx(0.0, abs=3.0)  # of active frames, not of all
    assert at_0_db["model"]["si_sdr_db"] > at_0_db["noisy"]["si_sdr_db"] + 1.0
    assert list(scores["noises"]) == ["noise/noise-1.wav"]


def test_the_device_restores_what_keras_restores(road, noisy, exported, capsys):
    keras, device = road / "keras.wav", road / "device.wav"
    assert main(["restore", str(road / "run"), str(noisy), str(keras)]) == 0
    assert edge(["restore", str(exported), str(noisy), str(device), "--stems"]) == 0
    assert "x real time" in capsys.readouterr().out
    of_keras, of_device, removed, given = (
        soundfile.read(path)[0] for path in (keras, device, road / "device-removed.wav", noisy)
    )
    assert np.sqrt(np.mean((of_keras - of_device) ** 2)) < 0.03 * np.sqrt(np.mean(of_keras**2))
    np.testing.assert_allclose(of_device + removed, given, atol=1e-4)
    card = read_model_file(exported).card
    assert (card.task, card.name, card.quantization) == ("restoration", "tiny voice", "int8")
    assert card.quality["si_sdr_loss_db"] <= 0.1
    assert card.quality["float32_error_max"] < 1e-4
    assert card.quality["block_error_peak"] < 1e-5
    assert card.quality["latency_ms"] == pytest.approx(31.94, abs=0.01)


def test_it_restores_without_tensorflow_by_either_runtime(road, noisy, exported):
    program = (
        "import sys\nfor n in ('tensorflow', 'keras', 'ddsp_tf', 'scipy'): sys.modules[n] = None\n"
        "import numpy as np, soundfile\n"
        "from ddsp_edge.restoration.restorer import open_restorer\n"
        "audio, rate = soundfile.read(sys.argv[2], dtype='float32')\n"
        "found = [open_restorer(sys.argv[1], runtime=r).push(audio)[0] for r in ('litert', 'numpy')]\n"
        "print(float(np.abs(found[0] - found[1]).max()), float(np.abs(found[0]).max()))\n"
    )
    command = [sys.executable, "-c", program, str(exported), str(noisy)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    difference, peak = map(float, done.stdout.split())
    assert difference < 0.05 * peak  # the two round activations otherwise


def test_float32_is_keras_to_rounding(road):
    path = road / "float32.tflite"
    assert main(["export", str(road / "run"), "--out", str(path), "--quantize", "float32"]) == 0
    quality = read_model_file(path).card.quality
    assert quality["float32_error_max"] < 1e-4
    assert quality["sound_error_peak"] < 1e-4  # law 1: numpy around the file, TensorFlow around Keras
    assert quality["block_error_peak"] < 1e-5


def test_live_it_is_as_late_as_declared_and_the_same(exported, noisy):
    audio, _ = soundfile.read(noisy, dtype="float32")
    live = LiveRestorer(exported)
    assert live.latency_samples == 511
    whole = live.process(audio)
    live.reset()
    parts = [live.process(audio[i : i + 100]) for i in range(0, len(audio), 100)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)
    dry = LiveRestorer(exported, strength=0.0).process(audio)
    np.testing.assert_allclose(dry[511:], audio[:-511], atol=1e-5)


def test_what_is_of_another_task_is_refused_in_words(road, exported, noisy, tiny_dataset, capsys):
    assert main(["transfer", str(road / "run"), "in.wav", "out.wav"]) == 1
    assert "holds a restoration: `ddsp-tf restore` uses it" in capsys.readouterr().err
    instrument = ROOT / "tests" / "device" / "data" / "tiny-instrument.tflite"
    assert edge(["restore", str(instrument), str(noisy), str(road / "no.wav")]) == 1
    assert "holds a model of the task 'instrument', not a restoration" in capsys.readouterr().err
    config = str(road / "tiny.yaml")
    assert main(["train", config, "--data", str(tiny_dataset), "--out", str(road / "other")]) == 1
    assert "holds no clean sound" in capsys.readouterr().err
    assert main(["prepare", str(noisy), "--out", str(road / "d"), "--config", config]) == 1
    assert "is prepared from --clean, --noise, --rooms. Received: " in capsys.readouterr().err
    assert main(["prepare", "--noise", str(noisy), "--out", str(road / "d"), "--config", config]) == 1
    assert "no clean sound is there to train on" in capsys.readouterr().err


def test_a_run_that_is_killed_ends_like_one_that_was_not(road):
    run = road / "killed"
    arguments = [str(road / "tiny.yaml"), str(road / "data"), str(run)]
    killed = [sys.executable, "-m", "tests.training.killing", *arguments, "5"]
    done = subprocess.run(killed, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    command = ["train", arguments[0], "--data", arguments[1], "--out", str(run), "--no-report"]
    assert main([*command, "--resume"]) == 0
    clocks = ("seconds", "audio_s_per_s")
    logs = [
        [{k: v for k, v in row.items() if k not in clocks} for row in read_log(r)]
        for r in (run, road / "run")
    ]
    assert logs[0] == logs[1]


def test_a_run_without_convolutions_over_bands_is_exported(road, exported, tmp_path):
    run, path = tmp_path / "run", tmp_path / "plain.tflite"
    plain = [str(road / "tiny.yaml"), "--no-report", "--set", "network.channels=0"]
    assert main(["train", *plain, "--data", str(road / "data"), "--out", str(run)]) == 0
    assert main(["export", str(run), "--out", str(path)]) == 0
    assert "recent" not in read_model_file(path).card.states
    assert "recent" in read_model_file(exported).card.states


@pytest.mark.parametrize("name", ["restore_speech", "restore_music", "restore_speech_48k"])
def test_shipped_configurations_train_two_steps(road, tmp_path, name):
    short = [
        "training.steps=2",
        "training.steps_per_epoch=2",
        "training.batch_size=2",
        "training.clip_seconds=0.5",
    ]
    changes = [word for setting in short for word in ("--set", setting)]
    run, data = tmp_path / "run", road / "data"
    if name == "restore_speech_48k":
        data, sources = tmp_path / "data", road / "sources"
        options = [f"--{group}={sources / group}" for group in ("clean", "noise", "rooms")]
        assert main(["prepare", *options, "--config", name, "--out", str(data), "--jobs", "1"]) == 0
    command = ["train", name, "--data", str(data), "--out", str(run), "--no-report", *changes]
    assert main(command) == 0
    (line,) = read_log(run)
    assert np.isfinite([float(line["loss"]), float(line["val_loss"])]).all()
    assert (run / "restoration.keras").exists()
