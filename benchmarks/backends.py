"""What an instrument costs with each backend of `ddsp_edge.Instrument`, on one thread.

    python benchmarks/backends.py INSTRUMENT.tflite ...

Each in a process of its own: CPU time to load, memory that it takes, and seconds of sound for a second of CPU
time, the best of five rounds, in blocks of a hop, of about 100 ms and of a second.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.measure import require_quiet

BACKENDS = ("play", "step", "numpy")
ROUNDS, SECONDS = 5, 4.0
BLOCKS = {"a hop": 0.0, "100 ms": 0.1, "1 s": 1.0}


def memory_mb() -> float:
    """What the process has in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(path: str, backend: str) -> dict[str, float]:
    """Figures of one backend, by name."""
    import numpy as np

    from ddsp_edge.instrument import Instrument
    from ddsp_edge.model.runtimes import has_litert

    has_litert()  # imported, as numpy is: what is measured is the instrument
    before, began = memory_mb(), time.process_time()
    instrument = Instrument(path, seed=0, backend=backend)
    figures = {"load, ms": 1e3 * (time.process_time() - began)}
    frames = instrument.spec.frames_for(SECONDS)
    at = np.arange(frames)
    f0_hz = instrument.card.f0_hz_range.median * 2.0 ** (np.sin(at / 10.0) / 12.0)
    loudness_db = instrument.card.loudness_db_range.median + 5.0 * np.sin(at / 20.0)
    instrument.process(f0_hz[:1], loudness_db[:1])
    figures["memory, MB"] = memory_mb() - before
    for name, seconds in BLOCKS.items():
        size = max(1, instrument.spec.frames_for(seconds))
        best = np.inf
        for _ in range(ROUNDS):
            began = time.process_time()
            for start in range(0, frames, size):
                instrument.process(f0_hz[start : start + size], loudness_db[start : start + size])
            best = min(best, time.process_time() - began)
        figures[f"real time, {name}"] = instrument.spec.seconds(frames) / best
    return figures


def main(paths: list[str]) -> None:
    """Print a table for each file."""
    for path in paths:
        print(path)
        for backend in BACKENDS:
            command = [sys.executable, __file__, "--measure", path, backend]
            one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, env=one_thread, capture_output=True, text=True, check=True)
            figures = json.loads(done.stdout.splitlines()[-1])
            print(f"  {backend:<6}" + "".join(f"  {name} {value:.0f}" for name, value in figures.items()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(*sys.argv[2:])))
    elif files := [argument for argument in sys.argv[1:] if argument != "--anyway"]:
        require_quiet("--anyway" in sys.argv)
        main(files)
    else:
        sys.exit(__doc__)
