"""Callbacks that watch a run: how fast it is, that its numbers are numbers, and that every branch lives."""

import math
import time
from collections.abc import Callable, Mapping

import keras

from ddsp_tf.errors import DdspError
from ddsp_tf.layers.branches import branch_kinds
from ddsp_tf.training.observed import RECORDING, ObservedModel, level_name

SPEED = "audio_s_per_s"
SILENT_DB = {"tonal": 60.0, "noise": 90.0, "other": 60.0}
"""How far below the recordings a synth is not heard. Noise begins some 70 dB below and may be all but absent;
90 dB below it is under the noise of 16 bits."""
SWALLOWED_DB = 6.0
"""Noise that far above the harmonics covers them, and so do echoes that far above what is played."""

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
        return self.model.term_names if isinstance(self.model, ObservedModel) else []


def spoilt(what: str) -> DdspError:
    """The error of a run whose numbers are none any more."""
    return DdspError(
        f"{what}; the checkpoint before it, if there is one, is intact. "
        "A smaller training.learning_rate or training.gradient_norm usually cures it"
    )


class BranchWatch(keras.callbacks.Callback):
    """Warn when a synth falls silent or noise or echoes cover the harmonics, from the second epoch on.

    A warning is told when it begins, not in every epoch.

    Args:
        tell: Called with a sentence.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self.tell = tell
        self._known: set[str] = set()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the levels."""
        if epoch == 0 or RECORDING not in (logs or {}):
            return
        warnings = branch_warnings(branch_kinds(self.model.processors), logs or {})
        for key, sentence in warnings.items():
            if key not in self._known:
                self.tell(f"warning, epoch {epoch + 1}: {sentence}")
        self._known = set(warnings)


def branch_warnings(kinds: Mapping[str, str], logs: Mapping[str, float]) -> dict[str, str]:
    """What is wrong with the levels of an epoch: sentences by a key that stays the same.

    Args:
        kinds: Of the branches, by name; see `ddsp_tf.layers.branches`.
        logs: Levels in dB under their names.
    """
    level = {name: logs[level_name(name)] for name in kinds if level_name(name) in logs}
    recording = logs[RECORDING]
    said = {}
    for name, kind in kinds.items():
        if kind in SILENT_DB and name in level and level[name] < recording - SILENT_DB[kind]:
            said[f"silent {name}"] = (
                f"the branch {name!r} has fallen silent, {level[name]:.0f} dB beside recordings of "
                f"{recording:.0f} dB: nothing is learned by it any more. Start again with another "
                "training.seed or a smaller training.learning_rate; leave it out if the instrument needs none"
            )
    tonal, noise = (_sum_db([level[n] for n in level if kinds[n] == kind]) for kind in ("tonal", "noise"))
    if tonal is not None and noise is not None and noise > tonal + SWALLOWED_DB:
        said["swallowed"] = (
            f"noise is {noise - tonal:.0f} dB louder than the harmonics and covers them. Check the pitch "
            "track of the dataset; a loss.consistency_weight keeps the two apart"
        )
    dry = _sum_db([level[name] for name in level if kinds[name] != "room"])
    room = _sum_db([level[name] for name in level if kinds[name] == "room"])
    if dry is not None and room is not None and room > dry + SWALLOWED_DB:
        said["room"] = (
            f"the echoes of the room are {room - dry:.0f} dB louder than what is played in it: it has "
            "learned what the synths should have. A shorter room (length_samples) or a smaller "
            "training.learning_rate helps"
        )
    return said


def _sum_db(levels: list[float]) -> float | None:
    """Level of the sum of signals that have nothing to do with each other."""
    if not levels:
        return None
    return 10.0 * math.log10(sum(10.0 ** (level / 10.0) for level in levels))
