"""Workers of pytest-xdist hold little: they give memory back, and those that hold much are replaced.

A worker that went through the whole of the tests would hold 5 GB, for two reasons. The allocator of glibc
raises the size from which memory is mapped, and so given back, to that of what was freed last, and spreads
the rest over many arenas: a quarter is saved by telling it not to. And TensorFlow keeps what XLA compiled,
for every function and every shape, until the process ends. So a worker that holds more than `MOST_MIB` by
itself is given no other file: it ends, and a new one goes on with the rest.

`tests/conftest.py` takes the hooks from here. Memory is that of Linux; elsewhere workers stay.
"""

import ctypes
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Of two workers: 2 x 1050 MiB at the end of a file, some 300 more within one, 400 of libraries that they
# share, and the programs that tests start, which have TensorFlow as well. It has to stay below 4 GB.
MOST_MIB = 1050
# Given to workers alone: what tests start is measured as users have it.
MALLOC = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
}
_STEP_MIB = 50.0  # growth after which it is worth a second to look for what can be given back

_held_after_collection = 0.0


def own_memory_mib() -> float:
    """Memory that this process shares with no file; 0 where that is not known."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024


def pytest_configure(config: pytest.Config) -> None:
    """Have workers start with these settings, which they have read when they come here."""
    if hasattr(config, "workerinput"):
        for name in MALLOC:
            os.environ.pop(name, None)
    elif getattr(config.option, "dist", "no") != "no":
        os.environ.update(MALLOC)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave what was imported out of every later collection of garbage."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In a worker: say with each test how much is held, after what can be given back was given back."""
    report = yield
    if report.when == "teardown" and hasattr(item.config, "workerinput"):
        global _held_after_collection
        held = own_memory_mib()
        if held > MOST_MIB and held > _held_after_collection + _STEP_MIB:
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)
            held = _held_after_collection = own_memory_mib()
        report.held_mib = held
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """In the process that hands out files: see who holds too much."""
    if config.option.dist != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Replacing(LoadFileScheduling):
        """Hands out files, but none to a worker that holds too much."""

        def __init__(self) -> None:
            super().__init__(config, log)
            self.full: set[Any] = set()

        def _reschedule(self, node: Any) -> None:
            if node not in self.registered_collections:  # a new one that is still importing
                return
            # A worker begins its last test only when it knows what comes after it.
            while not node.shutting_down and self._pending_of(self.assigned_work[node]) < 2:
                if node in self.full:
                    node.shutdown()
                elif self.workqueue:
                    self._assign_work_unit(node)
                else:
                    break
            if not node.shutting_down and not self.workqueue:
                node.shutdown()

        @pytest.hookimpl
        def pytest_runtest_logreport(self, report: Any) -> None:
            if getattr(report, "held_mib", 0.0) > MOST_MIB:
                self.full.add(report.node)

        @pytest.hookimpl
        def pytest_testnodedown(self, node: Any, error: object) -> None:
            if error is None and node in self.full and self.workqueue:
                config.pluginmanager.getplugin("dsession")._clone_node(node)
                node.gateway.exit()  # it would stay until all is done

    scheduler = Replacing()
    config.pluginmanager.register(scheduler)
    return scheduler
