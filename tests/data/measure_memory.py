"""Prepare recordings; print the seconds of sound, and MiB of resident memory at its peak.

    python -m tests.data.measure_memory RECORDINGS DATASET [ESTIMATOR CORES]

Prints the seconds, the peak of the main process, that of the largest of its worker processes, and how many of
those there were. With an estimator's name and a number of cores, everything is as in `ddsp-tf prepare` on
such a machine; otherwise pitch is estimated by a double that costs nothing, in two processes.
"""

import resource
import sys
from pathlib import Path
from typing import Any

from ddsp_tf.data import feature_grid, prepare
from ddsp_tf.data.prepare import pool
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.features.f0_estimators import make_f0_estimator
from tests.data.doubles import ConstantEstimator

_UNIT = 1 << (20 if sys.platform == "darwin" else 10)  # of what `getrusage` counts in, a MiB


def _own_peak_mib() -> int:
    """Peak of this process; Linux' `getrusage` would begin with the peak of a test that has TensorFlow."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _UNIT
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    recordings, dataset, *rest = sys.argv[1:]
    estimator: F0Estimator = ConstantEstimator()
    jobs: int | None = 2
    if rest:
        estimator, jobs = make_f0_estimator(rest[0]), None
        pool.usable_cores = lambda: int(rest[1])
    started: list[int] = []

    class CountedPool(pool.ExtractorPool):
        """Remembers how many processes it was told to have."""

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            started.append(self.jobs)

    sys.modules["ddsp_tf.data.prepare.prepare"].ExtractorPool = CountedPool  # type: ignore[attr-defined]
    info = prepare([recordings], dataset, feature_grid(16_000), estimator=estimator, jobs=jobs)
    print(round(info.train_seconds + info.validation_seconds))
    print(_own_peak_mib())
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // _UNIT)
    print(*started)
