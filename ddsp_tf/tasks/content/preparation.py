"""From recordings of speech to records: the sound, and the phone of every frame."""

import numpy as np

from ddsp_edge.features.log_mel import log_mel
from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec
from ddsp_tf.speech.preparation import SpeechExtractor, SpeechPreparation
from ddsp_tf.speech.recogniser import (
    HOP,
    check_recogniser,
    phone_probabilities,
    recogniser_version,
)
from ddsp_tf.tasks.content.alignment import aligned, read_tokens
from ddsp_tf.tasks.content.config import ContentConfig
from ddsp_tf.tasks.content.phones import PHONES, SILENCE, UNKNOWN, phone_of

PHONE = "phone"
_WORD_BOUNDARY = "<wb>"


class PhoneExtractor(SpeechExtractor):
    """See `ddsp_tf.speech.preparation.SpeechExtractor`."""

    label = PHONE

    def memory_mib(self, seconds: float) -> float:
        """Python, numpy and the recogniser."""
        return 200.0

    def labels(self, audio: Array) -> Array:
        """The phone of every frame of a sound."""
        return phone_labels(audio, self.spec)


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


class ContentPreparation(SpeechPreparation):
    """See `ddsp_tf.speech.preparation.SpeechPreparation`.

    Args:
        config: The configuration.

    Raises:
        DdspError: If the recogniser is not there.
    """

    def __init__(self, config: ContentConfig) -> None:
        check_recogniser()
        labelled_by = {"name": f"hama {recogniser_version()}, aligned", "phones": list(PHONES)}
        super().__init__(config, config.data, PhoneExtractor(config.spec, config.data.audio), labelled_by)
