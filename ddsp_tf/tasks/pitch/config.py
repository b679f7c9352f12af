"""Its configuration."""

from dataclasses import dataclass, field

from ddsp_tf.config.sections import Config
from ddsp_tf.config.values import in_range, one_of
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0_estimators import ESTIMATORS
from ddsp_tf.speech.config import ChangesConfig, SpeechConfig

SAMPLE_RATE = 16_000
"""Of voices and their content encoder."""


@dataclass(frozen=True)
class PitchDataConfig(SpeechConfig):
    """How recordings of speech become a dataset.

    Args:
        f0: The estimator that labels; see `make_f0_estimator`.
        f0_min_hz: Lowest pitch, Hz.
        f0_max_hz: Highest pitch, Hz.
    """

    f0: str = "harvest"
    f0_min_hz: float = 60.0
    f0_max_hz: float = 500.0

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("data.f0", self.f0, ESTIMATORS)
        if not 40.0 <= self.f0_min_hz < self.f0_max_hz <= 2000.0:
            raise DdspError(
                "data.f0_min_hz and data.f0_max_hz must rise within 40 to 2000 Hz. "
                f"Received: {self.f0_min_hz}, {self.f0_max_hz}"
            )


@dataclass(frozen=True)
class TrackerConfig:
    """The network.

    Args:
        channels: Integer, channels of the convolutions.
        units: Integer, width of the recurrent layer.
        lookahead_frames: Integer, frames that it waits before it speaks of one.
    """

    channels: int = 96
    units: int = 96
    lookahead_frames: int = 3

    def __post_init__(self) -> None:
        in_range("network.channels", self.channels, 8, 1024)
        in_range("network.units", self.units, 8, 1024)
        in_range("network.lookahead_frames", self.lookahead_frames, 0, 50)


@dataclass(frozen=True, kw_only=True)
class PitchConfig(Config):
    """The configuration of a network that hears the pitch of speech.

    Args:
        data: How recordings become a dataset.
        network: The network.
        changes: How clips are changed while training.
    """

    data: PitchDataConfig = field(default_factory=PitchDataConfig)
    network: TrackerConfig = field(default_factory=TrackerConfig)
    changes: ChangesConfig = field(default_factory=ChangesConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sample_rate != SAMPLE_RATE:
            raise DdspError(
                f"the pitch of speech is heard at {SAMPLE_RATE} Hz: sample_rate must be that. Received: "
                f"{self.sample_rate}"
            )
        if self.training.precision != "float32":
            raise DdspError(
                "training.precision must be float32: a tracker computes in nothing else. "
                f"Received: {self.training.precision!r}"
            )
