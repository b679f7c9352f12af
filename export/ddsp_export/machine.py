"""What a time was measured on."""

import contextlib
import platform
from pathlib import Path


def machine() -> str:
    """What a time was measured on: kind of processor and, where the system tells, its name."""
    name = platform.processor()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    return f"{platform.machine()}, {name}" if name not in ("", platform.machine()) else platform.machine()
