"""The examples, called wrongly: one line. That they run is seen by `examples/check_docs.py`."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def refusal(example, *arguments):
    """Run an example that must fail; return what it says on stderr."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / example, *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "example",
    [
        "minimal_host.py",
        "play_host.py",
        # Seconds each, to load TensorFlow; the next test calls one of them as well.
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("own_processor.py", "train_in_keras.py")),
    ],
)
def test_an_example_without_arguments_tells_what_it_takes(example):
    error = refusal(example)
    usage = error[error.rindex("usage: ") :]  # TensorFlow may say something before
    assert example in usage
    assert "OUT.wav" in usage


def test_a_dataset_that_is_not_there_is_named(tmp_path):
    error = refusal("train_in_keras.py", tmp_path / "gone", tmp_path / "out.wav")
    assert error.splitlines()[-1] == f"{tmp_path / 'gone'}: no such dataset. `ddsp-tf prepare` makes one"
