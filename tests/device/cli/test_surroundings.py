"""Where a command runs: a folder with files of the user's own, a terminal of any encoding."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_edge.children import module_command, without_current_folder

TINY = Path(__file__).parents[1] / "data" / "tiny-instrument.tflite"
EDGE = [sys.executable, "-P", "-m", "ddsp_edge"]


def _trap(folder: Path, *names: str) -> None:
    for name in names:
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the user was run')\n")


def test_bench_does_not_run_what_lies_in_the_current_folder(tmp_path: Path) -> None:
    _trap(tmp_path, "random", "soundfile", "json", "ddsp_edge")
    done = subprocess.run([*EDGE, "bench", str(TINY), "--seconds", "0.2"], cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_module_command_does_not_look_in_the_current_folder(tmp_path: Path) -> None:
    _trap(tmp_path, "mine")
    done = subprocess.run(module_command("mine"), cwd=tmp_path, capture_output=True, text=True)
    assert "No module named mine" in done.stderr


def test_nor_do_processes_that_something_else_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _trap(tmp_path, "mine")
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    with without_current_folder():
        done = subprocess.run([sys.executable, "-c", "import mine"], cwd=tmp_path, capture_output=True)
    assert b"No module named 'mine'" in done.stderr
    assert "PYTHONSAFEPATH" not in os.environ


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("name", ["out Ω.wav", "音.wav", "🎻.wav"])
def test_names_that_a_terminal_cannot_show_are_written_all_the_same(
    tmp_path: Path, encoding: str, name: str
) -> None:
    soundfile.write(tmp_path / "a.wav", 0.1 * np.sin(np.arange(16_000) / 12), 16_000)
    command = [*EDGE, "render", str(TINY), "a.wav", name]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / name).is_file()
    shown = name.encode(encoding, "backslashreplace")
    assert shown in done.stdout


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_errors_are_told_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [*EDGE, "info", "Ω.tflite"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(r"ddsp-edge: error: \u03a9.tflite")
