"""From recordings of speech to records: the sound, and a label of every frame."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.config.sections import Config
from ddsp_tf.data.prepare.analysis import to_int16
from ddsp_tf.data.prepare.passages import Cut
from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.records.journal import Silence
from ddsp_tf.data.records.parts import FeatureForm
from ddsp_tf.data.records.schema import Feature, Record
from ddsp_tf.frames import FrameSpec
from ddsp_tf.speech.config import SpeechConfig

AUDIO = "audio"
"""The sound of a record."""
_SILENT = 1e-4  # of full scale, -80 dB


class SpeechExtractor(ABC):
    """Labels the frames of passages; sub-classes say with what.

    Args:
        spec: The frame grid.
        audio: `"int16"` or `"float32"`, how sound is kept.

    Attributes:
        label: How the label is named in records.
    """

    label: str
    context_seconds = 0.5
    parallel = False

    def __init__(self, spec: FrameSpec, audio: str) -> None:
        self.spec, self._audio = spec, audio

    @abstractmethod
    def memory_mib(self, seconds: float) -> float:
        """As `ddsp_tf.data.prepare.preparation.Extractor` has it."""

    @abstractmethod
    def labels(self, audio: Array) -> Array:
        """The label of every frame of a sound `[samples]`, `[frames]`."""

    def __call__(self, cut: Cut) -> Record | Silence:
        """Label a passage within the sound around it."""
        hop = self.spec.hop
        part = slice(cut.lead_frames, cut.lead_frames + cut.n_frames)
        audio = cut.audio[part.start * hop : part.stop * hop]
        if np.abs(audio).max(initial=0.0) < _SILENT:
            return Silence(cut.source, cut.first_sample, len(audio))
        labels = self.labels(cut.audio)[part]
        return Record(
            sounds={AUDIO: to_int16(audio) if self._audio == "int16" else np.asarray(audio, np.float32)},
            features={self.label: Feature(labels.astype(np.float32), hop)},
            source=cut.source,
            first_sample=cut.first_sample,
            sample_rate=self.spec.sample_rate,
        )


class SpeechPreparation(Preparation):
    """As every preparation, with recordings held back by their names.

    Args:
        config: The configuration.
        data: Its section `data`.
        extractor: What labels.
        labelled_by: What that is, plain data, with a `name`.
        settings: What else labels depend on, plain data under names that a user knows.
    """

    def __init__(
        self,
        config: Config,
        data: SpeechConfig,
        extractor: SpeechExtractor,
        labelled_by: dict[str, Any],
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        spec = config.spec
        super().__init__(
            spec,
            extractor,
            sounds={AUDIO: data.audio},
            features={extractor.label: FeatureForm(spec.hop)},
            extractors={extractor.label: labelled_by},
            settings={
                "sample_rate": spec.sample_rate,
                "hop": spec.hop,
                "data.audio": data.audio,
                "data.held_back": data.held_back,
                **(settings or {}),
            },
            passage_seconds=data.passage_seconds,
            validation_share=data.validation_share,
        )
        self._held_back = re.compile(data.held_back) if data.held_back else None

    def is_validation(self, number: int, record: Record) -> bool:
        """Whether a passage is held back: by the name of its recording, else by share."""
        if self._held_back is not None:
            return self._held_back.search(record.source) is not None
        return super().is_validation(number, record)
