"""A callback that watches the branches of a processor group: that every one of them lives."""

import math
from collections.abc import Callable, Mapping

import keras

from ddsp_tf.layers.branches import branch_kinds
from ddsp_tf.training.group_model import RECORDING, level_name
from ddsp_tf.training.watch import Logs

SILENT_DB = {"tonal": 60.0, "noise": 90.0, "other": 60.0}
"""How far below the recordings a synth is not heard. Noise begins some 70 dB below and may be all but absent;
90 dB below it is under the noise of 16 bits."""
SWALLOWED_DB = 6.0
"""Noise that far above the harmonics covers them, and so do echoes that far above what is played."""


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
