"""Its configuration."""

import re
from dataclasses import dataclass, field

from ddsp_tf.config.sections import Config, RecordingsConfig
from ddsp_tf.config.values import in_range
from ddsp_tf.errors import DdspError

SAMPLE_RATE = 16_000
"""Of the recogniser that labels."""


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
class EncoderConfig:
    """The encoder.

    Args:
        channels: Integer, channels of the convolutions.
        units: Integer, width of the recurrent layer.
        content: Integer, channels of the bottleneck.
        lookahead_frames: Integer, frames that it waits before it speaks of one.
        dropout: Share of the channels that are left out in a step.
    """

    channels: int = 96
    units: int = 96
    content: int = 16
    lookahead_frames: int = 5
    dropout: float = 0.1

    def __post_init__(self) -> None:
        in_range("network.channels", self.channels, 8, 1024)
        in_range("network.units", self.units, 8, 1024)
        in_range("network.content", self.content, 2, 256)
        in_range("network.lookahead_frames", self.lookahead_frames, 0, 50)
        in_range("network.dropout", self.dropout, 0.0, 0.9)


@dataclass(frozen=True)
class ChangesConfig:
    """How clips are changed while training, so that who speaks, and where, tells nothing.

    Args:
        speed: Clips are played faster or slower by up to this share, which moves pitch and formants too.
        warp: Formants alone are moved by up to this share, by other mel bands.
        equaliser_db: Smooth colours of up to so many dB.
        noise_share: Share of the clips that have noise under them.
        noise_min_db: Its level re the speech, dB, at least.
        noise_max_db: And at most.
    """

    speed: float = 0.2
    warp: float = 0.12
    equaliser_db: float = 8.0
    noise_share: float = 0.4
    noise_min_db: float = -50.0
    noise_max_db: float = -15.0

    def __post_init__(self) -> None:
        in_range("changes.speed", self.speed, 0.0, 0.45)
        in_range("changes.warp", self.warp, 0.0, 0.3)
        in_range("changes.equaliser_db", self.equaliser_db, 0.0, 24.0)
        in_range("changes.noise_share", self.noise_share, 0.0, 1.0)
        in_range("changes.noise_min_db", self.noise_min_db, -100.0, 0.0)
        in_range("changes.noise_max_db", self.noise_max_db, self.noise_min_db, 0.0)


@dataclass(frozen=True, kw_only=True)
class ContentConfig(Config):
    """The configuration of a content encoder.

    Args:
        data: How recordings become a dataset.
        network: The encoder.
        changes: How clips are changed while training.
    """

    data: SpeechConfig = field(default_factory=SpeechConfig)
    network: EncoderConfig = field(default_factory=EncoderConfig)
    changes: ChangesConfig = field(default_factory=ChangesConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sample_rate != SAMPLE_RATE:
            raise DdspError(
                f"a content encoder hears {SAMPLE_RATE} Hz: sample_rate must be that. Received: "
                f"{self.sample_rate}"
            )
        if self.training.precision != "float32":
            raise DdspError(
                "training.precision must be float32: a content encoder computes in nothing else. "
                f"Received: {self.training.precision!r}"
            )
