"""A little held-back sound that a run keeps, to be measured against without the dataset."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ddsp_edge.atomic import written_whole
from ddsp_edge.further import FURTHER
from ddsp_edge.units import Array
from ddsp_tf.data.further import further_of
from ddsp_tf.data.instruments import Instruments
from ddsp_tf.data.reading import read_passages
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.errors import DdspError
from ddsp_tf.features.power import level_db
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.instrument.config import InstrumentConfig

REFERENCE_NAME = "reference.npz"
REFERENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Reference:
    """Held-back sound with its features.

    Args:
        f0_hz: float32 `[frames]`, no zeros.
        loudness_db: float32 `[frames]`.
        audio: float32 `[frames * hop]`, the recording.
        instrument: float32 `[frames, instruments]`, weights, of a model that plays several; else None.
        further: float32 `[frames]`, further features of the model by name.
    """

    f0_hz: Array
    loudness_db: Array
    audio: Array
    instrument: Array | None = None
    further: dict[str, Array] = field(default_factory=dict)

    @property
    def features(self) -> dict[str, Array]:
        """What a model is told, `[frames]` each, by name, but for who plays."""
        return {"f0_hz": self.f0_hz, "loudness_db": self.loudness_db, **self.further}


def save_reference(
    data: Path, run: Path, config: InstrumentConfig, on_damage: OnDamage | None = None
) -> None:
    """Copy the first validation passages of a dataset into a run, 20 s at most."""
    passages, frames, spec = [], 0, config.spec
    for passage in read_passages(data, "validation", spec, on_damage=on_damage):
        passages.append(passage)
        frames += len(passage.f0_hz)
        if frames >= spec.frames_for(REFERENCE_SECONDS):
            break
    frames = min(frames, spec.frames_for(REFERENCE_SECONDS))
    levels = [level_db(config.model.level, p.audio, p.loudness_db, spec) for p in passages]
    found = [further_of(config.model.further, p, spec) for p in passages]
    extra: dict[str, Any] = {
        name: np.concatenate([values[name] for values in found])[:frames] for name in config.model.further
    }
    if config.model.instruments:
        instruments = Instruments(config.model.instruments)
        rows = [np.tile(instruments.weights_of(p.source), [len(p.f0_hz), 1]) for p in passages]
        extra["instrument"] = np.concatenate(rows)[:frames]
    with written_whole(run / REFERENCE_NAME) as beside:
        np.savez_compressed(
            beside,
            f0_hz=np.concatenate([p.f0_hz for p in passages])[:frames],
            loudness_db=np.concatenate(levels)[:frames],
            audio=np.concatenate([p.audio for p in passages])[: spec.n_samples(frames)],
            **extra,
        )


def load_reference(run: Path, spec: FrameSpec) -> Reference:
    """Read the held-back sound of a run.

    Raises:
        DdspError: If it is missing or damaged.
    """
    path = run / REFERENCE_NAME
    if not path.is_file():
        raise DdspError(f"{run} has no {REFERENCE_NAME}: was it trained with `ddsp-tf train`?")
    try:
        with path.open("rb") as file, np.load(file) as values:
            further = {name: values[name] for name in values.files if name in FURTHER}
            rest = {name: values[name] for name in values.files if name not in FURTHER}
            reference = Reference(**rest, further=further)
    except (ValueError, TypeError, OSError, EOFError, BadZipFile, zlib.error) as error:
        raise DdspError(f"{path} is damaged") from error
    if len(reference.audio) != spec.n_samples(len(reference.f0_hz)):
        raise DdspError(f"{path} does not fit the model's frames of {spec.hop} samples")
    return reference
