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
`NAME=MODULE`, several with commas between them."""

_TASKS = {"instrument": "ddsp_tf.tasks.instrument.task"}
_loaded: dict[str, Any] = {}  # by module


def register(name: str, module: str) -> None:
    """Add a task that lives elsewhere, in this process and those that it starts.

    Args:
        name: As configurations name it.
        module: The module that has it as `TASK`, see `ddsp_tf.tasks.task.Task`.
    """
    os.environ[VARIABLE] = ",".join(f"{n}={m}" for n, m in {**_elsewhere(), name: module}.items())


def task_names() -> tuple[str, ...]:
    """Names of all tasks."""
    return tuple({**_TASKS, **_elsewhere()})


def load_task(name: str) -> Any:
    """Load a task; `ddsp_tf.tasks.task.task_named` is the same with its type.

    Raises:
        DdspError: If there is none of this name.
    """
    places = {**_elsewhere(), **_TASKS}
    if not isinstance(name, str) or name not in places:
        hint = did_you_mean(str(name), list(places))
        raise DdspError(f"task must be one of {', '.join(places)}. Received: {name!r}.{hint}")
    module = places[name]
    if module not in _loaded:
        _loaded[module] = importlib.import_module(module).TASK
    return _loaded[module]


def _elsewhere() -> dict[str, str]:
    pairs = (pair.partition("=") for pair in os.environ.get(VARIABLE, "").split(",") if pair)
    return {name.strip(): module.strip() for name, _, module in pairs}
