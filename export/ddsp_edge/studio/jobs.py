"""Jobs of the studio: a process each, some at a time, with progress, that can be cancelled."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ddsp_edge.children import module_command
from ddsp_edge.errors import DdspError
from ddsp_edge.studio.keep import without_paths
from ddsp_edge.threads import THREAD_VARIABLES

AT_ONCE = {"look": 2, "use": 2, "train": 1}
"""Jobs of a kind that run at a time: those that take hours leave the others their turn."""
WAITS = {
    "look": "waits until those before it have been looked at",
    "use": "waits until one of those before it is done",
    "train": "waits until the training before it has ended",
}
MOST = 64
"""Jobs that may be there at a time, whatever their state."""
BROKEN = ("failed", "cancelled")
_MOST_LINE = 4 << 20  # bytes of a line that a process tells: the notes of a long piece
_MOST_ERRORS = 4096
_PATIENCE_S = 90.0  # for a training, which writes a checkpoint
_BROKE_OFF = "the process that did it ended unexpectedly (status {}): {}"


@dataclass
class Job:
    """Something that a process does.

    Args:
        number: Its name.
        asked: What the process is told.
        folder: Of its own, for what it makes.
        source_name: What the file is called that it is about.
        about: What a page shows of it, whatever comes of it.
    """

    number: str
    asked: Mapping[str, Any]
    folder: Path
    source_name: str
    about: Mapping[str, Any] = field(default_factory=dict)
    state: str = "waiting"
    """`waiting`, `running`, `done`, `failed` or `cancelled`."""
    share: float = 0.0
    words: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    live: dict[str, Any] = field(default_factory=dict)
    """What is told of it while it runs, beside words; it stays."""
    task: "asyncio.Task[None] | None" = None

    def shown(self) -> dict[str, Any]:
        """What a page shows of it now."""
        return {
            "id": self.number,
            "state": self.state,
            "share": round(self.share, 3),
            "words": self.words,
            **self.about,
            **({"live": self.live} if self.live else {}),
            **({"result": self.result} if self.state == "done" else {}),
        }


class Jobs:
    """All jobs of a studio.

    Args:
        finished: Is given each job that was done, to offer its files.
        lives: Is given each job that told of what is live, to offer its sounds.
    """

    def __init__(self, finished: Callable[[Job], None], lives: Callable[[Job], None]) -> None:
        self.jobs: dict[str, Job] = {}
        self._finished, self._lives = finished, lives
        self._numbers = itertools.count(1)
        self._turns = {kind: asyncio.Semaphore(most) for kind, most in AT_ONCE.items()}

    @property
    def full(self) -> bool:
        """Whether there are as many as may be."""
        return len(self.jobs) >= MOST

    def start(
        self, asked: Mapping[str, Any], folder: Path, source_name: str, about: Mapping[str, Any]
    ) -> Job:
        """Have a process do something as soon as it is its turn.

        Raises:
            DdspError: If there are too many already.
        """
        if self.full:
            raise DdspError(f"there are {MOST} jobs already: remove results that you no longer need")
        job = Job(str(next(self._numbers)), asked, folder, source_name, about)
        self.jobs[job.number] = job
        job.task = asyncio.create_task(self._run(job))
        return job

    def go_on(self, job: Job) -> None:
        """Have a job that was stopped go on as soon as it is its turn.

        Raises:
            DdspError: If it was not.
        """
        if job.state not in BROKEN:
            raise DdspError(f"it cannot go on: it is {job.state}")
        job.state, job.words = "waiting", ""
        job.task = asyncio.create_task(self._run(job))

    async def cancel(self, job: Job) -> None:
        """End a job at once, whatever it does; one that is over stays as it is."""
        if job.task is not None and not job.task.done():
            job.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await job.task

    async def close(self) -> None:
        """End all jobs."""
        for job in list(self.jobs.values()):
            await self.cancel(job)

    async def _run(self, job: Job) -> None:
        kind = str(job.asked["kind"])
        turn = self._turns[kind]
        try:
            job.words = WAITS[kind] if turn.locked() else ""
            async with turn:
                job.state, job.words = "running", ""
                await self._process(job)
        except asyncio.CancelledError:
            job.state, job.words = "cancelled", "cancelled"
        except (OSError, ValueError, KeyError, RuntimeError) as error:  # it told what nobody understands
            job.state, job.words = "failed", without_paths(f"it broke off: {error}", job.folder, "the result")

    async def _process(self, job: Job) -> None:
        env = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1")}
        process = await asyncio.create_subprocess_exec(
            *module_command("ddsp_edge.studio.worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_MOST_LINE,
            env=env,
            start_new_session=True,  # so that what it starts ends with it
        )
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise RuntimeError("a process without pipes")
        errors = asyncio.create_task(_last_of(process.stderr))
        try:
            process.stdin.write(json.dumps(job.asked).encode())
            with contextlib.suppress(ConnectionError):
                await process.stdin.drain()
            process.stdin.close()
            async for line in process.stdout:
                self._hear(job, json.loads(line))
            status = await process.wait()
            told = (await errors).strip().splitlines()
        finally:
            await _end(process, _PATIENCE_S if job.asked["kind"] == "train" else 0.0)
            errors.cancel()
        if job.state == "running":
            job.state = "failed"
            job.words = without_paths(_BROKE_OFF.format(status, told[-1] if told else ""), job.folder, "")

    def _hear(self, job: Job, event: Mapping[str, Any]) -> None:
        if "error" in event:
            source = str(job.asked["source"])
            words = str(event["error"]).replace(source, job.source_name)
            job.state, job.words = "failed", without_paths(words, job.folder, "the result")
        elif "done" in event:
            job.result = event["done"]
            self._hear_live(job, job.result.pop("live", None))
            self._finished(job)
            job.state, job.share, job.words = "done", 1.0, ""
        else:
            job.share, job.words = float(event["progress"]), str(event["words"])
            self._hear_live(job, event.get("live"))

    def _hear_live(self, job: Job, live: dict[str, Any] | None) -> None:
        if live is not None:
            job.live = live
            self._lives(job)


async def _end(process: asyncio.subprocess.Process, patience_s: float) -> None:
    """End a process and all that it started; one that has something to keep is asked first."""
    if process.returncode is None and patience_s:
        process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience_s)
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _last_of(stream: asyncio.StreamReader) -> str:
    """The end of what a stream tells; all of it is read, so that nobody waits."""
    kept = b""
    while data := await stream.read(65_536):
        kept = (kept + data)[-_MOST_ERRORS:]
    return kept.decode(errors="replace")
