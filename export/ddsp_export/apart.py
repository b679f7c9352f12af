"""Work in a process of its own: what dies there is an error in words here, and TensorFlow stays here."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.children import module_command
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError

PLAY_TIMEOUT_S = 600
_LONGEST = 300  # characters of what a process said last
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run_apart(
    who: str, command: Sequence[str], timeout_s: float, environment: Mapping[str, str] | None = None
) -> None:
    """Run a program to its end.

    Args:
        who: What it is, for errors, such as `"the converter"`.
        command: The program and its arguments.
        timeout_s: Longest time it may take, s.
        environment: Variables beside those of this process.

    Raises:
        DdspError: If it does not end in time, dies, or ends with an error, with what it said last.
    """
    try:
        done = subprocess.run(
            list(command),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            env={**os.environ, **(environment or {})},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DdspError(f"{who} did not end within {timeout_s:g} s") from error
    if not done.returncode:
        return
    last = (done.stderr.strip().splitlines() or ["without a word"])[-1][:_LONGEST]
    if done.returncode < 0:
        raise DdspError(f"{who} died of {signal.Signals(-done.returncode).name}: {last}")
    raise DdspError(last.removeprefix("error: "))


def play_apart(module: str, path: Path, given: Mapping[str, Array], failing: str) -> dict[str, Array]:
    """Play a file in a process that cannot import TensorFlow, on one thread.

    Args:
        module: What plays it: `python -m MODULE FILE GIVEN.npz RESULT.npz`.
        path: The file.
        given: What is played, arrays by name.
        failing: What is to be said of a file that does not play, such as `"the file does not play"`.

    Returns:
        What came out, arrays by name.

    Raises:
        DdspError: If it does not play.
    """
    with tempfile.TemporaryDirectory() as folder:
        inputs, result = Path(folder) / "given.npz", Path(folder) / "result.npz"
        arrays: dict[str, Any] = dict(given)
        np.savez(inputs, **arrays)
        command = module_command(module, str(path), str(inputs), str(result))
        try:
            run_apart("the process that played it", command, PLAY_TIMEOUT_S, _ONE_THREAD)
        except DdspError as error:
            raise DdspError(f"{failing}: {error}") from error
        with np.load(result) as values:
            return dict(values)
