"""Clips of speech that is changed at random, and the label of every frame."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.config.sections import Config
from ddsp_tf.data.batches import Shapes
from ddsp_tf.data.prepare.analysis import as_float
from ddsp_tf.data.records.info import check_sample_rate, load_dataset_info
from ddsp_tf.data.records.shards import OnDamage, read_records
from ddsp_tf.errors import DdspError
from ddsp_tf.speech.config import ChangesConfig
from ddsp_tf.speech.preparation import AUDIO

_KEPT = 256  # passages in memory: 164 MB of 10 s
_QUIETEST = 1e-4


@dataclass(frozen=True)
class Clip:
    """A passage, where in it a clip begins (a share of the room there is), and the seeds of its changes."""

    passage: int
    where: float
    seeds: tuple[int, ...] | None = None


@dataclass(frozen=True)
class ChangedSpeech:
    """A clip as it is heard.

    Args:
        audio: `[frames * hop]`.
        places: `[frames]`, the frame of the passage that is spoken of in each, not whole; -1 in the
            first ones, in which nothing is yet.
        speed: How many times as fast as it was spoken.
        rng: What draws further changes; None where there are none.
    """

    audio: Array
    places: Array
    speed: float
    rng: np.random.Generator | None


class SpeechExamples(ABC):
    """Clips of one length of the passages of a split; short passages have silence after them.

    Sub-classes say what a network is given of a clip, and what it is to say of it.

    Args:
        data: Folder of the dataset.
        split: `"train"` or `"validation"`.
        config: The configuration.
        changes: Its section of that name.
        lookahead_frames: Integer, frames that the network waits before it speaks of one.
        on_damage: As in `read_records`.

    Attributes:
        label: How the label is named in records.

    Raises:
        DdspError: If the split holds nothing.
    """

    label: str

    def __init__(
        self,
        data: Path,
        split: str,
        config: Config,
        changes: ChangesConfig,
        lookahead_frames: int,
        on_damage: OnDamage | None = None,
    ) -> None:
        self.spec, self._changes, self._ahead = config.spec, changes, lookahead_frames
        self.frames = self.spec.frames_for(config.training.clip_seconds)
        info = load_dataset_info(data)
        check_sample_rate(data, info, config.spec)
        self.places = [place for place, _ in read_records(data, info, split, on_damage=on_damage)]
        if not self.places:
            raise DdspError(f"{data} has nothing to {'train' if split == 'train' else 'validate'} on")
        self._kept: OrderedDict[int, tuple[Array, Array]] = OrderedDict()
        self._lock = Lock()

    @property
    @abstractmethod
    def shapes(self) -> Shapes:
        """What a network is given, and what it is to say."""

    @abstractmethod
    def example(self, clip: Clip) -> tuple[dict[str, Array], Array]:
        """What a network is given of a clip, by name, and what it is to say of it."""

    def fitting(self) -> Array:
        """As many clips as fit into a passage, one at least."""
        least = self.spec.n_samples(self.frames)
        return np.array([max(1, place.n_samples // least) for place in self.places])

    def draw(self, passage: int, seed: int, number: int) -> Clip:
        """A place in a passage and changes, by seed and number alone."""
        where = np.random.default_rng([seed, 51, number]).random()
        return Clip(passage, float(where), (seed, 52, number))

    def place(self, passage: int, part: int) -> Clip:
        """The part of a passage as it is."""
        count = int(self.fitting()[passage])
        return Clip(passage, part / max(1, count - 1) if count > 1 else 0.0)

    def stack(self, examples: Sequence[Clip]) -> tuple[dict[str, Array], Array]:
        """Make a batch."""
        made = [self.example(clip) for clip in examples]
        inputs = {name: np.stack([given[name] for given, _ in made]) for name in made[0][0]}
        return inputs, np.stack([wanted for _, wanted in made])

    def passage(self, index: int) -> tuple[Array, Array]:
        """Sound `[samples]` and labels `[frames]` of a passage."""
        with self._lock:
            if index in self._kept:
                return self._kept[index]
        record = self.places[index].read()
        found = np.asarray(as_float(record.sounds[AUDIO]), np.float32), record.features[self.label].values
        with self._lock:
            self._kept[index] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    def changed(self, clip: Clip) -> ChangedSpeech:
        """The sound of a clip, at another speed and with noise under it where it has seeds."""
        audio, _ = self.passage(clip.passage)
        hop = self.spec.hop
        rng = None if clip.seeds is None else np.random.default_rng(clip.seeds)
        speed = 1.0 if rng is None else float(np.exp(rng.uniform(-1, 1) * np.log1p(self._changes.speed)))
        samples = self.frames * hop
        needed = int(np.ceil(samples * speed)) + 1
        first = int(clip.where * max(0, len(audio) - needed)) // hop * hop
        part = audio[first : first + needed]
        part = np.pad(part, (0, max(0, needed - len(part))))
        if rng is not None:
            part = np.interp(np.arange(samples) * speed, np.arange(len(part)), part).astype(np.float32)
            part = self._with_noise(part, rng)
        spoken = np.arange(self.frames) - self._ahead
        places = np.where(spoken >= 0, first / hop + (spoken + 1) * speed - 1.0, -1.0)
        return ChangedSpeech(part[:samples], places, speed, rng)

    def _with_noise(self, audio: Array, rng: np.random.Generator) -> Array:
        """White or pink noise, below speech."""
        changes = self._changes
        if rng.random() >= changes.noise_share:
            return audio
        noise = rng.standard_normal(len(audio)).astype(np.float32)
        if rng.random() < 0.5:
            spectrum = np.fft.rfft(noise)
            pink = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 8.0), len(audio))
            noise = pink.astype(np.float32)
        level = np.sqrt(np.mean(audio**2) + _QUIETEST**2) * 10.0 ** (
            rng.uniform(changes.noise_min_db, changes.noise_max_db) / 20.0
        )
        return np.asarray(audio + noise * (level / np.sqrt(np.mean(noise**2) + 1e-20)), np.float32)
