"""The examples of a split: mixtures, made when they are asked for."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.batches import Shapes
from ddsp_tf.data.records.info import check_sample_rate, load_dataset_info
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.tasks.restoration.config import RestorationConfig
from ddsp_tf.tasks.restoration.mixing.mixer import Mixer, Mixture
from ddsp_tf.tasks.restoration.mixing.sources import Sources
from ddsp_tf.tasks.restoration.preparation import NOISE, ROOMS

_TRAINING, _HELD_BACK, _PASSAGES, _ORDER = 31, 37, 41, 43  # tell the random numbers of each from the others
_BLOCK = 128  # mixtures that are heard again among each other, and kept as long: 50 MB of 3 s each


@dataclass(frozen=True)
class Recipe:
    """An example to be made: number of the clean passage, and the seeds of everything else."""

    passage: int
    seeds: tuple[int, ...]


class Mixtures:
    """Mixtures of one length.

    Args:
        config: The configuration.
        folder: Folder of the dataset.
        split: `"train"` or `"validation"`.
        on_damage: As in `ddsp_tf.data.records.shards.read_records`.

    Raises:
        DdspError: If the dataset is damaged, has another sample rate, or no clean sound in the split.
    """

    def __init__(
        self, config: RestorationConfig, folder: Path, split: str, on_damage: OnDamage | None = None
    ) -> None:
        check_sample_rate(folder, load_dataset_info(folder), config.spec)
        self._n = config.spec.n_samples(config.spec.frames_for(config.training.clip_seconds))
        self._sources = Sources(folder, split, on_damage)
        self._mixer = Mixer(self._sources, config.spec, self._n, config.mixtures)
        self._times = config.mixtures.times
        self._slots = np.repeat(np.arange(len(self._sources.clean)), self.fitting())
        self._kept: OrderedDict[Recipe, Mixture] = OrderedDict()
        self._lock = Lock()

    @property
    def shapes(self) -> Shapes:
        """Noisy sound, and clean."""
        return {"audio": (self._n,)}, (self._n,)

    @property
    def has_noise(self) -> bool:
        """Whether there are recordings of noise."""
        return self._sources.has(NOISE)

    @property
    def has_rooms(self) -> bool:
        """Whether there are rooms."""
        return self._sources.has(ROOMS)

    def fitting(self) -> Array:
        """How many examples there are of each clean passage: as many as its length, or one."""
        return np.array([max(1, place.n_samples // self._n) for place in self._sources.clean])

    def draw(self, passage: int, seed: int, number: int) -> Recipe:
        """An example that depends on seed and number alone.

        Mixtures come in blocks of 128; each block is heard `mixtures.times` times, every time in a new order.
        """
        if self._times == 1:
            return Recipe(passage, (_TRAINING, seed, number))
        block, place = divmod(number, _BLOCK * self._times)
        turn, place = divmod(place, _BLOCK)
        order = np.random.default_rng([_ORDER, seed, block, turn]).permutation(_BLOCK)
        mixture = block * _BLOCK + int(order[place])
        slot = np.random.default_rng([_PASSAGES, seed, mixture]).integers(len(self._slots))
        return Recipe(int(self._slots[slot]), (_TRAINING, seed, mixture))

    def place(self, passage: int, part: int) -> Recipe:
        """An example that is always the same."""
        return Recipe(passage, (_HELD_BACK, passage, part))

    def make(self, recipe: Recipe, snr_db: float | None = None) -> Mixture:
        """Make an example; where a level above the noise is given, with noise of that level."""
        rng = np.random.default_rng(recipe.seeds)
        return self._mixer.mix(self._sources.clean[recipe.passage], rng, snr_db)

    def stack(self, examples: Sequence[Recipe]) -> tuple[dict[str, Array], Array]:
        """Make a batch."""
        made = [self._made(recipe) for recipe in examples]
        return {"audio": np.stack([m.noisy for m in made])}, np.stack([m.clean for m in made])

    def _made(self, recipe: Recipe) -> Mixture:
        """Make an example, or take the one that was made before."""
        if self._times == 1 or recipe.seeds[0] != _TRAINING:
            return self.make(recipe)
        with self._lock:
            if recipe in self._kept:
                return self._kept[recipe]
        made = self.make(recipe)
        with self._lock:
            self._kept[recipe] = made
            while len(self._kept) > 2 * _BLOCK:  # two batches are made at a time, and may be of two blocks
                self._kept.popitem(last=False)
        return made
