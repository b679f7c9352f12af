"""From recordings of speech to records: the sound, and the phone of every frame."""

import re
from typing import Any

import numpy as np

from ddsp_edge.features.log_mel import log_mel
from ddsp_edge.units import Array
from ddsp_tf.data.prepare.analysis import to_int16
from ddsp_tf.data.prepare.passages import Cut
from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.records.journal import Silence
from ddsp_tf.data.records.parts import FeatureForm
from ddsp_tf.data.records.schema import Feature, Record
from ddsp_tf.frames import FrameSpec
from ddsp_tf.speech.recogniser import (
    HOP,
    check_recogniser,
    phone_probabilities,
    recogniser_version,
)
from ddsp_tf.tasks.content.alignment import aligned, read_tokens
from ddsp_tf.tasks.content.config import ContentConfig
from ddsp_tf.tasks.content.phones import PHONES, SILENCE, UNKNOWN, phone_of

AUDIO, PHONE = "audio", "phone"
_SILENT = 1e-4  # of full scale, -80 dB
_WORD_BOUNDARY = "<wb>"


class PhoneExtractor:
    """Labels the frames of passages.

    Args:
        spec: The frame grid.
        audio: `"int16"` or `"float32"`, how sound is kept.
    """

    context_seconds = 0.5
    parallel = False

    def __init__(self, spec: FrameSpec, audio: str) -> None:
        self.spec, self._audio = spec, audio

    def memory_mib(self, seconds: float) -> float:
        """Python, numpy and the recogniser."""
        return 200.0

    def __call__(self, cut: Cut) -> Record | Silence:
        """Label a passage within the sound around it."""
        hop, rate = self.spec.hop, self.spec.sample_rate
        part = slice(cut.lead_frames, cut.lead_frames + cut.n_frames)
        audio = cut.audio[part.start * hop : part.stop * hop]
        if np.abs(audio).max(initial=0.0) < _SILENT:
            return Silence(cut.source, cut.first_sample, len(audio))
        labels = phone_labels(cut.audio, self.spec)[part]
        return Record(
            sounds={AUDIO: to_int16(audio) if self._audio == "int16" else np.asarray(audio, np.float32)},
            features={PHONE: Feature(labels.astype(np.float32), hop)},
            source=cut.source,
            first_sample=cut.first_sample,
            sample_rate=rate,
        )


def phone_labels(audio: Array, spec: FrameSpec) -> Array:
    """The phone of every frame of a sound, numbers among `PHONES`, `UNKNOWN` of others; `[frames]`."""
    probabilities, names, blank = phone_probabilities(audio)
    tokens, peaks = read_tokens(probabilities, blank)
    spoken = [i for i, token in enumerate(tokens) if names[int(token)] != _WORD_BOUNDARY]
    # The middle of a frame of the recogniser, as a frame that stands for the sample at its end.
    places = (peaks[spoken] + 0.5) * HOP / spec.hop - 1.0
    numbers = [phone_of(names[int(tokens[i])]) for i in spoken]
    marked = [UNKNOWN - 1 if number == UNKNOWN else number for number in numbers]
    labels = aligned(log_mel(audio, spec), marked, places.tolist(), SILENCE, float(spec.frame_rate))
    return np.maximum(labels, UNKNOWN)


class ContentPreparation(Preparation):
    """As every preparation, with recordings held back by their names.

    Args:
        config: The configuration.

    Raises:
        DdspError: If the recogniser is not there.
    """

    def __init__(self, config: ContentConfig) -> None:
        check_recogniser()
        spec, data = config.spec, config.data
        settings: dict[str, Any] = {
            "sample_rate": spec.sample_rate,
            "hop": spec.hop,
            "data.audio": data.audio,
            "data.held_back": data.held_back,
        }
        super().__init__(
            spec,
            PhoneExtractor(spec, data.audio),
            sounds={AUDIO: data.audio},
            features={PHONE: FeatureForm(spec.hop)},
            extractors={PHONE: {"name": f"hama {recogniser_version()}, aligned", "phones": list(PHONES)}},
            settings=settings,
            passage_seconds=data.passage_seconds,
            validation_share=data.validation_share,
        )
        self._held_back = re.compile(data.held_back) if data.held_back else None

    def is_validation(self, number: int, record: Record) -> bool:
        """Whether a passage is held back: by the name of its recording, else by share."""
        if self._held_back is not None:
            return self._held_back.search(record.source) is not None
        return super().is_validation(number, record)
