"""Its configuration."""

from dataclasses import dataclass, field

from ddsp_tf.config.sections import Config, DataConfig
from ddsp_tf.config.values import in_range
from ddsp_tf.errors import DdspError

HIGHER = 1.2
"""How much higher than what a voice was trained on somebody may speak."""

CONSENT = "given"
"""What `data.consent` is where whoever speaks has agreed."""


@dataclass(frozen=True)
class VoiceDataConfig(DataConfig):
    """How recordings of a voice become a dataset.

    Args:
        consent: `"given"` where whoever speaks has agreed to that; nothing is prepared without.
    """

    f0_min_hz: float = 60.0
    f0_max_hz: float = 800.0
    consent: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.consent not in ("", CONSENT):
            raise DdspError(f"data.consent must be {CONSENT!r}, or empty. Received: {self.consent!r}")


@dataclass(frozen=True)
class DecoderConfig:
    """The network from content to controls, and the sizes of what it controls.

    Args:
        units: Integer, width of its layers.
        n_harmonics: Integer, harmonics of the flat source.
        n_bands: Integer, frequencies at which the filters are given.
        content_noise: Standard deviation of what is added to content while training, in units of the
            content: another speaker's is never quite the same.
        hints: Integer, cepstral coefficients of the bands re their means that the decoder is given beside
            content; 0 for none. They keep what content has no word for.
        warp: While training, hints are those of a voice with a tract that is longer or shorter by up to this
            share, so that they tell as little as can be of who speaks.
    """

    units: int = 128
    n_harmonics: int = 100
    n_bands: int = 97
    content_noise: float = 0.2
    hints: int = 6
    warp: float = 0.3

    def __post_init__(self) -> None:
        in_range("network.units", self.units, 8, 4096)
        in_range("network.n_harmonics", self.n_harmonics, 1, 1000)
        in_range("network.n_bands", self.n_bands, 2, 1025)
        in_range("network.content_noise", self.content_noise, 0.0, 10.0)
        in_range("network.hints", self.hints, 0, 39)
        in_range("network.warp", self.warp, 0.0, 0.4)


@dataclass(frozen=True)
class VoiceLossConfig:
    """What a step tries to lessen.

    Args:
        fft_sizes: Integers, windows of the spectral loss, samples.
        content_weight: Of the distance of what is said in the estimate from what is said in the target, as
            the frozen encoder hears it.
    """

    fft_sizes: tuple[int, ...] = (1024, 512, 256, 128)
    content_weight: float = 0.5

    def __post_init__(self) -> None:
        in_range("loss.content_weight", self.content_weight, 0.0, 1e6)
        sizes = self.fft_sizes
        if not sizes or len(set(sizes)) < len(sizes) or any(n % 4 or not 16 <= n <= 65536 for n in sizes):
            raise DdspError(
                "loss.fft_sizes must be one or more different multiples of 4 in 16 to 65536. "
                f"Received: {list(sizes)}"
            )


@dataclass(frozen=True, kw_only=True)
class VoiceConfig(Config):
    """The configuration of a voice.

    Args:
        data: How recordings become a dataset.
        content: The content encoder: name of a shipped one, or a `.tflite` of `ddsp-tf export`.
        voices: Of a model of several voices: for each the names of its recordings, as a pattern. Empty for
            one.
        network: The network.
        loss: What a step tries to lessen.
    """

    data: VoiceDataConfig = field(default_factory=VoiceDataConfig)
    content: str = "content"
    voices: dict[str, str] = field(default_factory=dict)
    network: DecoderConfig = field(default_factory=DecoderConfig)
    loss: VoiceLossConfig = field(default_factory=VoiceLossConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.sample_rate, self.frame_rate) != (16_000, 125):
            raise DdspError(
                "a voice has the rate of its content encoder: sample_rate must be 16000 and frame_rate 125. "
                f"Received: {self.sample_rate}, {self.frame_rate}"
            )
        if len(self.voices) == 1:
            raise DdspError("voices names one voice; a model of one names none")
        if self.training.precision != "float32":
            raise DdspError(
                "training.precision must be float32: a voice computes in nothing else. "
                f"Received: {self.training.precision!r}"
            )
