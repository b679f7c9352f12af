"""What runs where, as docs/model-file.md has it: each runtime plays a file or refuses it.

`make test-runtimes` installs the runtimes, exports the files and names their folder in `DDSP_RUNTIMES`.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.runtimes.cases import EXPORTS, RUNTIMES
from tests.runtimes.install import INSTALLED

FOLDER = Path(os.environ.get("DDSP_RUNTIMES", ".")).resolve()
if "DDSP_RUNTIMES" not in os.environ:
    pytest.skip("other runtimes are asked for by `make test-runtimes`", allow_module_level=True)

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "device" / "data"
TINY = "tiny-instrument"  # int8, as it was exported for the device tests
FILES = [DATA / f"{TINY}.tflite", *(FOLDER / "files" / f"{name}.tflite" for name in EXPORTS)]
REFUSED = {("tflite-runtime 2.14", name): "'FULLY_CONNECTED' version '12'" for name in ("default", TINY)}

SAME = 1e-4  # of full scale, the bound of law 1; controls lie in 0 to 2
# Activations in int8 that differ in their last bit may be rounded to the next step. Measured: 3e-4.
ROUNDED = 5e-3
INTEGERS = ("default", "runtime-2.14", TINY)


def play(runtime, out):
    """Play all files in a process of their own, `runtime` in front of the newest."""
    front = [] if runtime is None else [str(FOLDER / runtime)]
    path = os.pathsep.join([*front, str(ROOT), str(ROOT / "export")])
    environment = {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.runtimes.play_files", str(out), *map(str, FILES)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return out


@pytest.fixture(scope="module")
def newest(tmp_path_factory):
    return play(None, tmp_path_factory.mktemp("newest"))


@pytest.fixture(scope="module", params=list(RUNTIMES))
def played(request, tmp_path_factory):
    """Name of a runtime, and the folder of what it played."""
    if not (FOLDER / request.param / INSTALLED).is_file():
        pytest.skip((FOLDER / f"{request.param}.missing").read_text(encoding="utf-8"))
    return request.param, play(request.param, tmp_path_factory.mktemp("played"))


@pytest.mark.parametrize("name", [TINY, *EXPORTS])
def test_a_runtime_plays_what_the_newest_plays_or_refuses_it_in_words(newest, played, name):
    runtime, out = played
    refusal = out / f"{name}.txt"
    if (runtime, name) in REFUSED:
        assert "The network cannot be loaded by LiteRT: Didn't find op" in refusal.read_text()
        assert REFUSED[runtime, name] in refusal.read_text()
        return
    assert not refusal.exists(), refusal.read_text()
    with np.load(out / f"{name}.npz") as theirs, np.load(newest / f"{name}.npz") as ours:
        keys = [key for key in ours if key.startswith(("audio", "control_", "block_"))]
        sounds = ("audio", *(f"audio_by_{way}" for way in ("hops", "synthesize", "play", "voice")))
        assert set(sounds) <= set(keys)
        assert any(key.startswith("block_") for key in keys)
        assert np.abs(ours["audio"]).max() > 0.1
        bound = ROUNDED if name in INTEGERS else SAME
        errors = {key: float(np.abs(theirs[key] - ours[key]).max()) for key in keys}
    assert max(errors.values()) < bound, errors


def test_the_newest_plays_the_shipped_instrument_as_when_it_was_exported(newest):
    with np.load(newest / f"{TINY}.npz") as now, np.load(DATA / "tiny-reference.npz") as kept:
        assert np.abs(now["audio"] - kept["audio"]).max() < ROUNDED
        assert np.abs(now["audio_by_play"] - kept["audio_by_play"]).max() < ROUNDED
