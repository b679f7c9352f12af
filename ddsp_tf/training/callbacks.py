"""What happens at the end of an epoch: a line in the log, then a checkpoint."""

import csv
import io
import math
import time
from pathlib import Path
from typing import Any

import keras

from ddsp_edge.files import written_whole
from ddsp_tf.errors import DdspError
from ddsp_tf.training.run import LOG_NAME, MODEL_NAME, save_model

COLUMNS = ("step", "epoch", "seconds", "loss", "val_loss", "learning_rate")


class RunLog(keras.callbacks.Callback):
    """Append a line an epoch to `RUN/log.csv`.

    Args:
        run: The run folder.
        steps_done: Integer, training steps up to the last checkpoint; lines after it, which an
            interrupted run may have written, are dropped.

    Raises:
        DdspError: If there is a log that goes on from there, and it is damaged.
    """

    def __init__(self, run: Path, steps_done: int = 0) -> None:
        super().__init__()
        self.path = run / LOG_NAME
        lines = read_log(run) if steps_done else []
        self.rows = [row for row in lines if int(row["step"]) <= steps_done]
        self.seconds_before = float(self.rows[-1]["seconds"]) if self.rows else 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the line."""
        logs = logs or {}
        values: dict[str, Any] = {
            "step": int(self.model.optimizer.iterations),
            "epoch": epoch + 1,
            "seconds": round(self.seconds_before + time.monotonic() - self.started, 3),
            "loss": logs.get("loss", math.nan),
            "val_loss": logs.get("val_loss", math.nan),
            "learning_rate": float(self.model.optimizer.learning_rate),
        }
        self.rows.append({k: str(v) for k, v in values.items()})
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        with written_whole(self.path) as beside:
            beside.write_text(text.getvalue(), encoding="utf-8")


class Checkpoint(keras.callbacks.Callback):
    """Save the model with its optimizer to `RUN/instrument.keras`, beside and renamed."""

    def __init__(self, run: Path) -> None:
        super().__init__()
        self.path = run / MODEL_NAME

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Save."""
        save_model(self.model, self.path)


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """End the run when the loss is no number any more, before a checkpoint is overwritten."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Look at the running mean of the loss."""
        self._check((logs or {}).get("loss", 0.0), f"at batch {batch + 1} of this epoch")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Look at the held-back loss: the epoch's last step may have spoilt the weights."""
        self._check((logs or {}).get("val_loss", 0.0), "on the held-back passages")

    def _check(self, loss: float, where: str) -> None:
        if not math.isfinite(loss):
            raise spoilt(f"the loss is {loss} {where}")


def spoilt(what: str) -> DdspError:
    """The error of a run whose numbers are none any more."""
    return DdspError(
        f"{what}; the checkpoint before it, if there is one, is intact. "
        "A smaller training.learning_rate or training.gradient_norm usually cures it"
    )


def read_log(run: Path) -> list[dict[str, str]]:
    """Read the lines of `RUN/log.csv`; none if there is no log yet.

    Raises:
        DdspError: If a line is not complete, or anything in it is no number.
    """
    path = run / LOG_NAME
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            int(row["step"]), int(row["epoch"]), *(float(row[name]) for name in COLUMNS)
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise DdspError(f"{path} is damaged: every line needs {', '.join(COLUMNS)}, all numbers") from error
    return rows
