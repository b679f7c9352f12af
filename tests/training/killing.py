"""Train, and be killed by SIGKILL at one of the file operations after the first checkpoint.

    python -m tests.training.killing CONFIG DATASET RUN OPERATION

OPERATION counts from 0. An operation counts if it is on a path below RUN.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from ddsp_tf.cli.main import main

OPERATIONS = ("open", "os.rename", "os.link", "os.remove", "os.mkdir")


def die_at(operation: int, run: str) -> None:
    """Arrange for the end of this process."""
    count, one_by_one = 0, threading.Lock()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in OPERATIONS and any(run in str(argument) for argument in arguments[:2]):
            with one_by_one:
                if not any(Path(run).glob("[!.]*.keras")):
                    return
                if count == operation:
                    print(f"killed at {event} {arguments[0]!r}", flush=True)
                    os.kill(os.getpid(), signal.SIGKILL)
                count += 1

    sys.addaudithook(hook)


if __name__ == "__main__":
    config, data, run, operation = sys.argv[1:]
    die_at(int(operation), run)
    sys.exit(main(["train", config, "--data", data, "--out", run, "--no-report"]))
