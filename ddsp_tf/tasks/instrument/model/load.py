"""The model of a run that has to be an instrument."""

from pathlib import Path
from typing import cast

from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.training.run import load_model_of_run


def load_instrument(run: Path) -> Autoencoder:
    """Load the instrument of a run at its last checkpoint.

    Raises:
        DdspError: As `ddsp_tf.training.run.load_model_of_run`, or if the run is of another task.
    """
    return cast("Autoencoder", load_model_of_run(run, task="instrument"))
