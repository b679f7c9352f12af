"""Sections of the configurations of networks that are trained on the speech of many people."""

import re
from dataclasses import dataclass

from ddsp_tf.config.sections import RecordingsConfig
from ddsp_tf.config.values import in_range
from ddsp_tf.errors import DdspError


@dataclass(frozen=True)
class SpeechConfig(RecordingsConfig):
    """How recordings of speech become a dataset.

    Args:
        held_back: A regular expression; recordings whose names hold it are held back for validation, and
            nothing else is. If empty, a share of all passages is. Hold back whole speakers.
    """

    held_back: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            re.compile(self.held_back)
        except re.error as error:
            raise DdspError(
                f"data.held_back must be a regular expression. Received: {self.held_back!r}: {error}"
            ) from error


@dataclass(frozen=True)
class ChangesConfig:
    """How clips are changed while training, so that who speaks, and where, tells nothing.

    Args:
        speed: Clips are played faster or slower by up to this share, which moves pitch and formants too.
        equaliser_db: How strong smooth colours are, dB: sums of cosines, whose peaks may be two fifths more.
        noise_share: Share of the clips that have noise under them.
        noise_min_db: Its level re the speech, dB, at least.
        noise_max_db: And at most.
    """

    speed: float = 0.2
    equaliser_db: float = 8.0
    noise_share: float = 0.4
    noise_min_db: float = -50.0
    noise_max_db: float = -15.0

    def __post_init__(self) -> None:
        in_range("changes.speed", self.speed, 0.0, 0.45)
        in_range("changes.equaliser_db", self.equaliser_db, 0.0, 24.0)
        in_range("changes.noise_share", self.noise_share, 0.0, 1.0)
        in_range("changes.noise_min_db", self.noise_min_db, -100.0, 0.0)
        in_range("changes.noise_max_db", self.noise_max_db, self.noise_min_db, 0.0)
