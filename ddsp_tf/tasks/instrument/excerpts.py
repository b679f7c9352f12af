"""Features of a little training sound that a run keeps: what export measures ranges on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.further import further_of
from ddsp_tf.data.reading import Passage, read_passages
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.features.power import power_db
from ddsp_tf.frames import FrameSpec
from ddsp_tf.training.kept import load_kept, save_kept

EXCERPTS_NAME = "excerpts.npz"
EXCERPT_SECONDS = 2.0
EXCERPTS = 15


@dataclass(frozen=True)
class Excerpts:
    """Features of passages from all over the training data, one after the other.

    Args:
        f0_hz: float32 `[frames]`, no zeros.
        loudness_db: float32 `[frames]`.
        power_db: float32 `[frames]`, 10 log10 of the mean square over 64 ms around the frame's sample.
        voiced: bool `[frames]`.
        number: int32 `[frames]`, of the excerpt.
    """

    f0_hz: Array
    loudness_db: Array
    power_db: Array
    voiced: Array
    number: Array


def save_excerpts(
    data: Path, run: Path, spec: FrameSpec, further: Sequence[str] = (), on_damage: OnDamage | None = None
) -> None:
    """Copy the features of up to 15 excerpts of 2 s, spread over the training passages, into a run.

    Args:
        data: The dataset.
        run: The run.
        spec: The frame grid.
        further: Names of further features of the model.
        on_damage: Called with a sentence for each damaged record.
    """
    info = load_dataset_info(data)
    stride = max(1, sum(shard.records for shard in info.shards["train"]) // EXCERPTS)
    length = spec.frames_for(EXCERPT_SECONDS)
    parts: list[dict[str, Array]] = []
    for number, passage in enumerate(read_passages(data, "train", spec, on_damage=on_damage)):
        if number % stride == 0:
            parts.append(_excerpt(passage, spec, further, length, len(parts)))
        if len(parts) == EXCERPTS:
            break
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    save_kept(run / EXCERPTS_NAME, values)


def _excerpt(
    passage: Passage, spec: FrameSpec, further: Sequence[str], length: int, number: int
) -> dict[str, Array]:
    """Features of the middle of a passage."""
    frames = len(passage.f0_hz)
    first = max(0, (frames - length) // 2)
    part = slice(first, min(frames, first + length))
    return {
        "f0_hz": passage.f0_hz[part].astype(np.float32),
        "loudness_db": passage.loudness_db[part].astype(np.float32),
        "power_db": power_db(passage.audio, spec)[part],
        "voiced": passage.voiced[part].astype(bool),
        **{name: values[part] for name, values in further_of(further, passage, spec).items()},
        "number": np.full(part.stop - part.start, number, np.int32),
    }


def load_excerpts(run: Path) -> Excerpts:
    """Read the excerpts of a run.

    Raises:
        DdspError: If it has none, or they are damaged.
    """
    missing = ", features of its training data: copy the whole run folder, or train it again"
    return Excerpts(**load_kept(run / EXCERPTS_NAME, list(Excerpts.__dataclass_fields__), missing))


def load_further(run: Path, names: Sequence[str]) -> dict[str, Array]:
    """Read further features of the excerpts of a run, float32 `[frames]` by name.

    Raises:
        DdspError: As `load_excerpts`.
    """
    return load_kept(run / EXCERPTS_NAME, names, ": train it again")
