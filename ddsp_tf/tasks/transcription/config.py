"""Its configuration."""

from dataclasses import dataclass, field

from ddsp_edge.transcription.names import checked_names
from ddsp_edge.transcription.spectra import HOP, SAMPLE_RATE
from ddsp_tf.config.sections import Config, RecordingsConfig
from ddsp_tf.config.values import in_range
from ddsp_tf.errors import DdspError


@dataclass(frozen=True)
class SoloDataConfig(RecordingsConfig):
    """How recordings and their notes become a dataset.

    Args:
        held_back: Words; recordings with one of them in their name, folders included, are held back for
            validation, and nothing else is. If empty, a share of all passages is. Name whole sample
            libraries, or players: passages of one that was trained on say little of others.
    """

    held_back: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(not word.strip() for word in self.held_back):
            raise DdspError(f"data.held_back must not hold empty words. Received: {list(self.held_back)}")


@dataclass(frozen=True)
class TranscriberConfig:
    """The network, which is shared over pitch.

    Args:
        channels: Integer, channels of its layers.
        lookahead_frames: Integer, frames of 20 ms that it waits before it speaks of one.
        lowest_midi: Integer, MIDI note of the lowest pitch.
        octaves: Integer, octaves from there on.
    """

    channels: int = 32
    lookahead_frames: int = 5
    lowest_midi: int = 28
    octaves: int = 6

    def __post_init__(self) -> None:
        in_range("network.channels", self.channels, 4, 256)
        in_range("network.lookahead_frames", self.lookahead_frames, 0, 20)
        in_range("network.lowest_midi", self.lowest_midi, 24, 60)
        in_range("network.octaves", self.octaves, 1, 7)
        if self.lowest_midi + 12 * self.octaves > 119:
            raise DdspError(
                "network.lowest_midi + 12 * network.octaves must be at most 119, the last note below 8 kHz. "
                f"Received: {self.lowest_midi} + 12 * {self.octaves}"
            )

    @property
    def pitches(self) -> int:
        """How many pitches there are."""
        return 12 * self.octaves


@dataclass(frozen=True)
class NamingConfig:
    """What names notes, and what it learns from before the first step.

    Args:
        mixtures: Integer, mixtures whose notes it hears; 0 for a transcriber that names nothing.
        rounds: Integer, how often it hears each of these notes.
        units: Integer, width of its first layer; the second has half of it.
    """

    mixtures: int = 6000
    rounds: int = 20
    units: int = 160

    def __post_init__(self) -> None:
        in_range("naming.mixtures", self.mixtures, 0, 1_000_000)
        in_range("naming.rounds", self.rounds, 1, 10_000)
        in_range("naming.units", self.units, 2, 4096)


@dataclass(frozen=True)
class MixingConfig:
    """How clips are mixed while training, each by itself and by its number.

    Args:
        most_parts: Integer, instruments in a mixture at most, but for recordings that have more themselves.
        semitones: Integer, each is transposed by up to this many semitones up or down, by resampling.
        cents: The whole is out of tune by up to so many cents.
        level_db: Parts are softer than the loudest by up to so many dB.
        room_share: Share of the mixtures that are heard in a room.
        softest_noise_db: Noise relative to the sound, dB, at least.
        loudest_noise_db: And at most.
    """

    most_parts: int = 5
    semitones: int = 3
    cents: float = 20.0
    level_db: float = 14.0
    room_share: float = 0.5
    softest_noise_db: float = -70.0
    loudest_noise_db: float = -28.0

    def __post_init__(self) -> None:
        in_range("mixing.most_parts", self.most_parts, 1, 16)
        in_range("mixing.semitones", self.semitones, 0, 12)
        in_range("mixing.cents", self.cents, 0.0, 50.0)
        in_range("mixing.level_db", self.level_db, 0.0, 60.0)
        in_range("mixing.room_share", self.room_share, 0.0, 1.0)
        in_range("mixing.softest_noise_db", self.softest_noise_db, -120.0, 0.0)
        in_range("mixing.loudest_noise_db", self.loudest_noise_db, self.softest_noise_db, 0.0)


@dataclass(frozen=True, kw_only=True)
class TranscriptionConfig(Config):
    """The configuration of a transcriber.

    Args:
        data: How recordings and their notes become a dataset.
        network: The network.
        mixing: How clips are mixed while training.
        naming: What names notes.
        names: Instruments that it tells apart; of the names in `ddsp_edge.transcription.names`.
    """

    data: SoloDataConfig = field(default_factory=SoloDataConfig)
    network: TranscriberConfig = field(default_factory=TranscriberConfig)
    mixing: MixingConfig = field(default_factory=MixingConfig)
    naming: NamingConfig = field(default_factory=NamingConfig)
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.spec.sample_rate, self.spec.hop) != (SAMPLE_RATE, HOP):
            raise DdspError(
                f"a transcriber hears {SAMPLE_RATE} Hz in frames of {HOP} samples: sample_rate must be "
                f"{SAMPLE_RATE} and frame_rate {SAMPLE_RATE // HOP}. Received: {self.sample_rate}, "
                f"{self.frame_rate}"
            )
        if self.names:
            object.__setattr__(self, "names", checked_names(self.names))
