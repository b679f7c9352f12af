"""What a run keeps of its data, to compare exported files on: bands of a few clips of each split."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddsp_edge.features.log_mel import N_MELS
from ddsp_edge.units import Array
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.content.config import ContentConfig
from ddsp_tf.tasks.content.examples import PhoneExamples
from ddsp_tf.training.kept import load_kept, save_kept

REFERENCE_NAME = "reference.npz"
_CLIPS = 6  # of each split


@dataclass(frozen=True)
class Reference:
    """Log-mel bands `[frames, 40]` of held-back speech, and of training speech."""

    held_back: Array
    trained: Array


def save_reference(config: ContentConfig, data: Path, run: Path, on_damage: OnDamage | None) -> None:
    """Keep a few clips of each split in a run."""
    kept = {}
    for name, split in (("held_back", "validation"), ("trained", "train")):
        examples = PhoneExamples(data, split, config, on_damage)
        count = len(examples.places)
        clips = [examples.place(int(i), 0) for i in np.linspace(0, count - 1, min(_CLIPS, count))]
        kept[name] = np.concatenate(examples.stack(clips)[0]["log_mel"]).astype(np.float16)
    save_kept(run / REFERENCE_NAME, kept)


def load_reference(run: Path) -> Reference:
    """Read what a run kept.

    Raises:
        DdspError: If there is nothing, or it is damaged.
    """
    path = run / REFERENCE_NAME
    stored = load_kept(
        path, ("held_back", "trained"), ": go on with `ddsp-tf train --resume`, which writes it"
    )
    held_back, trained = (np.asarray(values, np.float32) for values in stored.values())
    for values in (held_back, trained):
        if values.ndim != 2 or values.shape[1] != N_MELS or not np.isfinite(values).all():
            raise DdspError(f"{path} is damaged: it holds no bands")
    return Reference(held_back, trained)
