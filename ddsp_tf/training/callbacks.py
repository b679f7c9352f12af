"""What happens at the end of an epoch: a line in the log, then a checkpoint."""

import csv
import io
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ddsp_edge.atomic import written_whole
from ddsp_tf.errors import DdspError
from ddsp_tf.training.checkpoints import TrainingState, checkpoints_of, save_checkpoint
from ddsp_tf.training.files import LOG_NAME
from ddsp_tf.training.interruption import Interruption, Stopped
from ddsp_tf.training.watch import Steps

COLUMNS = ("step", "epoch", "seconds", "loss", "val_loss", "learning_rate")


class RunLog(keras.callbacks.Callback):
    """Append a line an epoch to `RUN/log.csv`: `COLUMNS`, then whatever else the logs hold.

    Args:
        run: The run folder.
        steps: Counts the steps. Lines after those that are done when a run begins, which an interrupted
            run may have written, are dropped.

    Raises:
        DdspError: If there is a log that goes on from there, and it is damaged or cannot be written.
    """

    def __init__(self, run: Path, steps: Steps) -> None:
        super().__init__()
        self.path, self.steps = run / LOG_NAME, steps
        lines = read_log(run) if steps.done else []
        self.rows = [row for row in lines if int(row["step"]) <= steps.done]
        if len(self.rows) < len(lines):
            self._write()
        self.seconds_before = float(self.rows[-1]["seconds"]) if self.rows else 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the line."""
        logs = logs or {}
        values: dict[str, Any] = {
            "step": self.steps.done,
            "epoch": epoch + 1,
            "seconds": round(self.seconds_before + time.monotonic() - self.started, 3),
            "loss": logs.get("loss", math.nan),
            "val_loss": logs.get("val_loss", math.nan),
            "learning_rate": float(self.model.optimizer.learning_rate),
        }
        values.update({name: value for name, value in logs.items() if name not in values})
        self.rows.append({k: str(v) for k, v in values.items()})
        self._write()

    def _write(self) -> None:
        columns = dict.fromkeys([*COLUMNS, *(name for row in self.rows for name in row)])
        text = io.StringIO()
        writer = csv.DictWriter(text, list(columns), restval="nan", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        try:
            with written_whole(self.path) as beside:
                beside.write_text(text.getvalue(), encoding="utf-8")
        except OSError as error:
            raise unwritable(self.path.parent, error) from error

    @property
    def last_is_best(self) -> bool:
        """Whether no epoch before the last had as low a loss on held-back passages."""
        *before, last = [float(row["val_loss"]) for row in self.rows]
        return all(last < loss for loss in before)


class Checkpoint(keras.callbacks.Callback):
    """Save the model with its optimizer after every epoch, and where somebody stops the run.

    Args:
        run: The run folder.
        steps: Counts the steps.
        log: The log, which has the line of this epoch already and says whether it is the best.
        keep: Integer > 0, how many checkpoints to keep beside the best.
        interruption: What tells that the run is to stop.
        means: Of the metrics, in an epoch that was interrupted: the first epoch goes on from there.
    """

    def __init__(
        self,
        run: Path,
        steps: Steps,
        log: RunLog,
        keep: int,
        interruption: Interruption,
        means: Sequence[float] = (),
    ) -> None:
        super().__init__()
        self.run, self.steps, self.log, self.keep = run, steps, log, keep
        self.interruption, self.means = interruption, means

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Put the means back where an interrupted epoch left them."""
        if self.means:
            for variable, value in zip(self._means(), self.means, strict=True):
                variable.assign(np.reshape(value, variable.shape))
            self.means = ()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Save and stop, if somebody asked for it and the epoch is not over anyway."""
        if self.interruption.asked and batch + 1 < self.params["steps"]:
            self._save(tuple(float(v.numpy()) for v in self._means()))
            raise Stopped

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Save."""
        self._save(best=self.log.last_is_best)
        if self.interruption.asked:
            raise Stopped

    def _means(self) -> list[Any]:
        return [variable for metric in self.model.metrics for variable in metric.variables]

    def _save(self, means: tuple[float, ...] = (), best: bool = False) -> None:
        state = TrainingState(self.steps.done, means)
        try:
            save_checkpoint(self.model, self.run, state, keep=self.keep, best=best)
        except OSError as error:
            raise unwritable(self.run, error) from error


class StopWhenAsked(keras.callbacks.Callback):
    """Stop at the next step, where another process writes the checkpoints.

    Args:
        interruption: What tells that the run is to stop.
    """

    def __init__(self, interruption: Interruption) -> None:
        super().__init__()
        self.interruption = interruption

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Stop."""
        if self.interruption.asked:
            raise Stopped


def unwritable(run: Path, error: OSError) -> DdspError:
    """The error of a run that cannot be written any more: a disk that is full, or gone."""
    newest = sorted(run.glob("[!.]*.keras"))
    good = next(iter([*checkpoints_of(run), *newest]), None)
    left = (
        f"the last good checkpoint is {good.name}, which is intact" if good else "there is no checkpoint yet"
    )
    return DdspError(
        f"{run} cannot be written: {error.strerror or error}; {left}. Make room, and go on with --resume"
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
