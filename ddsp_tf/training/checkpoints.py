"""Checkpoints of a run: written beside and renamed, verified, versioned; the last few and the best are kept.

RUN/checkpoints/step-00000100.keras   the model and its optimizer after 100 steps
RUN/checkpoints/best.keras            that of the lowest loss on held-back passages
RUN/TASK.keras                        the newest, under the name that the other commands read

A file that has two names is stored once, where the file system has hard links. Beside what Keras puts into
a `.keras` file, ours holds `training.json`: the format, the step, and how far the means of an unfinished
epoch have come.
"""

import errno
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras

from ddsp_edge.atomic import written_whole
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.registry import task_names
from ddsp_tf.tasks.task import task_named
from ddsp_tf.training.files import BEST_NAME, CHECKPOINTS_NAME, SOUNDS_NAME, model_path
from ddsp_tf.training.model import TaskModel

FORMAT = 3
"""Of `training.json`. A file of a higher one is refused, and of a lower one, whose rooms are of another scale
(decision 0014); one without `training.json` was saved by plain Keras."""

_STATE_NAME = "training.json"


@dataclass(frozen=True)
class TrainingState:
    """What goes on, beside the weights, the optimizer and the noise, which Keras saves.

    Args:
        step: Integer, steps done.
        means: Values of the variables of all metrics, where an epoch was interrupted; else none.
        format: Integer, of the file.
    """

    step: int
    means: tuple[float, ...] = ()
    format: int = FORMAT


def save_checkpoint(
    model: TaskModel, run: Path, state: TrainingState, *, keep: int, best: bool = False
) -> None:
    """Save a model with its optimizer as the newest checkpoint of a run, and remove the oldest.

    A process that is killed anywhere in here leaves the checkpoints before, and at most one file whose
    name begins with a dot, which nobody reads.

    Args:
        model: The model.
        run: The run folder.
        state: What goes into `training.json`.
        keep: Integer > 0, how many to keep.
        best: Whether this is the best so far.

    Raises:
        OSError: If it cannot be written, or reads back other than it was written.
    """
    folder = run / CHECKPOINTS_NAME
    folder.mkdir(exist_ok=True)
    path = folder / f"step-{state.step:08d}.keras"
    with written_whole(path) as beside:
        _write(model, beside, state)
        if best:  # first: killed after this, a run does the epoch again, with the same result
            _give_name(beside, folder / BEST_NAME)
    _give_name(path, model_path(run, model.task_name))
    for old in checkpoints_of(run)[keep:]:
        old.unlink()


def _write(model: keras.Model, path: Path, state: TrainingState) -> None:
    """Save a model, read every byte of it back, and have it on the disk before this returns."""
    model.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(_STATE_NAME, json.dumps(asdict(state)))
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise OSError(errno.EIO, f"{damaged} in it reads back other than it was written", str(path))
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def checkpoints_of(run: Path) -> list[Path]:
    """The numbered checkpoints of a run, the newest first."""
    return sorted((run / CHECKPOINTS_NAME).glob("step-*.keras"), reverse=True)


def has_checkpoint(run: Path) -> bool:
    """Whether there is anything that a run could go on from."""
    return bool(checkpoints_of(run)) or any(model_path(run, name).exists() for name in task_names())


def load_checkpoint(
    path: Path, *, to_train: bool, task: str | None = None
) -> tuple[TaskModel, TrainingState]:
    """Load a checkpoint whose every checksum is right.

    Args:
        path: The file.
        to_train: Whether to load the optimizer too, and keep the network's half precision, if it has one.
        task: Of which task it is; None where any will do.

    Raises:
        DdspError: If it is damaged, no model of a task, or of a newer version.
    """
    try:
        with zipfile.ZipFile(path) as archive:  # Keras does not look at every checksum
            damaged = archive.testzip()
            if damaged is not None:
                raise zipfile.BadZipFile(f"the checksum of {damaged} is wrong")
            known = _STATE_NAME in archive.namelist()
            values: dict[str, Any] = json.loads(archive.read(_STATE_NAME)) if known else {"format": 0}
        if int(values["format"]) > FORMAT:
            raise DdspError(
                f"{path} is of format {values['format']}, this version of ddsp_tf reads up to {FORMAT}: "
                "update ddsp_tf"
            )
        if known and int(values["format"]) < FORMAT:
            raise DdspError(
                f"{path} was trained by an earlier version of ddsp_tf, whose rooms have another scale: train "
                "it again"
            )
        kinds = [task_named(name) for name in (task_names() if task is None else (task,))]
        classes = tuple(kind.model_class for kind in kinds)  # Keras finds those that are loaded
        model = keras.models.load_model(path, compile=to_train)
        if not isinstance(model, classes):
            nouns = " or ".join(kind.command.noun for kind in kinds)
            raise DdspError(f"{path} holds a {type(model).__name__}, not {nouns}")
        if not to_train:
            model = model.in_float32()
        if known:
            return model, TrainingState(int(values["step"]), tuple(map(float, values["means"])))
        return model, TrainingState(int(model.optimizer.iterations) if to_train else 0, format=0)
    except DdspError as error:
        if str(path) in str(error):
            raise
        raise _damaged(path, error) from error
    except Exception as error:
        raise _damaged(path, error) from error


def load_newest(run: Path, task: str, tell: Callable[[str], None]) -> tuple[TaskModel, TrainingState]:
    """Load the newest checkpoint of a run that is not damaged, to be trained on.

    Args:
        run: The run folder.
        task: Its task.
        tell: Called with a sentence for each one that is damaged.

    Raises:
        DdspError: If there is none, naming what is wrong with the newest.
    """
    first: DdspError | None = None
    for path in [*checkpoints_of(run), model_path(run, task)]:
        if not path.exists():
            continue
        try:
            return load_checkpoint(path, to_train=True, task=task)
        except DdspError as error:
            first = first or error
            tell(f"{error}; looking for the one before it")
    raise first or DdspError(f"{run} has no checkpoint")


def _damaged(path: Path, error: Exception) -> DdspError:
    detail = " ".join(str(error).split())[:200]
    return DdspError(f"{path} is damaged, or of another version of ddsp_tf: {detail}")


def remove_leftovers(run: Path) -> None:
    """Remove what a killed process left half written."""
    for folder in (run, run / CHECKPOINTS_NAME, run / SOUNDS_NAME):
        for path in folder.glob(".*.part*"):
            path.unlink()


def _give_name(source: Path, name: Path) -> None:
    """Let a file be known by one more name, in place of what had it."""
    with written_whole(name) as beside:
        beside.unlink(missing_ok=True)
        try:
            os.link(source, beside)
        except OSError:  # a file system without hard links, or another one
            shutil.copyfile(source, beside)
