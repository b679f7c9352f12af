"""What a run keeps of its data, to compare exported files on: spectra of two mixtures, and their notes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddsp_edge.transcription.spectra import N_BINS, log_spectra
from ddsp_edge.units import Array
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.transcription.config import TranscriptionConfig
from ddsp_tf.tasks.transcription.examples import MixtureExamples
from ddsp_tf.training.kept import load_kept, save_kept

REFERENCE_NAME = "reference.npz"
_MIXTURES = 3  # of each split


@dataclass(frozen=True)
class Reference:
    """Spectra `[frames, 288, 2]` of mixtures of held-back recordings, and of training recordings."""

    held_back: Array
    trained: Array


def save_reference(data: Path, run: Path, config: TranscriptionConfig, on_damage: OnDamage | None) -> None:
    """Keep a few mixtures of each split in a run."""
    kept = {}
    for name, split in (("held_back", "validation"), ("trained", "train")):
        examples = MixtureExamples(data, split, config, on_damage)
        count = len(examples.fitting())
        clips = [examples.place(int(i), 0) for i in np.linspace(0, count - 1, _MIXTURES)]
        found = [log_spectra(examples.mixture(clip).audio, config.spec) for clip in clips]
        kept[name] = np.concatenate(found).astype(np.float16)
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
        if values.ndim != 3 or values.shape[1:] != (N_BINS, 2) or not np.isfinite(values).all():
            raise DdspError(f"{path} is damaged: it holds no spectra")
    return Reference(held_back, trained)
