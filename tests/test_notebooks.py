"""The notebooks in `examples/`: valid, without outputs, and they run from top to bottom."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "examples").glob("*.ipynb"))

LEAVES = {
    "instrument_in_keras": ["glissando.wav", "glissando.png"],
    "controls": ["controls.npz", "controls.png", "as it was.wav", "hollow.wav", "slide.wav"],
}
"""Files that each leaves behind."""


def code_of(notebook):
    """The code cells as one program; each is checked to be Python without magics."""
    cells = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    for cell in cells:
        ast.parse(cell)
    return "\n\n".join(cells)


def test_there_is_a_notebook():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_is_valid_and_without_outputs(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    names = [cell["id"] for cell in notebook["cells"]]
    assert len(set(names)) == len(names)
    for cell in notebook["cells"]:
        assert cell["cell_type"] in ("markdown", "code")
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs_from_top_to_bottom(path, tmp_path):
    """In a process and a folder of its own, without Jupyter, which adds nothing to plain code."""
    program = code_of(json.loads(path.read_text(encoding="utf-8")))
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=quiet, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name in LEAVES[path.stem]:
        assert (tmp_path / name).stat().st_size > 8000
    assert path.stem != "instrument_in_keras" or "reverb_db" in done.stdout
