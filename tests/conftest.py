"""What many tests share: one dataset of a real recording, and one run trained on it.

Tests on the device side have no TensorFlow, so everything is imported where it is used.
"""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def heard_signals() -> Iterator[None]:
    """Have the programs that tests start hear SIGINT and SIGHUP, where the tests themselves run deaf to them.

    A program inherits what is ignored (under `nohup`, in the background of a script) but no handlers:
    one that does nothing leaves the tests as deaf as they were.
    """
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]
    deaf = [number for number in numbers if signal.getsignal(number) is signal.SIG_IGN]
    for number in deaf:
        signal.signal(number, lambda *_: None)
    yield
    for number in deaf:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of a phrase, prepared with pYIN; no test may change it."""
    from ddsp_tf.data import prepare
    from tests import tiny

    folder = tmp_path_factory.mktemp("tiny")
    recording = tiny.write_phrase(folder / "phrase.wav", 20.0)
    config = tiny.config()
    prepare([recording], folder / "dataset", config.spec, config.data, jobs=1)
    return folder / "dataset"


@pytest.fixture(scope="session")
def trained_run(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three epochs of two steps on it; no test may change it."""
    from ddsp_tf.training import train
    from tests import tiny

    run = tmp_path_factory.mktemp("run") / "run"
    train(tiny.config(), tiny_dataset, run, verbose=0)
    return run


@pytest.fixture
def run_copy(trained_run: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be damaged."""
    return Path(shutil.copytree(trained_run, tmp_path / "run"))


@pytest.fixture(scope="session")
def trained_model(trained_run: Path) -> Any:
    """The model of the run."""
    from ddsp_tf.training import load_model_of_run

    return load_model_of_run(trained_run)
