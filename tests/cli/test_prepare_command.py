"""`ddsp-tf prepare` as a user meets it."""

import io
import os
import re
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_edge.units import Array
from ddsp_tf.cli import main as command_line
from ddsp_tf.cli.main import main
from ddsp_tf.cli.progress import Progress
from ddsp_tf.data import load_dataset_info

RATE = 16_000
QUICK = ["--jobs", "1", "--f0", "pyin", "--set", "data.f0_min_hz=150", "--set", "data.passage_seconds=2"]


def _tone(seconds: float) -> Array:
    t = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(0.2 * np.sin(2.0 * np.pi * 220.0 * t))


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """Three seconds of A3."""
    soundfile.write(tmp_path / "good.wav", _tone(3.0), RATE)
    return tmp_path / "good.wav"


def _error(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Run the command, which must fail with one line on stderr; return that line."""
    assert main(["prepare", *map(str, arguments)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    line = captured.err.split("\r")[-1]  # what a progress bar leaves on the screen
    assert line.startswith("ddsp-tf: error: ")
    return line


def test_a_recording_becomes_a_dataset_and_a_summary(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (good.parent / "folder").mkdir()
    (good.parent / "folder" / "empty.wav").touch()
    out = tmp_path / "out"
    assert main(["prepare", str(good), str(good.parent / "folder"), "--out", str(out), *QUICK]) == 0
    text = capsys.readouterr().out
    assert "0:03 min of 1 file" in text
    assert re.search(r"skipped +empty\.wav: is empty", text)
    assert re.search(r"pitch +A3 to A3 \(220 to 220 Hz\)", text)
    assert "by pyin" in text
    info = load_dataset_info(out)
    assert info.f0_estimator["name"] == "pyin"
    assert info.f0_estimator["f0_min_hz"] == 150.0
    assert (info.sample_rate, info.hop) == (16_000, 64)  # 4 ms, whatever the hop of the model


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_may_be_anything_that_a_disk_allows(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    names = ["日本語 🎷.wav", "two\nlines.wav"]
    for number, name in enumerate(names):
        data = bytearray(good.read_bytes())
        data[1000 + number] ^= 1
        (folder / name).write_bytes(data)
    data[2000] ^= 1
    (folder / os.fsdecode(b"not \xfe utf-8.wav")).write_bytes(data)
    (folder / "empty\n.wav").touch()
    assert main(["prepare", str(folder), "--out", str(tmp_path / "out"), *QUICK]) == 0
    text = capsys.readouterr().out
    assert "skipped   empty .wav: is empty (0 bytes)\n" in text
    files = load_dataset_info(tmp_path / "out").files
    assert sorted(file.name for file in files if file.status == "used") == sorted([*names, "not � utf-8.wav"])


def _write_bad(folder: Path, kind: str) -> Path:
    path = folder / "bad.wav"
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("RIFF is not enough to be a sound\n" * 20)
    elif kind != "missing":
        nan = _tone(3.0)
        nan[1000] = np.nan
        audio = {"3 samples": np.zeros(3), "silence": np.zeros(3 * RATE), "NaN": nan, "7 Hz": np.zeros(700)}
        subtype = "FLOAT" if kind == "NaN" else "PCM_16"
        soundfile.write(path, audio[kind], 7 if kind == "7 Hz" else RATE, subtype=subtype)
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "no such file"),
        ("empty", "is empty"),
        ("text", "is not a readable sound file"),
        ("3 samples", "is too short: 3 samples"),
        (
            "silence",
            "is silent throughout (loudness never above -60 dB): if there is something to hear in it",
        ),
        ("NaN", "samples that are not finite numbers"),
        ("7 Hz", "has a sample rate of 7 Hz"),
    ],
)
def test_a_bad_recording_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, words: str
) -> None:
    error = _error(capsys, _write_bad(tmp_path, kind), "--out", tmp_path / "out", *QUICK)
    assert "bad.wav" in error
    assert words in error
    assert not (tmp_path / "out").exists()


def test_eight_channels_are_averaged_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "eight.wav", np.stack([_tone(3.0)] * 8, axis=1), RATE)
    assert main(["prepare", str(tmp_path / "eight.wav"), "--out", str(tmp_path / "out"), *QUICK]) == 0
    assert "eight.wav: its 8 channels were averaged; where they are several microphones" in (
        capsys.readouterr().out
    )


def test_a_folder_without_sound_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no sound files in there" in _error(capsys, tmp_path, "--out", tmp_path / "out")


def test_an_unknown_key_names_the_nearest(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = _error(capsys, good, "--out", tmp_path / "out", "--set", "data.pasage_seconds=3")
    assert "unknown key 'data.pasage_seconds'. Did you mean 'passage_seconds'?" in error


def test_a_sample_rate_that_is_no_multiple_of_the_frame_rate_is_refused(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = _error(capsys, good, "--out", tmp_path / "out", "--set", "sample_rate=22050")
    assert "sample_rate 22050 is no multiple of frame_rate 125" in error


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--config", "solo_instrment"], "Did you mean 'solo_instrument'?"),
        (["--f0", "yin"], "data.f0 must be one of auto, pyin"),
        (["--crepe-weights", "tiny.h5"], "(--crepe-weights tiny.h5) are of use to the pitch estimator crepe"),
        (["--jobs", "0"], "jobs must be at least 1"),
        (["--set", "rubbish"], "--set takes KEY=VALUE"),
    ],
)
def test_a_bad_option_is_refused(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert words in _error(capsys, good, "--out", tmp_path / "out", *options)


def test_an_output_folder_that_cannot_be_written_is_refused(
    good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "cannot be written: Not a directory" in _error(capsys, good, "--out", good / "out", *QUICK)


@pytest.mark.parametrize("arguments", [["", "--out", "out"], ["good.wav", "--out", ""]])
def test_an_empty_name_is_not_the_current_folder(
    good: Path,
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(good.parent)
    with pytest.raises(SystemExit) as stop:
        main(["prepare", *arguments])
    assert stop.value.code == 2
    assert "the name is empty" in capsys.readouterr().err
    assert [path.name for path in good.parent.iterdir()] == ["good.wav"]


def test_a_file_is_no_folder_for_a_dataset(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "good.wav is a file; name a folder" in _error(capsys, good, "--out", good, *QUICK)


def test_the_summary_names_what_is_clipped_and_what_breaks_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "loud.wav", np.clip(20.0 * _tone(3.0), -1.0, 1.0), RATE)
    soundfile.write(tmp_path / "short.wav", _tone(6.0), RATE)
    os.truncate(tmp_path / "short.wav", 44 + 3 * RATE * 2)
    assert main(["prepare", str(tmp_path), "--out", str(tmp_path / "out"), *QUICK]) == 0
    text = capsys.readouterr().out
    assert re.search(
        r"clipped +loud\.wav: \d+ samples at full scale in runs; record it again at a lower", text
    )
    assert re.search(r"used +short\.wav: breaks off: its header says 6\.0 s, 3\.0 s are there", text)


def test_the_clock_goes_on_while_nothing_is_done_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    before = threading.active_count()
    with Progress("listening for pitch") as progress:
        progress(0.0, 150.0)
        time.sleep(2.2)
        waited = terminal.getvalue()
    assert "listening for pitch" in waited
    assert "0 of 150 s of sound [00:02<?]" in waited
    assert threading.active_count() == before


def test_a_dataset_is_not_replaced_unasked(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", str(good), "--out", str(tmp_path / "out"), *QUICK]) == 0
    capsys.readouterr()
    other = [*QUICK, "--set", "data.passage_seconds=3"]
    error = _error(capsys, good, "--out", tmp_path / "out", *other)
    assert "out was prepared with other settings: data.passage_seconds was 2.0, is 3.0. Give" in error
    assert main(["prepare", str(good), "--out", str(tmp_path / "out"), *QUICK]) == 0
    assert "out: holds all of this already\n" in capsys.readouterr().out
    assert main(["prepare", str(good), "--out", str(tmp_path / "out"), "--overwrite", *other]) == 0
    assert load_dataset_info(tmp_path / "out").passage_seconds == 3.0


@pytest.mark.slow
@pytest.mark.skipif(find_spec("tensorflow_probability") is None, reason="needs TensorFlow Probability")
def test_smoothing_says_nothing_of_the_tensorflow_that_it_loads(good: Path, tmp_path: Path) -> None:
    command = ["prepare", str(good), "--out", str(tmp_path / "out"), "--set", "data.f0_smoothing=hmm"]
    done = _process("-m", "ddsp_tf.cli.main", *command)
    assert done.returncode == 0, done.stderr
    assert "by yin-viterbi" in done.stdout
    told = [line for line in re.split(r"[\r\n]", done.stderr) if line.strip()]
    assert all(line.startswith("listening for pitch") for line in told), done.stderr


def test_debug_shows_the_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--debug", "prepare", "gone.wav"], ["prepare", "gone.wav", "--debug"]):
        assert main([*arguments, "--out", str(tmp_path / "out")]) == 1
        error = capsys.readouterr().err
        assert "Traceback" in error
        assert error.endswith("ddsp-tf: error: gone.wav: no such file or folder\n")


def test_a_bug_is_one_line_that_asks_for_debug(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("ddsp_tf.config.load_config", broken)
    error = _error(capsys, good, "--out", tmp_path / "out")
    assert "RuntimeError: two lines (a bug: run again with --debug" in error


def test_an_interrupt_ends_with_130(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ddsp_tf.config.load_config", interrupted)
    assert main(["prepare", str(good), "--out", str(tmp_path / "out")]) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["prepare"], ["prepare", "x.wav"], ["prepar"]])
def test_missing_arguments_end_with_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: ddsp-tf" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], *([name] for name in command_line.COMMANDS)])
def test_help_fits_a_screen(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 40


def _process(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False, timeout=60
    )


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from ddsp_tf.cli.main import _parser; _parser().format_help();"
        "print([m for m in ('tensorflow', 'keras', 'librosa', 'numpy') if m in sys.modules])"
    )
    done = _process("-c", code)
    assert done.returncode == 0, done.stderr
    assert "tensorflow" not in done.stdout
    assert "librosa" not in done.stdout


def test_the_real_command_exits_with_one_line(tmp_path: Path) -> None:
    done = _process("-m", "ddsp_tf.cli.main", "prepare", "gone.wav", "--out", str(tmp_path / "out"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.replace("\r", "").strip().endswith("error: gone.wav: no such file or folder")
    assert "Traceback" not in done.stderr


def test_version_is_printed() -> None:
    assert re.fullmatch(r"ddsp-tf \d+\.\d+\.\d+\n", _process("-m", "ddsp_tf.cli.main", "--version").stdout)
