"""Measure passages on all cores, in order, with a bounded number of them in memory."""

import multiprocessing
import os
import signal
import threading
import typing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

from ddsp_edge.children import without_current_folder
from ddsp_tf.data.prepare.passages import Cut
from ddsp_tf.data.prepare.preparation import Extractor
from ddsp_tf.data.records.journal import Silence
from ddsp_tf.data.records.schema import Record
from ddsp_tf.errors import DdspError

T = TypeVar("T")

MEMORY_MIB = 1_430  # 1.5 GB
"""Resident memory that all processes together are to stay under, unless a user asks for more of them."""

_MAIN_MIB = 100  # what reads, journals and writes; measured: 57
_SAMPLE_BYTES = 72  # of a sample of a passage in a process that measures it; its spectra are most of that
_WAITING_PER_JOB = 3  # passages read ahead for each process, so that none waits for the disk
_WAITING_BYTES = 8  # of a sample of them: as it is, and pickled


@dataclass(frozen=True)
class Failure:
    """A passage that could not be measured, and why."""

    source: str
    error: str


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def jobs_that_fit(extractor: Extractor, seconds: float, sample_rate: int) -> int:
    """Processes to start if nobody says how many: one for each core, as far as `MEMORY_MIB` reaches.

    Args:
        extractor: What measures, as each has it.
        seconds: Length of the longest passage.
        sample_rate: Integer, Hz.
    """
    if extractor.parallel:
        return 1
    samples = (seconds + 2.0 * extractor.context_seconds) * sample_rate
    each = (_SAMPLE_BYTES + _WAITING_PER_JOB * _WAITING_BYTES) * samples / 2**20
    job_mib = extractor.memory_mib(seconds) + each
    return max(1, min(usable_cores(), int((MEMORY_MIB - _MAIN_MIB) / job_mib)))


class ExtractorPool:
    """An extractor in `jobs` processes; with one job, in this process.

    Processes are spawned, not forked: a fork of a process that has used TensorFlow hangs.

    Args:
        extractor: What measures passages; each process gets a copy.
        jobs: Integer > 0, processes.
    """

    def __init__(self, extractor: Extractor, jobs: int) -> None:
        self.jobs = jobs
        self._extractor: Extractor | None = None
        self._executor: ProcessPoolExecutor | None = None
        if jobs == 1:
            self._extractor = extractor
        else:
            self._executor = ProcessPoolExecutor(
                jobs, multiprocessing.get_context("spawn"), _start, (extractor,)
            )

    def __enter__(self) -> "ExtractorPool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def map(self, items: Iterable[T | Cut]) -> Iterator[T | Record | Silence | Failure]:
        """Yield what was measured of cuts in their order, and what else is among them where it stands.

        Raises:
            DdspError: If a process dies.
        """
        if self._extractor is not None:
            for item in items:
                yield _measured(self._extractor, item) if isinstance(item, Cut) else item
            return
        if self._executor is None:
            raise RuntimeError("a pool has an extractor or an executor")
        waiting: deque[Future[T | Record | Silence | Failure]] = deque()
        try:
            for item in items:
                waiting.append(_submit(self._executor, item))
                while len(waiting) >= self.jobs * _WAITING_PER_JOB or (waiting and waiting[0].done()):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise DdspError(
                "a worker process of prepare ended without a word: out of memory, or called from a script "
                'without `if __name__ == "__main__":`. Fewer jobs take less memory; started again, prepare '
                "goes on where it was"
            ) from error


def _submit(executor: ProcessPoolExecutor, item: T | Cut) -> "Future[T | Record | Silence | Failure]":
    if isinstance(item, Cut):
        with without_current_folder():  # it may start a process
            return typing.cast("Future[T | Record | Silence | Failure]", executor.submit(_extract, item))
    done: Future[T | Record | Silence | Failure] = Future()
    done.set_result(item)
    return done


def _measured(extractor: Extractor, cut: Cut) -> Record | Silence | Failure:
    """Measure a passage; whatever an extractor stumbles over costs the recording, not the run."""
    try:
        return extractor(cut)
    except ImportError:  # of the installation
        raise
    except Exception as error:  # noqa: BLE001
        return Failure(cut.source, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")


_extractor: Extractor | None = None  # one for each worker process


def _start(extractor: Extractor) -> None:
    global _extractor
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to answer, once
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _extractor = extractor


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, even if that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _extract(cut: Cut) -> Record | Silence | Failure:
    if _extractor is None:
        raise RuntimeError("the worker process was not started by ExtractorPool")
    return _measured(_extractor, cut)
