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

_TASKS = {
    "content": "ddsp_tf.tasks.content",
    "instrument": "ddsp_tf.tasks.instrument",
    "pitch": "ddsp_tf.tasks.pitch",
    "restoration": "ddsp_tf.tasks.restoration",
    "transcription": "ddsp_tf.tasks.transcription",
    "voice": "ddsp_tf.tasks.voice",
}


def register(name: str, package: str) -> None:
    """Add a task that lives elsewhere, in this process and those that it starts.

    Args:
        name: As configurations name it.
        package: Its package, with the modules `task`, which has a `ddsp_tf.tasks.task.Task` as `TASK`, and
            `command`, which has a `ddsp_tf.tasks.command.Command` as `COMMAND`.

    Raises:
        DdspError: If a task of the library has this name, or one of the two is empty or holds `,` or `=`.
    """
    if name in _TASKS:
        raise DdspError(f"there is a task {name!r} in ddsp_tf already: give yours another name")
    if not all(part and not set(part) & set(",=") for part in (name.strip(), package.strip())):
        raise DdspError(f"a task has a name and a package, without , and =. Received: {name!r}, {package!r}")
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
        DdspError: If there is no such task, or its package cannot be found.
    """
    places = {**_elsewhere(), **_TASKS}
    if not isinstance(name, str) or name not in places:
        hint = did_you_mean(str(name), list(places))
        raise DdspError(f"task must be one of {', '.join(places)}. Received: {name!r}.{hint}")
    path = f"{places[name]}.{module}"
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise
        raise DdspError(
            f"task {name!r} has no module {path} ({error.name} is missing): {VARIABLE} says where it lives"
        ) from error


def _elsewhere() -> dict[str, str]:
    found = {}
    for pair in filter(None, os.environ.get(VARIABLE, "").split(",")):
        name, _, package = (part.strip() for part in pair.partition("="))
        if not name or not package:
            raise DdspError(
                f"{VARIABLE} must be NAME=PACKAGE, several with commas between. Received: {pair!r}"
            )
        found[name] = package
    return found
