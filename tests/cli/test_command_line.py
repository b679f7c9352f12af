"""The command line itself: help, signals, what is missing, and no word that nobody asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ddsp_tf.cli.main import COMMANDS, main
from tests import tiny


@pytest.mark.parametrize("missing", ["yaml", "tensorflow", "keras"])
def test_without_the_training_side_the_cure_is_named(missing):
    code = f"""
import sys
sys.modules[{missing!r}] = None
from ddsp_tf.cli.main import main
sys.exit(main(["train", "solo_instrument", "--data", "d", "--out", "o"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("ddsp-tf: error: train needs TensorFlow and the rest of the training side")
    assert f"({missing} is missing)" in done.stderr
    assert 'In a checkout of ddsp_tf: pip install ".[train]"' in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("name", "status", "words"), [("SIGINT", 130, "interrupted"), ("SIGTERM", 143, "ended by SIGTERM")]
)
def test_a_signal_during_the_first_imports_ends_in_one_line(name, status, words):
    code = f"""
import os, signal, sys
class Hook:
    def find_spec(self, module, path=None, target=None):
        if module == "numpy":
            os.kill(os.getpid(), signal.{name})
sys.meta_path.insert(0, Hook())
from ddsp_tf.cli.main import main
sys.exit(main(["prepare", "in.wav", "--out", "d"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (status, f"ddsp-tf: {words}\n")


def test_tensorflow_says_nothing_while_it_computes():
    """It would log that XLA began, for one; whoever loads it as the commands do need not ask for more."""
    code = """
from ddsp_tf.cli.quiet import load_tensorflow
load_tensorflow()
import tensorflow as tf
tf.function(lambda x: x + 1, jit_compile=True)(tf.zeros(3))
"""
    quiet = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=quiet
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_no_help_loads_what_is_heavy():
    code = f"""
import contextlib, io, sys
from ddsp_tf.cli.main import main
for command in ([], *([c] for c in {COMMANDS!r})):
    with contextlib.redirect_stdout(io.StringIO()) as text, contextlib.suppress(SystemExit):
        main([*command, "--help"])
    assert text.getvalue().startswith("usage: ddsp-tf"), command
print([m for m in ("tensorflow", "keras", "librosa", "scipy", "matplotlib") if m in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_a_command_takes_in_one_screen(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 100
    assert any("--debug" in line for line in lines)


def test_a_real_process_fails_with_one_line(trained_run, tmp_path):
    """TensorFlow itself says nothing on stderr either."""
    script = Path(sys.executable).with_name("ddsp-tf")
    command = [script] if script.exists() else [sys.executable, "-m", "ddsp_tf.cli.main"]
    done = subprocess.run(
        [*command, "transfer", trained_run, tmp_path / "gone.wav", tmp_path / "out.wav"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"ddsp-tf: error: {tmp_path / 'gone.wav'}: no such file\n"


@pytest.mark.slow
def test_transfer_with_all_that_it_may_change_says_nothing_where_it_is_to_be_quiet(
    trained_run, tmp_path, capsys
):
    source = tiny.write_phrase(tmp_path / "in.wav", 3.0)
    options = ["--octaves", "1", "--transposition", "-12", "--match-octave", "--match-loudness", "--gate"]
    options += ["--gate-db", "-70", "--loudness-shift-db", "-12", "--seed", "1", "--stems", "--quiet"]
    assert main(["transfer", str(trained_run), str(source), str(tmp_path / "out.wav"), *options]) == 0
    assert capsys.readouterr().out == ""
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"in.wav", "out.wav", *(f"out-{n}.wav" for n in ("harmonic", "noise", "reverb"))}


def test_prepare_does_not_run_what_lies_in_the_current_folder(tmp_path):
    """Its worker processes, and what keeps account of them, are new processes of Python."""
    for name in ("random", "pickle", "soundfile", "signal"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the user was run')\n")
    (tmp_path / "in").mkdir()
    for i in range(3):
        tiny.write_phrase(tmp_path / "in" / f"{i}.wav", 3.0)
    command = [sys.executable, "-P", "-m", "ddsp_tf.cli.main", "prepare", "in", "--out", "d", "--jobs", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "of the user was run" not in done.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_terminal_of_another_encoding_shows_what_it_can(tmp_path, encoding):
    (tmp_path / "in").mkdir()
    tiny.write_phrase(tmp_path / "in" / "good.wav", 3.0)
    (tmp_path / "in" / "Ω.wav").write_bytes(b"no sound")
    command = [sys.executable, "-m", "ddsp_tf.cli.main", "prepare", "in", "--out", "d", "--jobs", "1"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    assert r"\u03a9.wav" in done.stdout + done.stderr
