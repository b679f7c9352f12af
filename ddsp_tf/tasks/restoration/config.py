"""The sections of a configuration that are a restoration's own."""

import re
from dataclasses import dataclass, field

from ddsp_tf.config.sections import Config, RecordingsConfig
from ddsp_tf.config.values import in_range
from ddsp_tf.errors import DdspError


@dataclass(frozen=True)
class SourcesConfig(RecordingsConfig):
    """How recordings of clean sound, of noise and of rooms become a dataset.

    Args:
        together: Regular expression that is looked for in the name of a recording, such as
            `clean/speaker-12-03.flac`. Recordings in which it finds the same (its first group, if it has one)
            belong together, by speaker or player, and are held back together. One in which it finds nothing
            stands alone, and so do all where it is empty.
    """

    together: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            re.compile(self.together)
        except re.error as error:
            raise DdspError(
                f"data.together is no regular expression: {error}. Received: {self.together!r}"
            ) from error


@dataclass(frozen=True)
class MixturesConfig:
    """What is done to clean sound before the network hears it, each at random; shares of 0 switch off.

    Args:
        snr_min_db: Lowest level of the clean sound above the noise, dB.
        snr_max_db: Highest.
        clean_share: Share of examples without noise.
        noise_share: Share of examples that are noise alone.
        level_min_db: Lowest level of what is heard, dB re full scale, of its loud parts.
        level_max_db: Highest.
        equaliser_db: Largest gain of a random equaliser, of clean sound and noise each, dB.
        speed: Largest change of speed, as a share; noise changes up to twice as much.
        babble_share: Share of noises that are several clean sounds at once.
        synthetic_share: Share of noises that are made by our own processors.
        synthetic_tones: Boolean, whether tones with harmonics, as of motors and alarms, are among those;
            where music is what is wanted, they are none.
        second_noise_share: Share of noises that have another one beside them.
        room_share: Share of examples whose clean sound stands in a room, which is to go.
        noise_room_share: Share of noises that stand in a room.
        early_ms: What of a room stays: its first part, ms.
        hum_share: Share of examples with mains hum.
        hiss_share: Share of examples with hiss.
        crackle_share: Share of examples with crackle.
        band_limit_share: Share of examples of which only a band is left, of clean sound and target both.
        clip_share: Share of examples that are clipped.
        times: Integer, how often each mixture is heard, among 127 others: to make one takes as long as to
            learn from it.
        remix_level_db: How much louder or softer what is not wanted gets at most, each time a mixture is
            heard, dB; not in the last steps, whose loss is that of the sound.
        remix_colour_db: How far it, and clean sound, are coloured anew each time, up and down at most, dB.
    """

    snr_min_db: float = -5.0
    snr_max_db: float = 25.0
    clean_share: float = 0.1
    noise_share: float = 0.05
    level_min_db: float = -40.0
    level_max_db: float = -12.0
    equaliser_db: float = 8.0
    speed: float = 0.15
    babble_share: float = 0.08
    synthetic_share: float = 0.35
    synthetic_tones: bool = True
    second_noise_share: float = 0.3
    room_share: float = 0.25
    noise_room_share: float = 0.25
    early_ms: float = 30.0
    hum_share: float = 0.06
    hiss_share: float = 0.15
    crackle_share: float = 0.04
    band_limit_share: float = 0.08
    clip_share: float = 0.03
    times: int = 8
    remix_level_db: float = 8.0
    remix_colour_db: float = 6.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name.endswith("_share"):
                in_range(f"mixtures.{name}", value, 0.0, 1.0)
        for name, low, high in (("snr", -40.0, 80.0), ("level", -80.0, 0.0)):
            first, last = getattr(self, f"{name}_min_db"), getattr(self, f"{name}_max_db")
            in_range(f"mixtures.{name}_min_db", first, low, high)
            in_range(f"mixtures.{name}_max_db", last, low, high)
            if first > last:
                raise DdspError(
                    f"mixtures.{name}_min_db must not be above {name}_max_db. Received: {first}, {last}"
                )
        in_range("mixtures.clean_share + noise_share", self.clean_share + self.noise_share, 0.0, 1.0)
        in_range("mixtures.babble_share + synthetic_share", self.babble_share + self.synthetic_share, 0, 1)
        in_range("mixtures.times", self.times, 1, 1000)
        for name in ("equaliser_db", "remix_level_db", "remix_colour_db"):
            in_range(f"mixtures.{name}", getattr(self, name), 0.0, 24.0)
        in_range("mixtures.speed", self.speed, 0.0, 0.45)
        in_range("mixtures.early_ms", self.early_ms, 0.0, 200.0)


@dataclass(frozen=True)
class NetworkConfig:
    """The network: a dense layer, two recurrent ones, a gain for each band, and what refines the gains.

    Args:
        low_bins: Integer, bins from 0 Hz on that are bands of their own.
        high_bands: Integer, wider bands above them.
        dense_units: Integer, width of the dense layer.
        units: Integer, width of each recurrent layer.
        by_band: Boolean, whether powers are heard re the running mean of their own band, so that the colour
            of a sound is not heard; else re that of all bands.
        channels: Integer, of the convolutions over bands that refine the gains; 0 for none.
        least_gain: The gain of what is nothing but noise, 0 to 0.5: 0.1 leaves it 20 dB softer. What is left
            hides what the network does wrong, as the spectral floor does of M. Berouti, R. Schwartz and
            J. Makhoul, "Enhancement of speech corrupted by acoustic noise", ICASSP 1979.
    """

    low_bins: int = 64
    high_bands: int = 32
    dense_units: int = 64
    units: int = 80
    by_band: bool = True
    channels: int = 0
    least_gain: float = 0.0

    def __post_init__(self) -> None:
        in_range("network.low_bins", self.low_bins, 1, 4096)
        in_range("network.high_bands", self.high_bands, 1, 512)
        in_range("network.dense_units", self.dense_units, 1, 4096)
        in_range("network.units", self.units, 1, 4096)
        in_range("network.channels", self.channels, 0, 256)
        in_range("network.least_gain", self.least_gain, 0.0, 0.5)


@dataclass(frozen=True)
class LossConfig:
    """What a step tries to lessen.

    Args:
        fft_sizes: Integers, windows of the compressed spectra, samples.
        compressed_weight: Of the distance of compressed spectra.
        under_weight: Of what of the compressed magnitudes is missing.
        ratio_weight: Of the level of the error re the input, dB.
        spectra_share: Share of the steps, the last ones, whose loss is that of the sound itself. Before them
            it is reckoned from powers in bands, at a fraction of the time.
    """

    fft_sizes: tuple[int, ...] = (256, 512, 1024)
    compressed_weight: float = 10.0
    under_weight: float = 2.0
    ratio_weight: float = 0.04
    spectra_share: float = 0.05

    def __post_init__(self) -> None:
        for name in ("compressed_weight", "under_weight", "ratio_weight"):
            in_range(f"loss.{name}", getattr(self, name), 0.0, 1e6)
        in_range("loss.spectra_share", self.spectra_share, 0.0, 1.0)
        sizes = self.fft_sizes
        if not sizes or len(set(sizes)) < len(sizes) or any(n % 4 or not 16 <= n <= 65536 for n in sizes):
            raise DdspError(
                "loss.fft_sizes must be one or more different multiples of 4 in 16 to 65536. "
                f"Received: {list(sizes)}"
            )
        if not self.compressed_weight + self.ratio_weight:
            raise DdspError("loss.compressed_weight and loss.ratio_weight must not both be 0")


@dataclass(frozen=True, kw_only=True)
class RestorationConfig(Config):
    """The configuration of a restoration.

    Args:
        data: How recordings become a dataset.
        mixtures: What is done to clean sound.
        network: The network.
        loss: What a step tries to lessen.
    """

    data: SourcesConfig = field(default_factory=SourcesConfig)
    mixtures: MixturesConfig = field(default_factory=MixturesConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.training.precision != "float32":
            raise DdspError(
                "training.precision must be float32: a restoration computes in nothing else. "
                f"Received: {self.training.precision!r}"
            )
        bins = 2 * self.spec.hop + 1
        bands = self.network.low_bins + self.network.high_bands
        if bands > bins:
            raise DdspError(
                f"network.low_bins and network.high_bands must not be more than the {bins} bins of a window "
                f"of four hops together. Received: {bands}"
            )
