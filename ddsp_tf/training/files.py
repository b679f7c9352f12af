"""Names of the files of a run, see `ddsp_tf.training.run`."""

from pathlib import Path

CONFIG_NAME = "config.yaml"
LOG_NAME = "log.csv"
EVALUATION_NAME = "evaluation.json"
REPORT_NAME = "report.html"
SOUNDS_NAME = "sounds"
CHECKPOINTS_NAME = "checkpoints"
LOCK_NAME = ".lock"
BEST_NAME = "best.keras"


def model_path(run: Path, task: str) -> Path:
    """Where the newest checkpoint of a run of a task is found."""
    return run / f"{task}.keras"
