"""Its configuration."""

from dataclasses import dataclass, field

from ddsp_tf.config.sections import Config
from ddsp_tf.config.values import in_range
from ddsp_tf.errors import DdspError
from ddsp_tf.speech.config import ChangesConfig, SpeechConfig

SAMPLE_RATE = 16_000
"""Of the recogniser that labels."""


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
class ContentChangesConfig(ChangesConfig):
    """How clips are changed while training, so that who speaks, and where, tells nothing.

    Args:
        warp: Formants alone are moved by up to this share, by other mel bands.
    """

    warp: float = 0.12

    def __post_init__(self) -> None:
        super().__post_init__()
        in_range("changes.warp", self.warp, 0.0, 0.3)


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
    changes: ContentChangesConfig = field(default_factory=ContentChangesConfig)

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
