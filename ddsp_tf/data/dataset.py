"""Datasets with pitch and loudness as `tf.data` pipelines: pitch and loudness in, sound out.

Clips are cut when they are read, and features are then brought onto the grid of the model, so clip length
and hop are choices of training, not of the data.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.config.sections import AugmentationConfig
from ddsp_tf.data.augment import Change, amplified, draw_change, frames_taken, shifted
from ddsp_tf.data.batches import Shapes, require_positive, training_batches, validation_batches
from ddsp_tf.data.chords import SEVERAL_NOTES, Chords, OneNote
from ddsp_tf.data.further import further_features
from ddsp_tf.data.instruments import Instruments
from ddsp_tf.data.joined import Joined, joined
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.reading import passage_from_record
from ddsp_tf.data.records.info import DatasetInfo, check_sample_rate, load_dataset_info
from ddsp_tf.data.records.shards import OnDamage, RecordPlace, read_records
from ddsp_tf.errors import DdspError
from ddsp_tf.features.power import level_db
from ddsp_tf.frames import FrameSpec

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
    further: Sequence[str] = (),
    several_notes: str = "keep",
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
        further: Names of `ddsp_edge.further.FURTHER`, which the inputs hold besides, as they hold f0.
        several_notes: `"leave_out"` for no clips in which several notes sound at once for more than a tenth,
            as `prepare` found it, of recordings that do not ring (`ddsp_tf.data.chords`); `"keep"` for all.
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
    require_positive(batch_size=batch_size, clip_frames=clip_frames)
    clips = PitchedClips(
        Path(folder),
        spec,
        "train",
        clip_frames,
        instruments,
        level,
        on_damage,
        augmentation=augmentation,
        further=further,
        several_notes=several_notes,
    )
    return training_batches(clips, batch_size=batch_size, seed=seed, skip_batches=skip_batches)


def validation_dataset(
    folder: str | Path,
    spec: FrameSpec,
    *,
    batch_size: int,
    clip_frames: int,
    instruments: Mapping[str, str] | None = None,
    level: str = "loudness",
    further: Sequence[str] = (),
    on_damage: OnDamage | None = None,
) -> Any:
    """Build the validation batches: clips that follow each other without overlap, always the same.

    The last batch may be smaller. Arguments, result and errors are those of `training_dataset`.
    """
    require_positive(batch_size=batch_size, clip_frames=clip_frames)
    clips = PitchedClips(
        Path(folder), spec, "validation", clip_frames, instruments, level, on_damage, further=further
    )
    return validation_batches(clips, batch_size=batch_size)


@dataclass(frozen=True)
class Clip:
    """A clip: number of its passage, frame that it begins with, and what is done to it."""

    passage: int
    first: int
    change: Change = _AS_IT_IS


class PitchedClips:
    """The clips of one length that can be cut from a split: pitch, loudness and sound.

    Recordings that are shorter than a clip, such as single notes, are joined with silence.

    Args:
        folder: Folder of the dataset.
        spec: The frame grid of the clips.
        split: `"train"` or `"validation"`.
        clip_frames: Integer > 0, frames of a clip.
        instruments: Of a model that plays several: for each the names of its recordings, as a pattern.
        level: `"loudness"`, or `"power"` in its place.
        on_damage: As in `training_dataset`.
        augmentation: How far clips that are drawn are changed at random; not at all if None.
        further: Names of further features.
        several_notes: As in `training_dataset`. Where nothing would be left of an instrument, its clips all
            stay.

    Raises:
        DdspError: As `training_dataset`, or if `several_notes` is neither.
    """

    def __init__(
        self,
        folder: Path,
        spec: FrameSpec,
        split: str,
        clip_frames: int,
        instruments: Mapping[str, str] | None,
        level: str,
        on_damage: OnDamage | None,
        *,
        augmentation: AugmentationConfig | None = None,
        further: Sequence[str] = (),
        several_notes: str = "keep",
    ) -> None:
        if several_notes not in SEVERAL_NOTES:
            raise DdspError(
                f"several_notes must be one of {', '.join(SEVERAL_NOTES)}. Received: {several_notes!r}"
            )
        self._info = load_dataset_info(folder)
        self._level = level
        self._further = tuple(further)
        self._spec = spec
        self._augmentation = augmentation
        check_sample_rate(folder, self._info, spec)
        every: list[RecordPlace] = []
        short: dict[bytes, list[RecordPlace]] = {}  # by the instrument that plays
        weights: dict[RecordPlace, Array] = {}  # of the instruments
        chords = Chords(spec) if several_notes == "leave_out" else None
        whole = _whole_recordings(self._info)
        self._clip_frames = clip_frames
        clip_samples = spec.n_samples(clip_frames)
        for place, record in read_records(folder, self._info, split, on_damage=on_damage):
            every.append(place)
            if chords is not None:
                chords.add(place, PitchedRecord.of(record))
            if instruments:
                weights[place] = Instruments(instruments).weights_of(record.source)
            if place.n_samples < clip_samples and not record.first_sample and record.source in whole:
                short.setdefault(weights[place].tobytes() if instruments else b"", []).append(place)
        self.passages = [
            Joined((place,), place.n_samples) for place in every if place.n_samples >= clip_samples
        ]
        long = {weights[passage.places[0]].tobytes() if instruments else b"" for passage in self.passages}
        for instrument, places in short.items():
            pad = split == "validation" and instrument not in long
            stored_hop = self._info.features["f0_hz"].hop
            self.passages += joined(places, clip_samples, spec.sample_rate, stored_hop, pad=pad)
        if not every:
            raise DdspError(
                f"{folder} has no {split} passages: it was prepared with data.validation_share "
                f"{self._info.validation_share:g}"
            )
        if not self.passages:
            longest = max(place.n_samples for place in every) / spec.sample_rate
            raise DdspError(
                f"{folder}: no {split} passage is as long as a clip of {spec.seconds(clip_frames):g} s. Set "
                f"training.clip_seconds to at most {longest:g}, or add recordings"
            )
        self._weights = [weights[passage.places[0]] for passage in self.passages] if instruments else []
        self._one_note = self._chosen({} if chords is None else chords.told())

        if split == "train" and instruments:
            heard = sum(self._weights)
            silent = [name for name, weight in zip(instruments, np.ravel(heard), strict=True) if not weight]
            if silent:
                raise DdspError(
                    f"{folder}: no training passage of a clip's length is by the instrument {silent[0]!r}, "
                    f"recordings named {instruments[silent[0]]!r} (model.instruments)"
                )

    def _chosen(self, one_note: dict[RecordPlace, OneNote]) -> list[OneNote | None]:
        """What says where clips of each passage begin; None where they may begin anywhere.

        In recordings that are joined, or made longer by silence, they may, and in all of an instrument of
        which nothing would be left else.
        """
        found = [
            one_note.get(passage.places[0]) if passage.n_samples == passage.places[0].n_samples else None
            for passage in self.passages
        ]
        players = [weight.tobytes() for weight in self._weights] or [b""] * len(self.passages)
        left = {
            player
            for player, passage, one in zip(players, self.passages, found, strict=True)
            if self._fitting_in(passage, one)
        }
        return [one if player in left else None for one, player in zip(found, players, strict=True)]

    def fitting(self) -> Array:
        """How many clips fit into each passage side by side, `[passages]`; fewer where not all will do."""
        return np.array(list(map(self._fitting_in, self.passages, self._one_note)))

    def _fitting_in(self, passage: Joined, one_note: OneNote | None) -> int:
        """How many clips fit into a passage, less by the share of those that will not do."""
        fitting = passage.n_samples // self._spec.n_samples(self._clip_frames)
        if one_note is None:
            return fitting
        every = self._spec.n_frames(passage.n_samples) - self._clip_frames + 1
        return math.ceil(fitting * len(one_note.starts(self._clip_frames)) / every)

    @property
    def shapes(self) -> Shapes:
        """`f0_hz`, `loudness_db` and further features `[frames, 1]`, where there are several instruments
        their weights `instrument` `[1, instruments]`; the sound `[frames * hop]`.
        """
        frames = self._clip_frames
        names = ("f0_hz", "loudness_db", *self._further)
        inputs: dict[str, tuple[int | None, ...]] = dict.fromkeys(names, (frames, 1))
        if self._weights:
            inputs["instrument"] = (1, len(self._weights[0]))
        return inputs, (self._spec.n_samples(frames),)

    def draw(self, passage: int, seed: int, number: int) -> Clip:
        """Cut a clip at a random frame, and change it at random."""
        n_frames = self._spec.n_frames(self.passages[passage].n_samples)
        change = _AS_IT_IS
        if self._augmentation is not None:
            rng = np.random.default_rng([seed, _CHANGE_STREAM, number])
            change = draw_change(self._augmentation, rng, n_frames, self._clip_frames)
        taken = min(frames_taken(self._clip_frames, change.ratio), n_frames)
        one_note = self._one_note[passage]
        starts = np.arange(n_frames - taken + 1) if one_note is None else one_note.starts(taken)
        if one_note is not None and not len(starts):  # no longer part will do: then as it was played
            change = replace(change, ratio=1.0)
            starts = one_note.starts(self._clip_frames)
        first = int(starts[np.random.default_rng([seed, _CLIP_STREAM, number]).integers(len(starts))])
        return Clip(passage, first, change)

    def place(self, passage: int, part: int) -> Clip:
        """The clip number `part` of a passage, without overlap."""
        return Clip(passage, part * self._clip_frames)

    def stack(self, examples: Sequence[Clip]) -> tuple[dict[str, Array], Array]:
        """Read clips; inputs and sound as `shapes` says, `[batch, ...]`."""
        clips, sounds = zip(*map(self.read, examples), strict=True)
        inputs = {name: np.stack([clip[name] for clip in clips])[..., np.newaxis] for name in clips[0]}
        audio = np.stack(sounds)
        if self._weights:
            weights = np.stack([self._weights[clip.passage] for clip in examples])
            inputs["instrument"] = weights[:, np.newaxis]
        return inputs, audio

    def read(self, clip: Clip) -> tuple[dict[str, Array], Array]:
        """Read a clip; return its features `[frames]` by name, and its audio."""
        record = self.passages[clip.passage].read()
        hop, first, end = self._spec.hop, clip.first, clip.first + self._clip_frames
        change = clip.change
        if change.ratio == 1.0:
            passage = passage_from_record(record, self._info, self._spec)
            level = level_db(self._level, passage.audio, passage.loudness_db, self._spec)
            f0_hz, loudness = passage.f0_hz[first:end], level[first:end]
            audio = passage.audio[first * hop : end * hop]
            sound, pitch, voicing, part = passage.audio, passage.f0_hz, passage.voicing, slice(first, end)
        else:
            start_hz = self._info.f0_hz_range.median
            f0_hz, loudness, audio = shifted(
                record, self._spec, first, self._clip_frames, change.ratio, start_hz, self._level
            )
            heard = hop * (first + change.ratio * (1.0 + np.arange(self._clip_frames)))
            stored = (np.arange(record.n_frames) + 1.0) * record.hop
            sound, pitch, voicing = audio, f0_hz, np.interp(heard, stored, record.voicing)
            part = slice(0, self._clip_frames)
        further = further_features(self._further, sound, pitch, voicing, self._spec, part)
        if change.gain_db:
            audio, loudness = amplified(audio, loudness, change.gain_db, self._level)
        return {"f0_hz": f0_hz, "loudness_db": loudness, **further}, audio


def _whole_recordings(info: DatasetInfo) -> set[str]:
    """Names of the recordings that are one passage."""
    return {file.name for file in info.files if file.passages == 1}
