"""Datasets as `tf.data` pipelines.

Clips are cut when they are read, and features are then brought onto the grid of the model, so clip length
and hop are choices of training, not of the data. Clip number `i` of a seed, and how it is changed at random,
depends on nothing but `i` and the seed: a run that goes on where it stopped sees exactly the clips that it
would have seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.config import AugmentationConfig
from ddsp_tf.data.augment import Change, amplified, draw_change, frames_taken, shifted
from ddsp_tf.data.reading import check_sample_rate, passage_from_record
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.data.records.shards import OnDamage, RecordPlace, read_records
from ddsp_tf.errors import DdspError
from ddsp_tf.features.power import level_db
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.instrument.instruments import Instruments

_CLIP_STREAM, _CHANGE_STREAM = 1, 2  # tell the random numbers of offsets and changes from those of orders
_AS_IT_IS = Change()


def training_dataset(
    folder: str | Path,
    spec: FrameSpec,
    *,
    batch_size: int,
    clip_frames: int,
    seed: int = 0,
    skip_batches: int = 0,
    augmentation: AugmentationConfig | None = None,
    instruments: Mapping[str, str] | None = None,
    level: str = "loudness",
    on_damage: OnDamage | None = None,
) -> Any:
    """Build the endless stream of training batches.

    Each pass over the data visits every passage as often as clips fit into it, in a new order, and cuts
    each clip at a random frame. All shards are read and checked once before this returns.

    Args:
        folder: Folder of the dataset.
        spec: The frame grid that the model was built for. The sample rate must be that of the dataset.
        batch_size: Integer > 0, clips a batch.
        clip_frames: Integer > 0, frames a clip.
        seed: Integer >= 0.
        skip_batches: Integer >= 0, batches of the stream to leave out at its beginning; costs nothing.
        augmentation: How far clips are changed at random; not at all if None.
        instruments: Of a model that plays several: for each the names of its recordings, as a pattern.
        level: `"loudness"`, or `"power"` in its place (`ddsp_tf.features.power`), under the same name.
        on_damage: Called with a sentence for each record that is found damaged, which is then left out;
            damage is fatal if None.

    Returns:
        A `tf.data.Dataset` of `({"f0_hz": [batch, frames, 1], "loudness_db": [batch, frames, 1]}, audio)`
        with audio `[batch, frames * hop]`, all float32; with `instruments` the inputs also hold `instrument`,
        `[batch, 1, instruments]`, weights of which one is 1.

    Raises:
        DdspError: If the dataset is missing or damaged, has another sample rate, no passage is as long
            as a clip, or a recording is not of exactly one of the instruments.
    """
    _require_positive(batch_size=batch_size, clip_frames=clip_frames)
    clips = _Clips(Path(folder), spec, "train", clip_frames, instruments, level, on_damage)
    slots = np.repeat(np.arange(len(clips.places)), clips.fitting())

    @lru_cache(maxsize=4)  # a batch may straddle two passes, and batches are read in parallel
    def order(pass_number: int) -> Array:
        return np.asarray(np.random.default_rng([seed, pass_number]).permutation(slots))

    def choose(number: int) -> Clip:
        pass_number, at = divmod(number, len(slots))
        place = int(order(pass_number)[at])
        n_frames = spec.n_frames(clips.places[place].n_samples)
        change = _AS_IT_IS
        if augmentation is not None:
            rng = np.random.default_rng([seed, _CHANGE_STREAM, number])
            change = draw_change(augmentation, rng, n_frames, clip_frames)
        last = max(0, n_frames - frames_taken(clip_frames, change.ratio))
        first = int(np.random.default_rng([seed, _CLIP_STREAM, number]).integers(last + 1))
        return Clip(place, first, change)

    def batch(number: int) -> tuple[Array, ...]:
        first = int(number) * batch_size
        return clips.stack([choose(i) for i in range(first, first + batch_size)])

    import tensorflow as tf

    numbers = tf.data.Dataset.range(skip_batches, np.iinfo(np.int64).max)
    endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    return clips.dataset(numbers, batch, batch_size).apply(endless)


def validation_dataset(
    folder: str | Path,
    spec: FrameSpec,
    *,
    batch_size: int,
    clip_frames: int,
    instruments: Mapping[str, str] | None = None,
    level: str = "loudness",
    on_damage: OnDamage | None = None,
) -> Any:
    """Build the validation batches: clips that follow each other without overlap, always the same.

    The last batch may be smaller. Arguments, result and errors are those of `training_dataset`.
    """
    _require_positive(batch_size=batch_size, clip_frames=clip_frames)
    clips = _Clips(Path(folder), spec, "validation", clip_frames, instruments, level, on_damage)
    chosen = [
        Clip(place, clip * clip_frames)
        for place, count in enumerate(clips.fitting())
        for clip in range(int(count))
    ]

    def batch(number: int) -> tuple[Array, ...]:
        return clips.stack(chosen[int(number) * batch_size : (int(number) + 1) * batch_size])

    import tensorflow as tf

    return clips.dataset(tf.data.Dataset.range(-(-len(chosen) // batch_size)), batch, None)


@dataclass(frozen=True)
class Clip:
    """A clip: number of its passage, frame that it begins with, and what is done to it."""

    place: int
    first: int
    change: Change = _AS_IT_IS


class _Clips:
    """The clips of one length that can be cut from a split."""

    def __init__(
        self,
        folder: Path,
        spec: FrameSpec,
        split: str,
        clip_frames: int,
        instruments: Mapping[str, str] | None,
        level: str,
        on_damage: OnDamage | None,
    ) -> None:
        self._info = load_dataset_info(folder)
        self._level = level
        self._spec = spec
        check_sample_rate(folder, self._info, spec)
        every: list[RecordPlace] = []
        self._weights: dict[RecordPlace, Array] = {}  # of the instruments
        for place, record in read_records(folder, self._info, split, on_damage=on_damage):
            every.append(place)
            if instruments:
                self._weights[place] = Instruments(instruments).weights_of(record.source)
        self._clip_frames = clip_frames
        clip_samples = spec.n_samples(clip_frames)
        self.places = [place for place in every if place.n_samples >= clip_samples]
        if not every:
            raise DdspError(
                f"{folder} has no {split} passages: it was prepared with data.validation_share "
                f"{self._info.validation_share:g}"
            )
        if not self.places:
            longest = max(place.n_samples for place in every) / spec.sample_rate
            raise DdspError(
                f"{folder}: no {split} passage is as long as a clip of {spec.seconds(clip_frames):g} s. Set "
                f"training.clip_seconds to at most {longest:g}, or add recordings"
            )

        if split == "train" and instruments:
            heard = sum(self._weights[place] for place in self.places)
            silent = [name for name, weight in zip(instruments, np.ravel(heard), strict=True) if not weight]
            if silent:
                raise DdspError(
                    f"{folder}: no training passage of a clip's length is by the instrument {silent[0]!r}, "
                    f"recordings named {instruments[silent[0]]!r} (model.instruments)"
                )

    def fitting(self) -> Array:
        """How many clips fit into each passage side by side, `[passages]`."""
        clip_samples = self._spec.n_samples(self._clip_frames)
        return np.array([place.n_samples // clip_samples for place in self.places])

    def stack(self, chosen: list[Clip]) -> tuple[Array, ...]:
        """Read clips; return f0 and loudness `[batch, frames, 1]`, audio `[batch, samples]`, and where there
        are instruments their weights `[batch, 1, instruments]`.
        """
        f0_hz, loudness_db, audio = (np.stack(column) for column in zip(*map(self.read, chosen), strict=True))
        batch = f0_hz[..., np.newaxis], loudness_db[..., np.newaxis], audio
        if not self._weights:
            return batch
        return *batch, np.stack([self._weights[self.places[clip.place]] for clip in chosen])[:, np.newaxis]

    def read(self, clip: Clip) -> tuple[Array, Array, Array]:
        """Read a clip; return its f0, loudness and audio."""
        record = self.places[clip.place].read()
        hop, first, end = self._spec.hop, clip.first, clip.first + self._clip_frames
        change = clip.change
        if change.ratio == 1.0:
            passage = passage_from_record(record, self._info, self._spec)
            level = level_db(self._level, passage.audio, passage.loudness_db, self._spec)
            f0_hz, loudness = passage.f0_hz[first:end], level[first:end]
            audio = passage.audio[first * hop : end * hop]
        else:
            start_hz = self._info.f0_hz_range.median
            f0_hz, loudness, audio = shifted(
                record, self._spec, first, self._clip_frames, change.ratio, start_hz, self._level
            )
        if change.gain_db:
            audio, loudness = amplified(audio, loudness, change.gain_db, self._level)
        return f0_hz, loudness, audio

    def dataset(self, numbers: Any, batch: Any, batch_size: int | None) -> Any:
        """Turn a dataset of batch numbers into one of batches."""
        import tensorflow as tf

        frames, samples = self._clip_frames, self._spec.n_samples(self._clip_frames)

        def load(number: Any) -> Any:
            kinds = [tf.float32] * (4 if self._weights else 3)
            f0_hz, loudness_db, audio, *weights = tf.numpy_function(batch, [number], kinds)
            inputs = {
                "f0_hz": tf.ensure_shape(f0_hz, [batch_size, frames, 1]),
                "loudness_db": tf.ensure_shape(loudness_db, [batch_size, frames, 1]),
            }
            if weights:
                n_instruments = len(next(iter(self._weights.values())))
                inputs["instrument"] = tf.ensure_shape(weights[0], [batch_size, 1, n_instruments])
            return inputs, tf.ensure_shape(audio, [batch_size, samples])

        # Two at once hide the disk; more would only queue for the interpreter's lock.
        return numbers.map(load, num_parallel_calls=2, deterministic=True).prefetch(2)


def _require_positive(**values: int) -> None:
    for name, value in values.items():
        if value < 1:
            raise DdspError(f"{name} must be at least 1. Received: {value}")
