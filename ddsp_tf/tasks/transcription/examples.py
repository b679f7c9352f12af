"""Its clips: mixtures in as spectra, piano rolls out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ddsp_edge.transcription.harmonics import N_FEATURES, Span, fit_note
from ddsp_edge.transcription.names import NAMES
from ddsp_edge.transcription.spectra import N_BINS, WINDOWS, log_spectra
from ddsp_edge.units import Array
from ddsp_tf.data.batches import Shape, Shapes
from ddsp_tf.data.prepare.analysis import as_float
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.data.records.schema import Record
from ddsp_tf.data.records.shards import OnDamage, RecordPlace, read_records
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.transcription.config import TranscriptionConfig
from ddsp_tf.tasks.transcription.mixing import Solo, mixed
from ddsp_tf.tasks.transcription.rolls import UNKNOWN, note_roll

LEAD_FRAMES = 7
"""Frames of sound before and after a clip that its windows reach: 2048 samples and a little."""

_LEVEL_DB, _NOISE_DB = 6.0, -45.0  # of mixtures to validate on, at most
NAMED_NOTES = 16
"""Of a clip, that are to be named; chosen at random, where there are as many."""


@dataclass(frozen=True)
class Clip:
    """Which passages are mixed, the numbers that chance comes from, and how many instruments that makes."""

    passages: tuple[int, ...]
    seed: tuple[int, ...]
    instruments: int


class MixtureExamples:
    """Mixtures of the passages of a split.

    Args:
        data: Folder of the dataset.
        split: `"train"` or `"validation"`.
        config: The configuration.
        on_damage: As in `read_records`.
        frames: Integer, frames of a clip; None for those of the configuration.

    Raises:
        DdspError: If the split holds no passage that is long enough.
    """

    def __init__(
        self,
        data: Path,
        split: str,
        config: TranscriptionConfig,
        on_damage: OnDamage | None = None,
        frames: int | None = None,
    ) -> None:
        self.config, self.spec, self._split = config, config.spec, split
        self.frames = frames or self.spec.frames_for(config.training.clip_seconds)
        mixing = config.mixing
        if split == "validation":  # as people play together: at similar levels, in the keys of their pieces
            level_db, noise_db = min(mixing.level_db, _LEVEL_DB), min(mixing.loudest_noise_db, _NOISE_DB)
            mixing = replace(
                mixing,
                semitones=0,
                level_db=level_db,
                loudest_noise_db=max(noise_db, mixing.softest_noise_db),
            )
        self._mixing = mixing
        info = load_dataset_info(data)
        found = read_records(data, info, split, on_damage=on_damage)
        least = self.frames * self.spec.hop
        kept = [(place, _instruments(record)) for place, record in found if place.n_samples >= least]
        self._places: list[RecordPlace] = [place for place, _ in kept]
        self._instruments = [count for _, count in kept]
        if not self._places:
            raise DdspError(
                f"{data} has no passage to {'train' if split == 'train' else 'validate'} on that is as long "
                f"as a clip, {self.spec.seconds(self.frames):g} s: training.clip_seconds must be shorter"
            )
        self._samples = (self.frames + 2 * LEAD_FRAMES) * self.spec.hop

    @property
    def shapes(self) -> Shapes:
        """Spectra, and piano rolls."""
        given: dict[str, Shape] = {"spectra": (self.frames, N_BINS, len(WINDOWS))}
        return given, {"roll": (self.frames, self.config.network.pitches, 4)}

    def fitting(self) -> Array:
        """Each passage leads as many training clips as fit into it; one clip to validate on."""
        fits = [place.n_samples // (self.frames * self.spec.hop) for place in self._places]
        return np.array([1] * len(fits) if self._split == "validation" else fits)

    def draw(self, passage: int, seed: int, number: int) -> Clip:
        """A passage, and others at random as far as there are not too many instruments."""
        rng = np.random.default_rng([seed, 11, number])
        most = int(rng.integers(1, self.config.mixing.most_parts + 1))
        return self._joined(passage, rng.integers(0, len(self._places), most - 1), most, (seed, 12, number))

    def place(self, passage: int, part: int) -> Clip:
        """A passage and those that follow it with a stride, always the same."""
        most = 1 + passage % self.config.mixing.most_parts
        stride = 1 + len(self._places) // (self.config.mixing.most_parts + 1)
        others = (passage + np.arange(1, most) * stride) % len(self._places)
        return self._joined(passage, others, most, (13, passage, part))

    def _joined(self, passage: int, others: Array, most: int, seed: tuple[int, ...]) -> Clip:
        chosen, count = [passage], self._instruments[passage]
        for other in map(int, others):
            if count + self._instruments[other] <= most:
                chosen.append(other)
                count += self._instruments[other]
        return Clip(tuple(chosen), seed, count)

    def mixture(self, clip: Clip) -> Solo:
        """The sound of a clip, with what its windows reach before and after, and its notes.

        Time of the notes counts from the first sample of the sound, which is `LEAD_FRAMES` before the clip.
        """
        solos = []
        for index in clip.passages:
            record = self._places[index].read()
            solos.append(Solo(as_float(record.sounds["audio"]), record.features["notes"].values))
        rng = np.random.default_rng(clip.seed)
        return mixed(solos, self._samples, self.spec.sample_rate, self._mixing, rng)

    def stack(self, examples: Sequence[Clip]) -> tuple[dict[str, Array], dict[str, Array]]:
        """Mix, and write down what is to be said of it."""
        made = [self._example(clip) for clip in examples]
        spectra, rolls = (np.stack(part) for part in zip(*made, strict=True))
        return {"spectra": spectra}, {"roll": rolls}

    def _example(self, clip: Clip) -> tuple[Array, Array]:
        """Spectra, and the roll."""
        mixture, network = self.mixture(clip), self.config.network
        part = slice(LEAD_FRAMES, LEAD_FRAMES + self.frames)
        heard = log_spectra(mixture.audio, self.spec)
        whole = note_roll(
            mixture.notes, self.spec, self.frames + LEAD_FRAMES, network.lowest_midi, network.pitches
        )
        # The network speaks of frame `t` when it has heard `t + lookahead`; of what was before the clip it
        # cannot speak.
        ahead = network.lookahead_frames
        roll = np.full((self.frames, network.pitches, 4), UNKNOWN, np.float32)
        roll[ahead:] = whole[LEAD_FRAMES : LEAD_FRAMES + self.frames - ahead]
        return heard[part], roll

    def named_notes(self, clip: Clip) -> tuple[Array, Array]:
        """Notes of a mixture whose instrument is known, each begun up to a frame early or late.

        Returns:
            Features `[notes, 66]`, and numbers of instruments `[notes]`; of 16 notes at most.
        """
        mixture = self.mixture(clip)
        spectra, table = log_spectra(mixture.audio, self.spec), mixture.notes
        rng, spans = np.random.default_rng([*clip.seed, 1]), spans_of(table, self.spec)
        features, names = [], []
        inside = [i for i, s in enumerate(spans) if 0 <= s.begin < len(spectra) - 4 and table[i, 4] >= 0]
        for index in rng.permutation(inside)[:NAMED_NOTES]:
            span = spans[int(index)]
            shift = int(rng.integers(-1, 2))
            moved = Span(span.pitch, max(0, span.begin + shift), span.end)
            fit = fit_note(spectra, 0, moved, [s for i, s in enumerate(spans) if i != index])
            if fit is not None:
                features.append(fit.features)
                names.append(int(table[int(index), 4]))
        return np.reshape(features, (-1, N_FEATURES)).astype(np.float32), np.array(names, np.int64)


def name_counts(data: Path) -> list[int]:
    """How many notes each instrument of `NAMES` plays in the training passages of a dataset."""
    counts = np.zeros(len(NAMES), np.int64)
    for _, record in read_records(data, load_dataset_info(data), "train"):
        numbers = record.features["notes"].values[:, 4].astype(int)
        counts += np.bincount(numbers[numbers >= 0], minlength=len(NAMES))
    return [int(count) for count in counts]


def _instruments(record: Record) -> int:
    """How many instruments play in a passage, 1 at least."""
    return max(1, len(np.unique(record.features["notes"].values[:, 4])))


def spans_of(table: Array, spec: FrameSpec) -> list[Span]:
    """Notes of a table in frames, each of two frames at least."""
    rate = spec.sample_rate / spec.hop
    spans = []
    for onset_s, offset_s, pitch, *_ in table:
        begin = round(float(onset_s) * rate) - 1
        spans.append(Span(round(float(pitch)), begin, max(begin + 2, round(float(offset_s) * rate) - 1)))
    return spans
