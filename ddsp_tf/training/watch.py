"""Callbacks that watch a run: how far and how fast it is, and that its numbers are numbers."""

import math
import time
from collections.abc import Mapping

import keras

from ddsp_tf.errors import DdspError
from ddsp_tf.training.model import TaskModel

SPEED = "audio_s_per_s"

Logs = dict[str, float]


class Steps(keras.callbacks.Callback):
    """Count training steps; other callbacks ask it. Optimizers that skip steps (float16) count others.

    Args:
        done: Integer, steps that were done before.
    """

    def __init__(self, done: int) -> None:
        super().__init__()
        self.done = done

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Count."""
        self.done += 1


class Speed(keras.callbacks.Callback):
    """Report seconds of audio trained a second, as `audio_s_per_s`, without the step that compiles.

    Args:
        seconds_per_step: Float > 0, seconds of audio in a batch.
    """

    def __init__(self, seconds_per_step: float) -> None:
        super().__init__()
        self.seconds_per_step = seconds_per_step
        self._steps, self._elapsed, self._begun = 0, 0.0, math.nan

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start anew."""
        self._steps, self._elapsed, self._begun = 0, 0.0, math.nan

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Add to what the progress bar shows."""
        now = time.perf_counter()
        if not math.isnan(self._begun):  # the first step of an epoch waits for data, the very first compiles
            self._steps, self._elapsed = self._steps + 1, self._elapsed + now - self._begun
        self._begun = now
        self._report(logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add to what is logged."""
        self._report(logs)

    def _report(self, logs: Logs | None) -> None:
        if logs is not None and self._steps:
            logs[SPEED] = self._steps * self.seconds_per_step / max(self._elapsed, 1e-9)


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """End the run when the loss is no number any more, before a checkpoint is overwritten.

    Args:
        steps: Counts the steps, for the message.
    """

    def __init__(self, steps: Steps | None = None) -> None:
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the running means of the loss and its terms."""
        where = f"at batch {batch + 1} of this epoch"
        self._check(logs or {}, "", where if self.steps is None else f"{where}, step {self.steps.done}")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the held-back loss: the epoch's last step may have spoilt the weights."""
        self._check(logs or {}, "val_", "on the held-back passages")

    def _check(self, logs: Mapping[str, float], prefix: str, where: str) -> None:
        loss = logs.get(f"{prefix}loss", 0.0)
        if math.isfinite(loss):
            return
        terms = [name for name in self._terms() if not math.isfinite(logs.get(prefix + name, 0.0))]
        named = f" by its term{'s' if len(terms) > 1 else ''} {', '.join(terms)}" if terms else ""
        raise spoilt(f"the loss is {loss} {where}{named}")

    def _terms(self) -> list[str]:
        return self.model.term_names if isinstance(self.model, TaskModel) else []


def spoilt(what: str) -> DdspError:
    """The error of a run whose numbers are none any more."""
    return DdspError(
        f"{what}; the checkpoint before it, if there is one, is intact. "
        "A smaller training.learning_rate or training.gradient_norm usually cures it"
    )
