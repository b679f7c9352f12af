"""What many tests share: one dataset of a real recording, and one run trained on it.

Tests on the device side have no TensorFlow, so everything is imported where it is used.
"""

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.worker_memory import (  # noqa: F401 (hooks)
    pytest_collection_finish,
    pytest_configure,
    pytest_runtest_makereport,
    pytest_xdist_make_scheduler,
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked as slow, unless it is asked for by `-m` or by its name."""
    if config.option.markexpr or any("::" in argument for argument in config.args):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in set(slow)]


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


@contextlib.contextmanager
def one_process_at_a_time(path: Path) -> Iterator[None]:
    """Hold a lock that is given back however the process ends."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


MakeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> MakeOnce:
    """Fill a folder of that name by a function, once for all workers; the folder."""
    common = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ and os.name != "nt":
        common = common.parent

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        folder, whole = common / f"once-{name}", common / f"once-{name}.whole"
        with one_process_at_a_time(common / f"once-{name}.lock"):
            if not whole.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of one who failed
                folder.mkdir()
                fill(folder)
                whole.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_dataset(make_once: MakeOnce) -> Path:
    """Twenty seconds of a phrase, prepared with pYIN; no test may change it."""

    def fill(folder: Path) -> None:
        from ddsp_tf.data import prepare
        from tests import tiny

        recording = tiny.write_phrase(folder / "phrase.wav", 20.0)
        config = tiny.config()
        prepare([recording], folder / "dataset", config.spec, config.data, jobs=1)

    return make_once("tiny-dataset", fill) / "dataset"


@pytest.fixture(scope="session")
def trained_run(tiny_dataset: Path, make_once: MakeOnce) -> Path:
    """A run of three epochs of two steps on it; no test may change it."""

    def fill(folder: Path) -> None:
        from ddsp_tf.training import train
        from tests import tiny

        train(tiny.config(), tiny_dataset, folder / "run", verbose=0)

    return make_once("trained-run", fill) / "run"


@pytest.fixture
def run_copy(trained_run: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be damaged."""
    return Path(shutil.copytree(trained_run, tmp_path / "run"))


@pytest.fixture(scope="session")
def trained_model(trained_run: Path) -> Any:
    """The model of the run."""
    from ddsp_tf.training import load_model_of_run

    return load_model_of_run(trained_run)
