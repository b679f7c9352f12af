"""A run: the folder that training writes and everything else reads.

RUN/config.yaml        the configuration, complete
RUN/TASK.keras         the model at the last checkpoint, with its optimizer: `instrument.keras`
RUN/checkpoints/       the last checkpoints, and the best
RUN/log.csv            one line an epoch
RUN/sounds/            a held-back passage and its newest resynthesis, where that was asked for
RUN/evaluation.json    what `evaluate` measured
RUN/report.html        what the run has come to

A task keeps more, such as a little of its data, which `export` measures against.
"""

import contextlib
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from ddsp_edge.atomic import written_whole
from ddsp_tf.config.files import read_settings
from ddsp_tf.config.sections import Config
from ddsp_tf.errors import DdspError
from ddsp_tf.locks import FolderLock
from ddsp_tf.tasks.task import Task, task_named
from ddsp_tf.training.checkpoints import has_checkpoint, load_checkpoint
from ddsp_tf.training.files import CONFIG_NAME, LOCK_NAME, model_path
from ddsp_tf.training.model import TaskModel


def refuse_used_folder(run: Path) -> None:
    """Raise `DdspError` if a folder holds the checkpoint of a run, or is none."""
    if run.exists() and not run.is_dir():
        raise DdspError(f"{run} is a file; name a folder to write the run into")
    if has_checkpoint(run):
        raise DdspError(f"{run} holds a run already: go on with --resume, or name another folder")


@contextlib.contextmanager
def writing(run: Path, *, new: bool) -> Iterator[None]:
    """Keep others from writing a run; a folder that is made for it and stays empty is removed.

    Args:
        run: The run folder.
        new: Whether it is made if it is not there.

    Raises:
        DdspError: If another process writes it, or it cannot be written.
    """
    if run.exists() and not run.is_dir():
        words = "; name a folder to write the run into" if new else ", not a run folder"
        raise DdspError(f"{run} is a file{words}")
    if not run.exists() and not new:
        yield  # whoever goes on is told that there is nothing
        return
    made = [path for path in (run, *run.parents) if not path.exists()]
    try:
        try:
            run.mkdir(parents=True, exist_ok=True)
            lock = FolderLock(run, run / LOCK_NAME, "another training")
        except OSError as error:
            raise DdspError(f"the run folder {run} cannot be written: {error.strerror}") from error
        with lock:
            yield
    finally:
        for folder in made:
            with contextlib.suppress(OSError):  # it is not empty
                folder.rmdir()


def make_run_folder(run: Path, config: Config) -> None:
    """Create the folder of a new run with its configuration.

    Raises:
        DdspError: If it holds a run already, or cannot be written.
    """
    refuse_used_folder(run)
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DdspError(f"the run folder {run} cannot be written: {error.strerror}") from error
    save_config(run, config)


def save_config(run: Path, config: Config) -> None:
    """Write the configuration of a run, beside and renamed.

    Raises:
        DdspError: If the folder cannot be written.
    """
    try:
        with written_whole(run / CONFIG_NAME) as beside:
            beside.write_text(config.to_yaml(), encoding="utf-8")
    except OSError as error:
        raise DdspError(f"the run folder {run} cannot be written: {error.strerror}") from error


def load_config_of_run(run: Path) -> Config:
    """Read the configuration that a run was started with.

    Raises:
        DdspError: If `run` is no run folder, or its configuration is not valid.
    """
    if not run.exists():
        raise DdspError(f"{run}: no such run folder")
    if not run.is_dir():
        raise DdspError(f"{run} is a file, not a run folder")
    path = run / CONFIG_NAME
    if not path.is_file():
        raise DdspError(f"{run} is no run folder: it has no {CONFIG_NAME}")
    return Config.from_dict(read_settings(path), str(path))


def task_of_run(run: Path) -> Task:
    """The task of a run.

    Raises:
        DdspError: If `run` is no run folder, or its configuration is not valid.
    """
    return task_named(load_config_of_run(run).task)


def load_model_of_run(run: Path, *, to_train: bool = False, task: str | None = None) -> TaskModel:
    """Load the model of a run at its last checkpoint.

    Args:
        run: The run folder.
        to_train: Whether to load the optimizer too.
        task: Of which task it has to be; None where any will do.

    Raises:
        DdspError: If there is no checkpoint, it is damaged or not of this version, or of another task.
    """
    found = load_config_of_run(run).task
    if task not in (None, found):
        of = task_named(found)
        raise DdspError(f"{run} holds {of.command.noun}: `ddsp-tf {of.command.word}` uses it")
    path = model_path(run, found)
    if not path.is_file():
        raise DdspError(f"{run} has no checkpoint ({path.name}): train it first, for one epoch at least")
    return load_checkpoint(path, to_train=to_train, task=found)[0]


def take_weights(model: TaskModel, run: Path) -> None:
    """Give a model the weights of another run, at its last checkpoint.

    Args:
        model: Which is to be trained.
        run: The other run, of the same task, with the same weights of the same sizes.

    Raises:
        DdspError: As `load_model_of_run`, or naming the first weight that does not fit.
    """
    other = load_model_of_run(run, task=model.task_name)
    for weight, given in zip_longest(model.weights, other.weights):
        have, want = (None if w is None else list(w.shape) for w in (given, weight))
        if have != want:
            path = (given if weight is None else weight).path
            raise DdspError(
                f"the weights of {run} do not fit this configuration: {path} is {have or 'not there'}, and "
                f"is to be {want or 'not there'}. Train with {run / CONFIG_NAME}, in which settings of data, "
                "training and loss may be others"
            )
    model.set_weights(other.get_weights())
