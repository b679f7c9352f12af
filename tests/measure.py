"""Run a command; print the time it took and the most memory that all its processes held together. Linux only.

    python -m tests.measure make test

Memory is the sum of the proportional set sizes (PSS: pages that processes share count once) of the command
and of every process that it started, directly or not, looked at twice a second. CPU time is that of all of
them.
The status is that of the command.
"""

import contextlib
import ctypes
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

INTERVAL_S = 0.5
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def processes_below(ancestor: int) -> list[int]:
    """All descendants of a process that are there now."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text()
            except OSError:  # it has ended
                continue
            parent = int(status[status.rindex(")") + 1 :].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, rest = [], [ancestor]
    while rest:
        below = children.get(rest.pop(), [])
        found += below
        rest += below
    return found


def memory_mib(process: int) -> float:
    """Proportional set size of a process, 0 once it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def name_of(process: int) -> str:
    """The command line of a process, shortened."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "?"
    return " ".join(b" ".join(words).decode(errors="replace").split())[:100]


def reap() -> None:
    """Take note of all children that have ended."""
    with contextlib.suppress(ChildProcessError):  # there are none
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main(command: list[str]) -> int:
    # Whoever is left without a parent becomes a child of this process, and is counted on.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started, peak, held = time.monotonic(), 0.0, []
    program = subprocess.Popen(command)
    while program.poll() is None:
        now = {process: memory_mib(process) for process in processes_below(os.getpid())}
        if sum(now.values()) > peak:
            peak = sum(now.values())
            held = sorted(((size, name_of(process)) for process, size in now.items()), reverse=True)
        time.sleep(INTERVAL_S)
    wall = time.monotonic() - started
    reap()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    print(
        f"{wall:.0f} s, {cpu:.0f} s of CPU, at most {peak:.0f} MiB in {len(held)} processes:", file=sys.stderr
    )
    for size, name in held[:8]:
        print(f"  {size:6.0f} MiB  {name}", file=sys.stderr)
    if left := processes_below(os.getpid()):
        print(f"{len(left)} processes were left behind:", *map(name_of, left), sep="\n  ", file=sys.stderr)
    return program.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
