"""The recordings of one split of a dataset, by group and by recording."""

from collections import OrderedDict
from pathlib import Path
from threading import Lock

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.data.records.shards import OnDamage, RecordPlace, read_records
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.restoration.preparation import AUDIO, CLEAN, NOISE, ROOMS, sound_of

_KEPT = 256  # passages, of 10 s as a rule: 80 MB of 16-bit samples


class Sources:
    """Passages to mix; those that were used last are kept in memory, others are read anew.

    Args:
        folder: Folder of the dataset.
        split: `"train"` or `"validation"`.
        on_damage: As in `ddsp_tf.data.records.shards.read_records`.

    Attributes:
        clean: Places of the passages of clean sound.

    Raises:
        DdspError: If the dataset is damaged, or has no clean sound in the split.
    """

    def __init__(self, folder: Path, split: str, on_damage: OnDamage | None = None) -> None:
        info = load_dataset_info(folder)
        self.clean: list[RecordPlace] = []
        self._recordings: dict[str, dict[str, list[RecordPlace]]] = {NOISE: {}, ROOMS: {}}
        for place, record in read_records(folder, info, split, on_damage=on_damage):
            if record.group == CLEAN:
                self.clean.append(place)
            elif record.group in self._recordings:
                self._recordings[record.group].setdefault(record.source, []).append(place)
        if not self.clean:
            raise DdspError(
                f"{folder} holds no clean sound to {'train on' if split == 'train' else 'validate with'}: "
                f"prepare it with --clean, recordings of several speakers or players, --noise and --rooms"
            )
        self._kept: OrderedDict[RecordPlace, Array] = OrderedDict()
        self._lock = Lock()

    def read(self, place: RecordPlace) -> Array:
        """The sound of a passage, float32, full scale 1."""
        with self._lock:
            if place in self._kept:
                self._kept.move_to_end(place)
                return self._as_float(self._kept[place])
        record = place.read()
        with self._lock:
            self._kept[place] = record.sounds[AUDIO]
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return sound_of(record)

    def has(self, group: str) -> bool:
        """Whether there are recordings of noise, or of rooms."""
        return bool(self._recordings[group])

    def any_of(self, group: str, rng: np.random.Generator) -> tuple[Array, str]:
        """A passage of noise or a room, each recording as likely as another, and the recording's name."""
        recordings = list(self._recordings[group].items())
        name, places = recordings[int(rng.integers(len(recordings)))]
        return self.read(places[int(rng.integers(len(places)))]), name

    @staticmethod
    def _as_float(sound: Array) -> Array:
        scale = np.float32(1.0 / 32768.0) if sound.dtype == np.int16 else np.float32(1.0)
        return np.asarray(sound.astype(np.float32) * scale)
