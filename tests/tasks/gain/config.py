"""Its configuration."""

from dataclasses import dataclass, field

from ddsp_tf.config.sections import Config
from ddsp_tf.config.values import in_range


@dataclass(frozen=True)
class NetworkConfig:
    """The network.

    Args:
        units: Integer, width of its layers.
    """

    units: int = 64

    def __post_init__(self) -> None:
        in_range("network.units", self.units, 1, 1024)


@dataclass(frozen=True, kw_only=True)
class GainConfig(Config):
    """The configuration of a compressor that is learned.

    Args:
        network: The network.
        threshold_db: Level from which on it compresses, dB.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    threshold_db: float = -30.0

    def __post_init__(self) -> None:
        super().__post_init__()
        in_range("threshold_db", self.threshold_db, -120.0, 0.0)
