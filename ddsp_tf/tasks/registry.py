"""Which tasks there are, and where each lives.

A task is a folder and a line here. It is loaded when it is asked for, so that nothing that all tasks share
needs any of them.
"""

import importlib
import os
from typing import Any

from ddsp_tf.errors import DdspError, did_you_mean

DEFAULT_TASK = "instrument"
"""The task of configurations that name none."""

VARIABLE = "DDSP_TF_TASKS"
"""Environment variable that names tasks which live elsewhere, for this process and those that it starts:
`NAME=PACKAGE`, several with commas between them."""

_TASKS = {"instrument": "ddsp_tf.tasks.instrument"}


def register(name: str, package: str) -> None:
    """Add a task that lives elsewhere, in this process and those that it starts.

    Args:
        name: As configurations name it.
        package: Its package, with the modules `task`, which has a `ddsp_tf.tasks.task.Task` as `TASK`, and
            `command`, which has a `ddsp_tf.tasks.command.Command` as `COMMAND`.
    """
    os.environ[VARIABLE] = ",".join(f"{n}={p}" for n, p in {**_elsewhere(), name: package}.items())


def task_names() -> tuple[str, ...]:
    """Names of all tasks."""
    return tuple({**_TASKS, **_elsewhere()})


def load(name: str, module: str) -> Any:
    """Load a module of a task.

    Args:
        name: Of the task.
        module: `"task"` or `"command"`.

    Raises:
        DdspError: If there is no such task.
    """
    places = {**_elsewhere(), **_TASKS}
    if not isinstance(name, str) or name not in places:
        hint = did_you_mean(str(name), list(places))
        raise DdspError(f"task must be one of {', '.join(places)}. Received: {name!r}.{hint}")
    return importlib.import_module(f"{places[name]}.{module}")


def _elsewhere() -> dict[str, str]:
    pairs = (pair.partition("=") for pair in os.environ.get(VARIABLE, "").split(",") if pair)
    return {name.strip(): package.strip() for name, _, package in pairs}
