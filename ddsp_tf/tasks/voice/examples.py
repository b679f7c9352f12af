"""Its clips: the sound of a voice with its pitch, voicing and loudness."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array
from ddsp_tf.data.batches import Shapes
from ddsp_tf.data.instruments import Instruments
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.reading import Passage, passage_from_record
from ddsp_tf.data.records.info import check_sample_rate, load_dataset_info
from ddsp_tf.data.records.shards import OnDamage, read_records
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.voice.config import VoiceConfig

_KEPT = 128  # passages in memory: 80 MB of 10 s


@dataclass(frozen=True)
class Clip:
    """Number of a passage, and the frame that a clip begins with."""

    passage: int
    first: int


class VoiceExamples:
    """Clips of one length of the passages of a split; short passages have silence after them.

    Args:
        data: Folder of the dataset.
        split: `"train"` or `"validation"`.
        config: The configuration.
        on_damage: As in `read_records`.
        frames: Integer, frames of a clip; None for those of the configuration.

    Raises:
        DdspError: If the split holds nothing, has another sample rate, or a recording is of none of several
            voices.
    """

    def __init__(
        self,
        data: Path,
        split: str,
        config: VoiceConfig,
        on_damage: OnDamage | None = None,
        frames: int | None = None,
    ) -> None:
        self.config, self.spec = config, config.spec
        self.frames = frames or self.spec.frames_for(config.training.clip_seconds)
        self.info = load_dataset_info(data)
        check_sample_rate(data, self.info, config.spec)
        voices = Instruments(config.voices) if config.voices else None
        self.places, self._voices = [], list[Array]()
        for place, record in read_records(data, self.info, split, on_damage=on_damage):
            self.places.append(place)
            if voices is not None:
                self._voices.append(voices.weights_of(record.source))
        if not self.places:
            raise DdspError(f"{data} has nothing to {'train' if split == 'train' else 'validate'} on")
        self._kept: OrderedDict[int, Passage] = OrderedDict()
        self._lock = Lock()

    @property
    def shapes(self) -> Shapes:
        """Sound, pitch, voicing, loudness, of several voices which; and the sound again."""
        frames, samples = self.frames, self.spec.n_samples(self.frames)
        inputs: dict[str, tuple[int | None, ...]] = {
            "audio": (samples,),
            **dict.fromkeys(("f0_hz", "voiced", "loudness_db"), (frames, 1)),
        }
        if self._voices:
            inputs["voice"] = (1, len(self._voices[0]))
        return inputs, (samples,)

    def fitting(self) -> Array:
        """As many clips as fit into a passage, one at least."""
        least = self.spec.n_samples(self.frames)
        return np.array([max(1, place.n_samples // least) for place in self.places])

    def draw(self, passage: int, seed: int, number: int) -> Clip:
        """A place in a passage, by seed and number alone."""
        room = max(0, self.spec.n_frames(self.places[passage].n_samples) - self.frames)
        return Clip(passage, int(np.random.default_rng([seed, 61, number]).integers(room + 1)))

    def place(self, passage: int, part: int) -> Clip:
        """The clip number `part` of a passage."""
        return Clip(passage, part * self.frames)

    def passage(self, index: int) -> Passage:
        """A whole passage on the grid of the model."""
        with self._lock:
            if index in self._kept:
                return self._kept[index]
        record = PitchedRecord.of(self.places[index].read())
        found = passage_from_record(record, self.info, self.spec)
        with self._lock:
            self._kept[index] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    def voice(self, index: int) -> Array | None:
        """Weights of the voices in a passage, `[1, voices]`; None where there is one."""
        return self._voices[index][np.newaxis] if self._voices else None

    def stack(self, examples: Sequence[Clip]) -> tuple[dict[str, Array], Array]:
        """Make a batch."""
        parts = [self._part(clip) for clip in examples]
        inputs = {name: np.stack([part[name] for part in parts]) for name in parts[0]}
        return inputs, inputs["audio"]

    def _part(self, clip: Clip) -> dict[str, Array]:
        passage, hop = self.passage(clip.passage), self.spec.hop
        frames = slice(clip.first, clip.first + self.frames)
        found = inputs_of(passage, frames, hop)
        missing = self.frames - len(found["f0_hz"])
        if missing:
            found = {
                "audio": np.pad(found["audio"], (0, missing * hop)),
                "f0_hz": np.pad(found["f0_hz"], ((0, missing), (0, 0)), mode="edge"),
                "voiced": np.pad(found["voiced"], ((0, missing), (0, 0))),
                "loudness_db": np.pad(
                    found["loudness_db"], ((0, missing), (0, 0)), constant_values=LOUDNESS_FLOOR_DB
                ),
            }
        voice = self.voice(clip.passage)
        return found if voice is None else {**found, "voice": voice}


def inputs_of(passage: Passage, frames: slice, hop: int) -> dict[str, Array]:
    """What the model takes of frames of a passage, without the batch."""
    return {
        "audio": passage.audio[frames.start * hop : frames.stop * hop],
        "f0_hz": passage.f0_hz[frames, np.newaxis],
        "voiced": np.asarray(passage.voiced[frames, np.newaxis], np.float32),
        "loudness_db": passage.loudness_db[frames, np.newaxis],
    }
