"""Its clips: log-mel bands of speech that was changed at random, and the phone of every frame."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from ddsp_edge.features.log_mel import N_MELS, log_mel
from ddsp_edge.units import Array
from ddsp_tf.data.batches import Shapes
from ddsp_tf.data.prepare.analysis import as_float
from ddsp_tf.data.records.info import check_sample_rate, load_dataset_info
from ddsp_tf.data.records.shards import OnDamage, read_records
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.content.config import ContentConfig
from ddsp_tf.tasks.content.phones import UNKNOWN
from ddsp_tf.tasks.content.preparation import AUDIO, PHONE

_WARPS = 9  # as many tables are kept
_KEPT = 256  # passages in memory: 80 MB of 10 s
_CURVES = 4  # cosines that a colour is made of
_QUIETEST = 1e-4


@dataclass(frozen=True)
class Clip:
    """A passage, where in it a clip begins (a share of the room there is), and the seeds of its changes."""

    passage: int
    where: float
    seeds: tuple[int, ...] | None = None


class PhoneExamples:
    """Clips of one length of the passages of a split; short passages have silence after them.

    Args:
        data: Folder of the dataset.
        split: `"train"` or `"validation"`.
        config: The configuration.
        on_damage: As in `read_records`.

    Raises:
        DdspError: If the split holds nothing.
    """

    def __init__(
        self, data: Path, split: str, config: ContentConfig, on_damage: OnDamage | None = None
    ) -> None:
        self.config, self.spec = config, config.spec
        self.frames = self.spec.frames_for(config.training.clip_seconds)
        info = load_dataset_info(data)
        check_sample_rate(data, info, config.spec)
        self.places = [place for place, _ in read_records(data, info, split, on_damage=on_damage)]
        if not self.places:
            raise DdspError(f"{data} has nothing to {'train' if split == 'train' else 'validate'} on")
        widest = config.changes.warp
        self._warps = np.linspace(1.0 - widest, 1.0 + widest, _WARPS)
        self._kept: OrderedDict[int, tuple[Array, Array]] = OrderedDict()
        self._lock = Lock()

    @property
    def shapes(self) -> Shapes:
        """Log-mel bands, and the phone that is to be named in each frame."""
        return {"log_mel": (self.frames, N_MELS)}, (self.frames,)

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
        made = [self._example(clip) for clip in examples]
        return {"log_mel": np.stack([bands for bands, _ in made])}, np.stack([phones for _, phones in made])

    def passage(self, index: int) -> tuple[Array, Array]:
        """Sound `[samples]` and phones `[frames]` of a passage."""
        with self._lock:
            if index in self._kept:
                return self._kept[index]
        record = self.places[index].read()
        found = np.asarray(as_float(record.sounds[AUDIO]), np.float32), record.features[PHONE].values
        with self._lock:
            self._kept[index] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    def _example(self, clip: Clip) -> tuple[Array, Array]:
        audio, phones = self.passage(clip.passage)
        changes, hop = self.config.changes, self.spec.hop
        rng = None if clip.seeds is None else np.random.default_rng(clip.seeds)
        speed = 1.0 if rng is None else float(np.exp(rng.uniform(-1, 1) * np.log1p(changes.speed)))
        samples = self.frames * hop
        needed = int(np.ceil(samples * speed)) + 1
        first = int(clip.where * max(0, len(audio) - needed)) // hop * hop
        part = audio[first : first + needed]
        part = np.pad(part, (0, max(0, needed - len(part))))
        if rng is not None:
            part = np.interp(np.arange(samples) * speed, np.arange(len(part)), part).astype(np.float32)
            part = self._with_noise(part, rng)
        part = part[:samples]
        warp = 1.0 if rng is None else float(self._warps[int(rng.integers(_WARPS))])
        bands = log_mel(part, self.spec, warp)
        if rng is not None:
            bands = bands + self._colour(rng)
        # The frame that is spoken of when frame `t` was heard.
        spoken = np.arange(self.frames) - self.config.network.lookahead_frames
        at = first / hop + (spoken + 1) * speed - 1.0
        index = np.rint(at).astype(int)
        known = (spoken >= 0) & (index >= 0) & (index < len(phones))
        return bands, np.where(known, phones[np.clip(index, 0, len(phones) - 1)], UNKNOWN).astype(np.float32)

    def _with_noise(self, audio: Array, rng: np.random.Generator) -> Array:
        """White or pink noise, below speech."""
        changes = self.config.changes
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

    def _colour(self, rng: np.random.Generator) -> Array:
        """A smooth colour, and a level, in natural logarithms of powers, `[N_MELS]`."""
        most = self.config.changes.equaliser_db * np.log(10.0) / 10.0
        k = np.arange(1, _CURVES + 1)[:, np.newaxis]
        curves = np.cos(np.pi * k * (np.arange(N_MELS) + 0.5) / N_MELS)
        weights = rng.uniform(-1.0, 1.0, _CURVES) / np.sqrt(np.arange(1, _CURVES + 1))
        return np.asarray(most * 0.5 * weights @ curves + rng.uniform(-2.0, 2.0), np.float32)
