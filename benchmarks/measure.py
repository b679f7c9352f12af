"""Time variants side by side in one process, interleaved, and the memory of each in a process of its own."""

import ctypes
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def interleave(variants: Mapping[str, Callable[[], object]], rounds: int = 7) -> dict[str, dict[str, float]]:
    """Run each variant twice to warm up, then all of them in turn, `rounds` times.

    Args:
        variants: What is timed, by name.
        rounds: Integer > 0.

    Returns:
        For each the median and the minimum of CPU time, and the median of wall time, in ms.
    """
    for run in variants.values():
        run()
        run()
    cpu: dict[str, list[float]] = {name: [] for name in variants}
    wall: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, run in variants.items():
            begun, used = time.perf_counter(), time.process_time()
            run()
            cpu[name].append(1e3 * (time.process_time() - used))
            wall[name].append(1e3 * (time.perf_counter() - begun))
    return {
        name: {
            "cpu_ms": statistics.median(cpu[name]),
            "cpu_min_ms": min(cpu[name]),
            "wall_ms": statistics.median(wall[name]),
        }
        for name in variants
    }


def peak_memory_mb(run: Callable[[], object]) -> float:
    """Peak resident memory while `run` runs, above what was resident before, MB. Linux only."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = _status_mb("VmRSS")
    run()
    run()
    return _status_mb("VmHWM") - before


def resident_mb() -> float:
    """Memory of this process now, MB. Linux only."""
    return _status_mb("VmRSS")


BUSY_CORES = 0.1
"""CPU that others may take, cores, for a figure to be one of a quiet machine: what shares caches and memory
with a measurement slows it, and the slower side most."""


class Others:
    """How much CPU everything takes but this process and what it waited for. Linux only."""

    def __init__(self) -> None:
        self._began, self._all, self._own = time.perf_counter(), _busy_s(), _own_s()

    def cores(self) -> float:
        """Cores that others took since this was made, on average; not a number where nobody counts."""
        took = _busy_s() - self._all - (_own_s() - self._own)
        return max(took / (time.perf_counter() - self._began), 0.0)

    def remark(self) -> str:
        """What stands beside figures: empty if the machine was quiet meanwhile."""
        cores = self.cores()
        if cores != cores:
            return "NOT KNOWN TO BE QUIET: what others take is not counted here"
        return f"NOT QUIET: others took {cores:.2f} cores meanwhile" if cores > BUSY_CORES else ""


def require_quiet(anyway: bool, seconds: float = 3.0) -> None:
    """End the program with a sentence if other processes take more than a tenth of a core.

    Args:
        anyway: Say it only.
        seconds: How long to watch.
    """
    others = Others()
    time.sleep(seconds)
    if remark := others.remark():
        if not anyway:
            raise SystemExit(f"{remark}. Figures would be wrong; stop them, or measure with --anyway")
        print(remark, flush=True)


def _busy_s() -> float:
    stat = Path("/proc/stat")
    if not stat.exists():
        return float("nan")
    user, nice, system, _, _, irq, softirq, *_ = map(int, stat.read_text().split("\n", 1)[0].split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    return sum(os.times()[:4])


def _status_mb(key: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024.0
    return float("nan")


def machine() -> str:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    cpu_info = Path("/proc/cpuinfo")
    if cpu_info.exists():
        for line in cpu_info.read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"
