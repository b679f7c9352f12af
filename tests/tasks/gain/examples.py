"""Its clips: levels in, gains out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.batches import Shapes
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.data.records.shards import OnDamage, read_records

Clip = tuple[int, int]  # number of the passage, first frame


class GainExamples:
    """Clips of one length that can be cut from a split."""

    def __init__(self, data: Path, split: str, frames: int, on_damage: OnDamage | None) -> None:
        info = load_dataset_info(data)
        self._hop = info.features["level_db"].hop
        self._frames = frames
        found = read_records(data, info, split, on_damage=on_damage)
        self._places = [place for place, _ in found if place.n_samples >= frames * self._hop]

    @property
    def shapes(self) -> Shapes:
        """Levels, and gains."""
        return {"level_db": (self._frames, 1)}, (self._frames, 1)

    def fitting(self) -> Array:
        """How many clips fit into each passage."""
        return np.array([place.n_samples // (self._frames * self._hop) for place in self._places])

    def draw(self, passage: int, seed: int, number: int) -> Clip:
        """A clip at a random frame."""
        last = self._places[passage].n_samples // self._hop - self._frames
        return passage, int(np.random.default_rng([seed, 7, number]).integers(last + 1))

    def place(self, passage: int, part: int) -> Clip:
        """Clips side by side."""
        return passage, part * self._frames

    def stack(self, examples: Sequence[Clip]) -> tuple[dict[str, Array], Array]:
        """Read clips."""
        records = [(self._places[passage].read(), slice(at, at + self._frames)) for passage, at in examples]
        level, gain = (
            np.stack([record.features[name].values[part] for record, part in records])
            for name in ("level_db", "gain")
        )
        return {"level_db": level}, gain
