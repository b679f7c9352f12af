"""Fixtures of the device tests, which pass without TensorFlow.

With `DDSP_BLOCK_TENSORFLOW=1` an import of anything heavy fails, as it would on a device. Under emulation
`DDSP_PYTHON` is the program that starts an emulated Python, for tests that start one.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HEAVY = ("tensorflow", "keras", "librosa", "scipy")

if os.environ.get("DDSP_BLOCK_TENSORFLOW") == "1":
    sys.modules.update(dict.fromkeys(HEAVY))  # type: ignore[arg-type]


sys.executable = os.environ.get("DDSP_PYTHON", sys.executable)


# Trained on a recording and exported as users' are, but small: 16 kHz, hop 128, 20 harmonics, 9 bands of
# noise and a short room. What training decides (levels, ranges) is read from its card.
TINY = Path(__file__).parent / "data" / "tiny-instrument.tflite"
BRIGHT = TINY.with_name("tiny-bright.tflite")
"""Takes voicing and brightness."""
RESTORATION = TINY.with_name("tiny-restoration.tflite")


@pytest.fixture(scope="session")
def tiny() -> Path:
    """The file of the small instrument."""
    return TINY


@pytest.fixture(scope="session", params=[1, 2])
def each_schema(request: pytest.FixtureRequest, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small instrument, with a card of each schema."""
    if request.param == 1:
        return tiny
    from ddsp_edge.model.file import read_model_file, write_model_file

    file, path = read_model_file(tiny), tmp_path_factory.mktemp("schema") / "two.tflite"
    write_model_file(path, file.model, file.card, file.arrays)
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run `ddsp-edge` in this process; return status, stdout and stderr."""
    from ddsp_edge.cli.main import main

    def command(*arguments: object) -> tuple[int, str, str]:
        status = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command
