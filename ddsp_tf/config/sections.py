"""The sections of a configuration: every setting, its default and its range.

A configuration is checked completely before any work starts.
"""

import dataclasses
import re
import typing
from dataclasses import dataclass, field
from typing import Any

import yaml

from ddsp_tf.config.values import build, in_range, one_of, plain, shown
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0_estimators import ESTIMATORS, SMOOTHINGS
from ddsp_tf.features.power import LEVELS
from ddsp_tf.frames import FrameSpec
from ddsp_tf.rates import resolved

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 4_000, 768_000  # Hz, those of recordings; see ddsp_edge.files.audio_file


@dataclass(frozen=True)
class DataConfig:
    """How recordings become a dataset.

    Args:
        f0: Pitch estimator: `"auto"`, which is `"yin-viterbi"`; `"pyin"`, `"swift-f0"` or `"crepe"`.
        f0_min_hz: Lowest fundamental frequency looked for, Hz.
        f0_max_hz: Highest fundamental frequency looked for, Hz.
        f0_smoothing: `"none"`, or `"hmm"` for a hidden Markov model along time (`docs/pitch.md`).
        passage_seconds: Length of the passages that recordings are cut into, seconds.
        validation_share: Share of the passages that is held back for validation, 0.01 to 0.5.
        audio: How audio is stored: `"int16"`, or `"float32"` in twice the space.
    """

    f0: str = "auto"
    f0_min_hz: float = 55.0
    f0_max_hz: float = 2000.0
    f0_smoothing: str = "none"
    passage_seconds: float = 10.0
    validation_share: float = 0.15
    audio: str = "int16"

    def __post_init__(self) -> None:
        one_of("data.f0", self.f0, ESTIMATORS)
        one_of("data.f0_smoothing", self.f0_smoothing, SMOOTHINGS)
        if not 20.0 <= self.f0_min_hz < self.f0_max_hz <= 8000.0:
            raise DdspError(
                "data.f0_min_hz and data.f0_max_hz must rise within 20 to 8000 Hz. "
                f"Received: {self.f0_min_hz}, {self.f0_max_hz}"
            )
        in_range("data.passage_seconds", self.passage_seconds, 2.0, 60.0)
        in_range("data.validation_share", self.validation_share, 0.01, 0.5)
        one_of("data.audio", self.audio, ("int16", "float32"))


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
class ProcessorsConfig:
    """The processor group; see `ddsp_tf.layers.ProcessorGroup` for the form of a node."""

    inputs: tuple[str, ...]
    nodes: tuple[dict[str, Any], ...]


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
    """

    processors: ProcessorsConfig
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    encoder: EncoderConfig | None = None
    instruments: dict[str, str] = field(default_factory=dict)
    instrument_size: int = 16
    level: str = "loudness"

    def __post_init__(self) -> None:
        for name, pattern in self.instruments.items():
            if not re.fullmatch(r"\w([\w .-]*\w)?", name) or not isinstance(pattern, str) or not pattern:
                raise DdspError(
                    "model.instruments must hold names of letters and digits, each with a pattern of names "
                    f"of recordings, as in flute: 'flute-*'. Received: {shown({name: pattern})}"
                )
        in_range("model.instrument_size", self.instrument_size, 1, 1024)
        one_of("model.level", self.level, LEVELS)


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
class TrainingConfig:
    """How the model is fitted.

    Args:
        steps: Integer, training steps.
        steps_per_epoch: Integer, steps between two checkpoints.
        batch_size: Integer, clips a step.
        clip_seconds: Length of a clip, seconds.
        learning_rate: Of Adam at the start; it decays to a tenth along a cosine.
        gradient_norm: The global norm that gradients are clipped to.
        seed: Integer, seed of weights, data order and noise.
        keep_checkpoints: Integer, how many checkpoints to keep beside the best.
        precision: `"float32"`, `"bfloat16"` or `"float16"`, of the network's products in training; all else
            is float32.
    """

    steps: int = 5000
    steps_per_epoch: int = 100
    batch_size: int = 4
    clip_seconds: float = 2.0
    learning_rate: float = 2e-3
    gradient_norm: float = 3.0
    seed: int = 0
    keep_checkpoints: int = 3
    precision: str = "float32"

    def __post_init__(self) -> None:
        in_range("training.steps", self.steps, 1, 100_000_000)
        in_range("training.steps_per_epoch", self.steps_per_epoch, 1, 1_000_000)
        in_range("training.batch_size", self.batch_size, 1, 4096)
        in_range("training.clip_seconds", self.clip_seconds, 0.25, 60.0)
        in_range("training.learning_rate", self.learning_rate, 1e-8, 1.0)
        in_range("training.gradient_norm", self.gradient_norm, 1e-6, 1e6)
        in_range("training.seed", self.seed, 0, 2**31 - 1)
        in_range("training.keep_checkpoints", self.keep_checkpoints, 1, 1000)
        one_of("training.precision", self.precision, ("float32", "bfloat16", "float16"))


@dataclass(frozen=True)
class AugmentationConfig:
    """How far training clips are changed at random, each clip by itself; 0 leaves them as they are.

    Args:
        gain_db: Level, up to this many dB up or down, never beyond full scale.
        pitch_semitones: Pitch, up to this many semitones up or down, by resampling.
    """

    gain_db: float = 0.0
    pitch_semitones: float = 0.0

    def __post_init__(self) -> None:
        in_range("augmentation.gain_db", self.gain_db, 0.0, 60.0)
        in_range("augmentation.pitch_semitones", self.pitch_semitones, 0.0, 12.0)


@dataclass(frozen=True)
class Config:
    """One experiment.

    Args:
        sample_rate: Integer, Hz.
        frame_rate: Integer, frames of controls a second; it must divide `sample_rate`.
        name: Name of the instrument.
        data, model, loss, training, augmentation: The sections.
    """

    sample_rate: int
    frame_rate: int
    model: ModelConfig
    name: str = "instrument"
    data: DataConfig = field(default_factory=DataConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)

    def __post_init__(self) -> None:
        _ = self.spec
        in_range("sample_rate", self.sample_rate, MIN_SAMPLE_RATE, MAX_SAMPLE_RATE)
        if self.loss.perceptual_weight and self.sample_rate != 16_000:
            raise DdspError(
                "loss.perceptual_weight needs a sample_rate of 16000 Hz, CREPE's. "
                f"Received: {self.sample_rate}"
            )
        if self.training.clip_seconds > self.data.passage_seconds:
            raise DdspError(
                f"training.clip_seconds ({self.training.clip_seconds}) must not be longer than "
                f"data.passage_seconds ({self.data.passage_seconds})"
            )

    @property
    def spec(self) -> FrameSpec:
        """The frame grid."""
        return FrameSpec.from_frame_rate(self.sample_rate, self.frame_rate)

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain dicts, lists and numbers."""
        return typing.cast("dict[str, Any]", plain(dataclasses.asdict(self)))

    @classmethod
    def from_dict(cls, values: dict[str, Any], origin: str = "config") -> "Config":
        """Check plain values and build the configuration; `origin` names them in errors.

        Sizes that are `auto` are made those of the sample rate, see `ddsp_tf.rates`.
        """
        try:
            return typing.cast("Config", build(cls, resolved(values), ""))
        except DdspError as error:
            raise DdspError(f"{origin}: {error}") from error

    def to_yaml(self) -> str:
        """The configuration as YAML, complete with defaults."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, width=100)
