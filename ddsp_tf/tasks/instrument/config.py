"""The sections of a configuration that are an instrument's own."""

import dataclasses
import re
from dataclasses import dataclass, field
from typing import Any

from ddsp_edge.further import FEATURES, expanded
from ddsp_tf.config.sections import (
    AugmentationConfig,
    Config,
    DataConfig,
    ProcessorsConfig,
    TrainingConfig,
)
from ddsp_tf.config.values import in_range, one_of, shown
from ddsp_tf.data.chords import SEVERAL_NOTES
from ddsp_tf.errors import DdspError
from ddsp_tf.features.power import LEVELS
from ddsp_tf.rates import resolved


@dataclass(frozen=True)
class DecoderConfig:
    """The network that predicts controls.

    Args:
        type: `"GruDecoder"`, `"MinGruDecoder"`, `"ConvDecoder"` or `"MlpDecoder"`.
        units: Integer, width of the layers with a memory.
        layer_units: Integer, width of the dense layers before and after them.
        layers: Integer, how many dense layers before and after them.
        depth: Integer, how many layers with a memory; `GruDecoder` and `MlpDecoder` take 1 only.
    """

    type: str = "GruDecoder"
    units: int = 128
    layer_units: int = 128
    layers: int = 1
    depth: int = 1

    def __post_init__(self) -> None:
        one_of("model.decoder.type", self.type, ("GruDecoder", "MinGruDecoder", "ConvDecoder", "MlpDecoder"))
        in_range("model.decoder.units", self.units, 1, 4096)
        in_range("model.decoder.layer_units", self.layer_units, 1, 4096)
        in_range("model.decoder.layers", self.layers, 1, 8)
        in_range("model.decoder.depth", self.depth, 1, 10)
        if self.depth > 1 and self.type not in ("MinGruDecoder", "ConvDecoder"):
            raise DdspError(
                f"model.decoder.depth must be 1 with {self.type}: only MinGruDecoder and ConvDecoder are "
                f"stacked. Received: {self.depth}"
            )


@dataclass(frozen=True)
class EncoderConfig:
    """The network that listens to the recording itself: MFCCs to a latent that changes over time.

    Args:
        z_size: Integer, channels of the latent.
        units: Integer, width of the recurrent unit.
        n_mfcc: Integer, mel-frequency cepstral coefficients.
        n_mels: Integer, mel bands.
        kl_weight: Weight of the divergence of the latent from a standard normal distribution; above 0 the
            autoencoder is a variational one, which needs TensorFlow Probability.
    """

    z_size: int = 16
    units: int = 128
    n_mfcc: int = 30
    n_mels: int = 128
    kl_weight: float = 0.0

    def __post_init__(self) -> None:
        in_range("model.encoder.z_size", self.z_size, 1, 1024)
        in_range("model.encoder.units", self.units, 1, 4096)
        in_range("model.encoder.n_mels", self.n_mels, 1, 512)
        in_range("model.encoder.n_mfcc", self.n_mfcc, 1, self.n_mels)
        in_range("model.encoder.kl_weight", self.kl_weight, 0.0, 1e3)


@dataclass(frozen=True)
class ModelConfig:
    """A decoder and the processors that it drives.

    Args:
        processors: The processor group.
        decoder: The network.
        encoder: Gives the decoder a latent of the recording beside pitch and loudness; None for none.
        instruments: Of a model that plays several, by name: which recordings are of each, as a pattern of
            their names in the dataset (`"flute-*"`). Empty for one instrument.
        instrument_size: Integer, length of the vector that stands for an instrument.
        level: What it is told of the level: A-weighted `"loudness"`, or `"power"`, as DDSP-VST measures it.
        features: What it is told of a frame beside pitch and level, some of `"voicing"`, `"brightness"` and
            `"partials"`; see `ddsp_edge.further`.
    """

    processors: ProcessorsConfig
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    encoder: EncoderConfig | None = None
    instruments: dict[str, str] = field(default_factory=dict)
    instrument_size: int = 16
    level: str = "loudness"
    features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.features:
            one_of("model.features", name, FEATURES)
        if len(set(self.features)) < len(self.features):
            raise DdspError(f"model.features must be different. Received: {shown(list(self.features))}")
        if self.features and self.level != "loudness":
            raise DdspError(
                "model.features are for model.level=loudness: the plug-in DDSP-VST knows no others. "
                f"Received: {self.level}"
            )
        for name, pattern in self.instruments.items():
            if not re.fullmatch(r"\w([\w .-]*\w)?", name) or not isinstance(pattern, str) or not pattern:
                raise DdspError(
                    "model.instruments must hold names of letters and digits, each with a pattern of names "
                    f"of recordings, as in flute: 'flute-*'. Received: {shown({name: pattern})}"
                )
        in_range("model.instrument_size", self.instrument_size, 1, 1024)
        one_of("model.level", self.level, LEVELS)

    @property
    def further(self) -> tuple[str, ...]:
        """Names of the single features, of `ddsp_edge.further.FURTHER`, in its order."""
        return expanded(self.features)


@dataclass(frozen=True)
class LossConfig:
    """The loss: the multi-scale spectral distance, and further terms that are off at a weight of 0.

    Args:
        fft_sizes: Integers, window lengths of the spectra in samples.
        magnitude_weight: Weight of the L1 distance of magnitudes.
        log_magnitude_weight: Weight of the L1 distance of log magnitudes.
        delta_time_weight: Weight of the L1 distance of changes from window to window.
        delta_frequency_weight: Weight of the L1 distance of changes from bin to bin.
        mel_weight: Weight of the L1 distance of log magnitudes in mel bands.
        loudness_weight: Weight of the difference of loudness, by dB.
        consistency_weight: Weight of the consistency of harmonics and noise.
        perceptual_weight: Weight of the distance in CREPE's embedding, which needs its weights, and 16 kHz.
    """

    fft_sizes: tuple[int, ...] = (2048, 1024, 512, 256, 128, 64)
    magnitude_weight: float = 1.0
    log_magnitude_weight: float = 1.0
    delta_time_weight: float = 0.0
    delta_frequency_weight: float = 0.0
    mel_weight: float = 0.0
    loudness_weight: float = 0.0
    consistency_weight: float = 0.0
    perceptual_weight: float = 0.0

    def __post_init__(self) -> None:
        sizes = self.fft_sizes
        if not sizes or len(set(sizes)) < len(sizes) or any(size % 4 for size in sizes):
            raise DdspError(
                f"loss.fft_sizes must be one or more different multiples of 4. Received: {shown(list(sizes))}"
            )
        for size in sizes:
            in_range("loss.fft_sizes", size, 16, 65536)
        for field_ in dataclasses.fields(self):
            if field_.name.endswith("_weight"):
                in_range(f"loss.{field_.name}", getattr(self, field_.name), 0.0, 1e3)
        if self.magnitude_weight == self.log_magnitude_weight == 0.0:
            raise DdspError("loss.magnitude_weight and loss.log_magnitude_weight must not both be 0")


@dataclass(frozen=True)
class InstrumentTrainingConfig(TrainingConfig):
    """How an instrument is fitted.

    Args:
        several_notes: What becomes of clips in which several notes sound at once for more than a tenth, as
            `prepare` found it: `"keep"`, or `"leave_out"`.
    """

    several_notes: str = "leave_out"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("training.several_notes", self.several_notes, SEVERAL_NOTES)


@dataclass(frozen=True, kw_only=True)
class InstrumentConfig(Config):
    """The configuration of an instrument.

    Args:
        data: How recordings become a dataset with pitch and loudness.
        model: The network and the processors that it drives.
        training: How the model is fitted.
        loss: What is made small.
        augmentation: How far training clips are changed at random.
    """

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig
    training: InstrumentTrainingConfig = field(default_factory=InstrumentTrainingConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss.perceptual_weight and self.sample_rate != 16_000:
            raise DdspError(
                "loss.perceptual_weight needs a sample_rate of 16000 Hz, CREPE's. "
                f"Received: {self.sample_rate}"
            )

    @classmethod
    def resolved(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The settings with the sizes of the sample rate in place of every `auto`, see `ddsp_tf.rates`."""
        return resolved(values)
