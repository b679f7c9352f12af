"""Recordings of clean sound, of noise and of rooms become records of one sound each."""

import re
from collections import defaultdict
from typing import Any

import numpy as np

from ddsp_tf.data.prepare.analysis import as_float, to_int16
from ddsp_tf.data.prepare.passages import Cut
from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.prepare.split import ValidationSplit
from ddsp_tf.data.records.journal import Silence
from ddsp_tf.data.records.schema import Record
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.restoration.config import RestorationConfig

AUDIO = "audio"
CLEAN, NOISE, ROOMS = "clean", "noise", "rooms"
SILENCE_DB = -75.0
"""A passage whose 20 ms are never louder (dB re full scale, mean square) holds nothing to learn from."""
MEMORY_MIB = 60.0


class SourceExtractor:
    """Takes passages as they are, but for silence.

    Args:
        spec: The frame grid.
        audio_format: `"int16"` or `"float32"`.
    """

    context_seconds = 0.0
    parallel = False

    def __init__(self, spec: FrameSpec, audio_format: str) -> None:
        self._spec, self._float = spec, audio_format == "float32"

    def memory_mib(self, seconds: float) -> float:
        """Python and numpy."""
        return MEMORY_MIB

    def __call__(self, cut: Cut) -> Record | Silence:
        """Keep a passage."""
        hop = self._spec.hop
        audio = cut.audio[cut.lead_frames * hop : (cut.lead_frames + cut.n_frames) * hop]
        block = min(len(audio), max(1, self._spec.sample_rate // 50))
        power = np.mean(np.reshape(audio[: len(audio) // block * block], (-1, block)) ** 2, axis=1)
        if power.max() <= 10.0 ** (SILENCE_DB / 10.0):
            return Silence(cut.source, cut.first_sample, len(audio))
        return Record(
            sounds={AUDIO: np.asarray(audio, np.float32) if self._float else to_int16(audio)},
            features={},
            source=cut.source,
            first_sample=cut.first_sample,
            sample_rate=self._spec.sample_rate,
            group=cut.group,
        )


class SourceStatistics:
    """Seconds to train on, and recordings, of each group."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)
        self._sources: dict[str, set[str]] = defaultdict(set)

    def add(self, record: Record) -> None:
        """Count a passage."""
        self._seconds[record.group] += record.n_samples / record.sample_rate
        self._sources[record.group].add(record.source)

    def summary(self) -> dict[str, Any]:
        """`seconds` and `recordings` by group."""
        recordings = {group: len(sources) for group, sources in self._sources.items()}
        return {"seconds": {k: round(v, 3) for k, v in self._seconds.items()}, "recordings": recordings}


class SourcePreparation(Preparation):
    """Records of one sound, held back by speaker, recording and room.

    Of each group the recordings that belong together (`data.together`) are counted in the order in which they
    come, and held back or not as a whole: the second always is, so that two are enough.

    Args:
        config: The configuration.
    """

    def __init__(self, config: RestorationConfig) -> None:
        spec, data = config.spec, config.data
        super().__init__(
            spec,
            SourceExtractor(spec, data.audio),
            sounds={AUDIO: data.audio},
            features={},
            extractors={},
            settings={
                "sample_rate": spec.sample_rate,
                "data.audio": data.audio,
                "data.together": data.together,
            },
            passage_seconds=data.passage_seconds,
            validation_share=data.validation_share,
        )
        self._together = re.compile(data.together) if data.together else None
        self._numbers: dict[str, dict[str, int]] = defaultdict(dict)

    def statistics(self) -> SourceStatistics:
        """Of the groups."""
        return SourceStatistics()

    def is_validation(self, number: int, record: Record) -> bool:
        """Whether what a recording belongs to is held back."""
        known = self._numbers[record.group]
        place = known.setdefault(self.belongs_to(record.source), len(known))
        return ValidationSplit(self.validation_share).is_validation(place)

    def belongs_to(self, source: str) -> str:
        """What recordings have in common that are held back together, of the name of one."""
        found = self._together.search(source) if self._together is not None else None
        if found is None:
            return source
        return found[1] if found.re.groups and found[1] is not None else found[0]

    def refusal(self, summary: dict[str, Any]) -> str:
        """Without clean sound there is nothing to learn."""
        if summary["seconds"].get(CLEAN):
            return ""
        return (
            "no clean sound is there to train on: name recordings of it by --clean, of two speakers at least"
        )


def sound_of(record: Record) -> np.ndarray:
    """The sound of a record, float32, full scale 1."""
    return np.asarray(as_float(record.sounds[AUDIO]), np.float32)
