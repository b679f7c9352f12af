"""Prepare recordings with a cheap estimator; print the seconds and the peaks of resident memory in MiB.

    python -m tests.data.measure_memory RECORDINGS DATASET

Memory is that of the main process, and of the largest of its workers.
"""

import resource
import sys

from ddsp_tf.data import feature_grid, prepare
from tests.data.doubles import ConstantEstimator

if __name__ == "__main__":
    info = prepare([sys.argv[1]], sys.argv[2], feature_grid(16_000), estimator=ConstantEstimator(), jobs=2)
    unit = 1 << (20 if sys.platform == "darwin" else 10)
    print(round(info.train_seconds + info.validation_seconds))
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        print(resource.getrusage(who).ru_maxrss // unit)
