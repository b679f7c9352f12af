"""A run: the folder that training writes and everything else reads.

RUN/config.yaml        the configuration, complete
RUN/instrument.keras   the model at the last checkpoint, with its optimizer
RUN/checkpoints/       the last checkpoints, and the best
RUN/log.csv            one line an epoch
RUN/reference.npz      a little held-back sound, which `export` measures against
RUN/excerpts.npz       features of a little training sound, which `export` measures ranges on
RUN/evaluation.json    what `evaluate` measured
"""

from pathlib import Path

from ddsp_edge.atomic import written_whole
from ddsp_tf.config import Config, read_settings
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.training.checkpoints import MODEL_NAME, has_checkpoint, load_checkpoint

CONFIG_NAME = "config.yaml"
LOG_NAME = "log.csv"


def refuse_used_folder(run: Path) -> None:
    """Raise `DdspError` if a folder holds the checkpoint of a run, or is none."""
    if run.exists() and not run.is_dir():
        raise DdspError(f"{run} is a file; name a folder to write the run into")
    if has_checkpoint(run):
        raise DdspError(f"{run} holds a run already: go on with --resume, or name another folder")


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


def load_model_of_run(run: Path, *, to_train: bool = False) -> Autoencoder:
    """Load the model of a run at its last checkpoint.

    Args:
        run: The run folder.
        to_train: Whether to load the optimizer too.

    Raises:
        DdspError: If there is no checkpoint, or it is damaged or not of this version.
    """
    load_config_of_run(run)
    path = run / MODEL_NAME
    if not path.is_file():
        raise DdspError(f"{run} has no checkpoint ({MODEL_NAME}): train it first, for one epoch at least")
    return load_checkpoint(path, to_train=to_train)[0]
