"""Bad input to `train`, `evaluate`, `transfer` and `export`: one clear line, and status 1."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from ddsp_tf.cli.main import main
from tests import tiny


def error_of(capsys, *arguments):
    """Run a command that must fail; return the one line on stderr."""
    status = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    assert status == 1
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    line = captured.err.split("\r")[-1]
    assert line.startswith("ddsp-tf: error: ")
    assert "a bug" not in line
    return line


@pytest.fixture
def config(tmp_path):
    return tiny.write_config(tmp_path / "tiny.yaml")


@pytest.fixture
def sound(tmp_path):
    return tiny.write_phrase(tmp_path / "in.wav", 1.5)


# train


def test_train_refuses_a_configuration(tiny_dataset, tmp_path, capsys):
    out = ["--data", tiny_dataset, "--out", tmp_path / "run"]
    bad = tiny.write_config(tmp_path / "bad.yaml", tiny.settings(training={"stesp": 1}))
    line = error_of(capsys, "train", bad, *out)
    assert "bad.yaml: unknown key 'training.stesp'. Did you mean 'steps'?" in line
    bad = tiny.write_config(tmp_path / "bad.yaml", tiny.settings(sample_rate=44_100, frame_rate=128))
    assert "44100 is no multiple of frame_rate 128" in error_of(capsys, "train", bad, *out)
    assert "gone.yaml: no such configuration" in error_of(capsys, "train", tmp_path / "gone.yaml", *out)
    assert "--set takes KEY=VALUE" in error_of(capsys, "train", bad, *out, "--set", "steps")
    assert not (tmp_path / "run").exists()


def nodes_with(**changes):
    nodes = tiny.settings()["model"]["processors"]["nodes"]
    return [{**node, **changes.get(node["name"], {})} for node in nodes]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"harmonic": {"type": "Harmonics"}}, "Did you mean 'Harmonic'?"),
        ({"harmonic": {"config": {"n_harmonic": 5}}}, "has no setting 'n_harmonic'"),
        ({"noise": {"config": {"n_bands": -1}}}, "n_bands=-1"),
        ({"dry": {"inputs": {"audio_0": "harmonic", "audio_1": "nois"}}}, "Did you mean 'noise'?"),
        ({"dry": {"inputs": {"audio_0": "reverb", "audio_1": "noise"}}}, ""),
        ({"noise": {"inputs": {}}}, ""),
    ],
)
def test_train_names_the_file_whose_processors_are_wrong_before_it_looks_at_data(
    tmp_path, capsys, changes, words
):
    inputs = tiny.settings()["model"]["processors"]["inputs"]
    model = {"processors": {"inputs": inputs, "nodes": nodes_with(**changes)}}
    bad = tiny.write_config(tmp_path / "bad.yaml", tiny.settings(model=model))
    line = error_of(capsys, "train", bad, "--data", tmp_path / "gone", "--out", tmp_path / "run")
    assert f"{bad}: model.processors: " in line
    assert words in line


def test_train_refuses_processors_that_learn_nothing(tmp_path, capsys):
    node = {"name": "through", "type": "TensorToAudio", "inputs": {"samples": "f0_hz"}}
    model = {"processors": {"inputs": ["f0_hz"], "nodes": [node]}}
    bad = tiny.write_config(tmp_path / "bad.yaml", tiny.settings(model=model))
    line = error_of(capsys, "train", bad, "--data", tmp_path / "gone", "--out", tmp_path / "run")
    assert f"{bad}: model.processors: no processor takes a control from the network" in line


def test_train_does_not_overwrite_the_configuration_it_is_given(tiny_dataset, tmp_path, capsys):
    folder = tmp_path / "experiment"
    folder.mkdir()
    own = tiny.write_config(folder / "config.yaml")
    before = own.read_bytes()
    line = error_of(capsys, "train", own, "--data", tiny_dataset, "--out", folder)
    assert f"{own} would be overwritten" in line
    assert own.read_bytes() == before


@pytest.mark.parametrize("steps", ["0", "-5"])
def test_train_refuses_no_steps(config, tiny_dataset, tmp_path, capsys, steps):
    line = error_of(
        capsys, "train", config, "--data", tiny_dataset, "--out", tmp_path / "run", "--steps", steps
    )
    assert f"training.steps must lie within 1 to 1e+08. Received: {steps}" in line


def test_train_refuses_a_dataset(config, tiny_dataset, tmp_path, capsys):
    out = ["--out", tmp_path / "run"]
    assert "no such dataset" in error_of(capsys, "train", config, "--data", tmp_path / "gone", *out)
    assert "is no dataset" in error_of(capsys, "train", config, "--data", tmp_path, *out)
    other = tiny.write_config(tmp_path / "other.yaml", tiny.settings(sample_rate=8000))
    line = error_of(capsys, "train", other, "--data", tiny_dataset, *out)
    assert "has a sample rate of 16000 Hz, not 8000 Hz: prepare the recordings with that one" in line
    cut = shutil.copytree(tiny_dataset, tmp_path / "cut")
    shard = next(cut.glob("train-*.tfrecord"))
    os.truncate(shard, shard.stat().st_size - 100)
    line = error_of(capsys, "train", config, "--data", cut, *out)
    assert f"{shard.name}: record" in line
    assert "is damaged or cut short" in line
    assert not (tmp_path / "run").exists()


def test_train_refuses_a_folder(config, trained_run, tiny_dataset, tmp_path, capsys):
    train = ["train", config, "--data", tiny_dataset]
    assert "holds a run already" in error_of(capsys, *train, "--out", trained_run)
    assert "cannot be written: Not a directory" in error_of(capsys, *train, "--out", config / "run")
    assert "cannot be written" in error_of(capsys, *train, "--out", "/proc/no/run")
    assert f"{config} is a file; name a folder" in error_of(capsys, *train, "--out", config)
    assert f"{config} is a file, not a run" in error_of(capsys, *train, "--out", config, "--resume")
    assert "no such run folder" in error_of(capsys, *train, "--out", tmp_path / "gone", "--resume")


def test_train_refuses_to_go_on_with_something_else(trained_run, tiny_dataset, tmp_path, capsys):
    other = tiny.write_config(tmp_path / "other.yaml", tiny.settings(training={"seed": 9}))
    line = error_of(capsys, "train", other, "--data", tiny_dataset, "--out", trained_run, "--resume")
    assert "was started with another configuration: training.seed differs" in line


def test_train_says_that_a_run_is_finished(config, trained_run, tiny_dataset, capsys):
    command = ["train", str(config), "--data", str(tiny_dataset), "--out", str(trained_run)]
    assert main([*command, "--resume", "--no-report"]) == 0
    captured = capsys.readouterr()
    assert "has done 6 steps of 6: there is nothing left to do" in captured.err
    assert ": 6 steps, " in captured.out


# What reads a run


@pytest.fixture
def commands(tiny_dataset, sound, tmp_path):
    """Every command that reads a run, to be given one."""
    return {
        "evaluate": lambda run: ["evaluate", run, "--data", tiny_dataset],
        "transfer": lambda run: ["transfer", run, sound, tmp_path / "out.wav"],
        "export": lambda run: ["export", run, "--out", tmp_path / "out.tflite"],
    }


@pytest.mark.parametrize("command", ["evaluate", "transfer", "export"])
def test_a_run_that_is_none_is_refused(commands, run_copy, tmp_path, capsys, command):
    arguments = commands[command]
    assert "gone: no such run folder" in error_of(capsys, *arguments(tmp_path / "gone"))
    (tmp_path / "file").touch()
    assert "file is a file, not a run folder" in error_of(capsys, *arguments(tmp_path / "file"))
    (tmp_path / "empty").mkdir()
    assert "it has no config.yaml" in error_of(capsys, *arguments(tmp_path / "empty"))
    checkpoint = run_copy / "instrument.keras"
    os.truncate(checkpoint, checkpoint.stat().st_size // 2)
    line = error_of(capsys, *arguments(run_copy))
    assert "instrument.keras is damaged, or of another version" in line
    checkpoint.unlink()
    assert "has no checkpoint (instrument.keras)" in error_of(capsys, *arguments(run_copy))
    (run_copy / "config.yaml").write_text("name: [")
    assert "config.yaml is not valid YAML" in error_of(capsys, *arguments(run_copy))
    assert not list(tmp_path.glob("out.*"))


def test_evaluate_refuses_a_dataset(trained_run, tmp_path, capsys):
    line = error_of(capsys, "evaluate", trained_run, "--data", tmp_path / "gone")
    assert "gone: no such dataset" in line
    assert not (trained_run / "evaluation.json").exists()


def test_evaluate_refuses_a_cut_shard(trained_run, tiny_dataset, tmp_path, capsys):
    cut = shutil.copytree(tiny_dataset, tmp_path / "cut")
    shard = next(cut.glob("validation-*.tfrecord"))
    os.truncate(shard, shard.stat().st_size - 100)
    assert "is damaged or cut short" in error_of(capsys, "evaluate", trained_run, "--data", cut)


# The input and output of transfer


def write_bad(path, kind):
    tone = tiny.phrase(1.5)
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("RIFF is not enough to be a sound\n" * 20)
    elif kind == "NaN":
        tone[1000] = np.nan
        soundfile.write(path, tone, tiny.RATE, subtype="FLOAT")
    elif kind == "1e30":
        tone[1000] = 1e30
        soundfile.write(path, tone, tiny.RATE, subtype="FLOAT")
    elif kind == "antiphase":
        soundfile.write(path, np.stack([tone, -tone], axis=1), tiny.RATE)
    elif kind == "folder":
        path.mkdir()
    elif kind != "missing":
        audio = {"3 samples": tone[:3], "silence": 0.0 * tone, "7 Hz": tone}[kind]
        soundfile.write(path, audio, 7 if kind == "7 Hz" else tiny.RATE)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "no such file"),
        ("empty", "is empty"),
        ("text", "is not a readable sound file"),
        ("3 samples", "is too short"),
        ("silence", "is silent"),
        ("NaN", "samples that are not finite numbers"),
        ("1e30", "beyond any level of sound, up to 1e+30 times full scale"),
        ("antiphase", "cancel each other when they are averaged"),
        ("7 Hz", "has a sample rate of 7 Hz"),
        ("folder", "is a folder, not a sound file"),
    ],
)
def test_transfer_refuses_an_input(trained_run, tmp_path, capsys, kind, words):
    write_bad(tmp_path / "bad.wav", kind)
    line = error_of(capsys, "transfer", trained_run, tmp_path / "bad.wav", tmp_path / "out.wav")
    assert "bad.wav" in line
    assert words in line
    assert not list(tmp_path.glob("*out.wav*"))


@pytest.mark.parametrize(
    ("out", "options", "words"),
    [
        ("gone/out.wav", [], "cannot be written: the folder"),
        ("in.wav/out.wav", [], "cannot be written"),
        ("out.mp3", [], "sound is written as .wav or .flac"),
        ("out.wav", ["--octaves", "99"], "octaves must be from -8 to 8. Received: 99"),
        ("out.wav", ["--loudness-shift-db", "nan"], "Received: nan"),
        ("out.wav", ["--transposition", "97"], "transposition must be from -96 to 96. Received: 97"),
        ("out.wav", ["--gate-db", "nan"], "gate_db must be from -80 to 80. Received: nan"),
        ("out.wav", ["--softest-db", "-20"], "softest-db and loudest-db set a range together"),
        ("out.wav", ["--crepe-weights", "gone.h5"], "gone.h5"),
    ],
)
def test_transfer_refuses_an_output_or_option(trained_run, sound, tmp_path, capsys, out, options, words):
    assert words in error_of(capsys, "transfer", trained_run, sound, tmp_path / out, *options)


@pytest.mark.parametrize("link", [False, True])
def test_transfer_does_not_overwrite_its_input(trained_run, sound, tmp_path, capsys, link):
    before = sound.read_bytes()
    out = tmp_path / "out.wav" if link else sound
    if link:
        out.symlink_to(sound)
    line = error_of(capsys, "transfer", trained_run, sound, out)
    assert f"{out} is the recording that is to be played, and would be overwritten" in line
    assert sound.read_bytes() == before


# The output of export


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("gone/out.tflite", "the folder"),
        ("out.bin", "a model file ends in .tflite"),
        ("file/out.tflite", "cannot be written"),
        ("folder.tflite", "is a folder"),
    ],
)
def test_export_refuses_an_output(trained_run, tmp_path, capsys, out, words):
    (tmp_path / "file").touch()
    (tmp_path / "folder.tflite").mkdir()
    assert words in error_of(capsys, "export", trained_run, "--out", tmp_path / out)


def test_export_refuses_a_wrong_command_line_before_tensorflow_starts(tmp_path):
    code = (
        "import sys; from ddsp_tf.cli.main import main; status = main(sys.argv[1:]); "
        "print('tensorflow' in sys.modules); sys.exit(status)"
    )
    for options, words in (
        (["--out", "gone/out.tflite"], "the folder gone does not exist"),
        (
            ["--out", "out.tflite", "--runtime", "2.14", "--quantize", "int8-full"],
            "runtime 2.14 does not load",
        ),
        (["--out", "out.tflite", "--target", "ddsp-vst", "--dry"], "--dry, --no-play and --runtime"),
        (["--out", "out.tflite", "--target", "ddsp-vst", "--quantize", "int8"], "DDSP-VST reads float32 and"),
    ):
        command = [sys.executable, "-c", code, "export", "run", *options]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stdout) == (1, "False\n"), ended.stderr
        assert words in ended.stderr


def test_export_refuses_a_run_without_held_back_sound(run_copy, tmp_path, capsys):
    (run_copy / "reference.npz").unlink()
    line = error_of(capsys, "export", run_copy, "--out", tmp_path / "out.tflite")
    assert "has no reference.npz" in line
    assert not list(tmp_path.glob("*.tflite"))


# All commands


@pytest.mark.parametrize("command", ["evaluate", "transfer", "export"])
def test_debug_shows_the_traceback(commands, tmp_path, capsys, command):
    arguments = [str(a) for a in commands[command](tmp_path / "gone")]
    for order in (["--debug", *arguments], [*arguments, "--debug"]):
        assert main(order) == 1
        error = capsys.readouterr().err
        assert error.startswith("Traceback")
        assert error.endswith("gone: no such run folder\n")


def test_a_command_that_does_not_exist_is_told_the_nearest(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["trian", "instrument"])
    assert stop.value.code == 2
    assert "Did you mean 'train'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "", "--data", "d", "--out", "o"],
        ["train", "c", "--data", "", "--out", "o"],
        ["train", "c", "--data", "d", "--out", ""],
        ["evaluate", "", "--data", "d"],
        ["evaluate", "r", "--data", ""],
        ["transfer", "", "i.wav", "o.wav"],
        ["transfer", "r", "", "o.wav"],
        ["transfer", "r", "i.wav", ""],
        ["transfer", "r", "i.wav", "o.wav", "--crepe-weights", ""],
        ["export", "", "--out", "o.tflite"],
        ["export", "r", "--out", ""],
    ],
    ids=" ".join,
)
def test_an_empty_name_is_not_the_current_folder(capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "the name is empty (a variable of the shell that is not set?)" in capsys.readouterr().err
