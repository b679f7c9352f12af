"""What a run keeps of its data, to compare exported files on: spectra of two mixtures, and their notes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddsp_edge.atomic import written_whole
from ddsp_edge.transcription.spectra import N_BINS, log_spectra
from ddsp_edge.units import Array
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.transcription.config import TranscriptionConfig
from ddsp_tf.tasks.transcription.examples import MixtureExamples

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
    with written_whole(run / REFERENCE_NAME) as beside, beside.open("wb") as file:
        np.savez_compressed(file, held_back=kept["held_back"], trained=kept["trained"])


def load_reference(run: Path) -> Reference:
    """Read what a run kept.

    Raises:
        DdspError: If there is nothing, or it is damaged.
    """
    path = run / REFERENCE_NAME
    if not path.is_file():
        raise DdspError(
            f"{run} has no {REFERENCE_NAME}: go on with `ddsp-tf train --resume`, which writes it"
        )
    try:
        with np.load(path, allow_pickle=False) as stored:
            held_back, trained = (np.asarray(stored[n], np.float32) for n in ("held_back", "trained"))
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DdspError(f"{path} is damaged: {error}") from error
    for values in (held_back, trained):
        if values.ndim != 3 or values.shape[1:] != (N_BINS, 2) or not np.isfinite(values).all():
            raise DdspError(f"{path} is damaged: it holds no spectra")
    return Reference(held_back, trained)
