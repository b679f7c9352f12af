"""A few held-back mixtures that a run keeps: what its files are compared on."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.restoration.config import RestorationConfig
from ddsp_tf.tasks.restoration.examples import Mixtures
from ddsp_tf.training.kept import load_kept, save_kept

HELD_BACK_NAME = "held_back.npz"
_COUNT, _SECONDS = 16, 4.0
_SNR_DB = (0.0, 5.0, 10.0, 15.0)


@dataclass(frozen=True)
class HeldBack:
    """Mixtures, and what they should be.

    Args:
        noisy: float32 `[mixtures, samples]`.
        clean: The same.
    """

    noisy: Array
    clean: Array


def save_held_back(
    config: RestorationConfig, data: Path, run: Path, on_damage: OnDamage | None = None
) -> None:
    """Keep up to 16 mixtures of 4 s, spread over the held-back clean passages, with 0 to 15 dB of noise."""
    seconds = min(_SECONDS, config.data.passage_seconds)
    training = dataclasses.replace(config.training, clip_seconds=seconds)
    mixtures = Mixtures(dataclasses.replace(config, training=training), data, "validation", on_damage)
    passages = len(mixtures.fitting())
    numbers = sorted({round(i * (passages - 1) / max(1, _COUNT - 1)) for i in range(_COUNT)})
    made = [
        mixtures.make(mixtures.place(passage, 0), _SNR_DB[number % len(_SNR_DB)])
        for number, passage in enumerate(numbers)
    ]
    values = {
        name: np.rint(np.stack([getattr(m, name) for m in made]) * 32767.0).astype(np.int16)
        for name in ("noisy", "clean")
    }
    save_kept(run / HELD_BACK_NAME, values)


def load_held_back(run: Path) -> HeldBack:
    """Read what a run keeps.

    Raises:
        DdspError: If it has nothing, or it is damaged.
    """
    path = run / HELD_BACK_NAME
    missing = ", held-back mixtures: copy the whole run folder, or train it again"
    noisy, clean = load_kept(path, ("noisy", "clean"), missing).values()
    if noisy.dtype != np.int16 or noisy.ndim != 2 or noisy.shape != clean.shape or not noisy.size:
        raise DdspError(f"{path} is damaged: it holds {noisy.dtype} {noisy.shape} and {clean.shape}")
    scale = np.float32(1.0 / 32767.0)
    return HeldBack(noisy * scale, clean * scale)
