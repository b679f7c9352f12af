"""Experiments as YAML: read, checked against these classes, and written back.

A configuration is checked completely before any work starts. Unknown keys are refused with the nearest
known one; values of the wrong type or out of range are refused with what would be valid.
"""

import dataclasses
import re
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ddsp_tf.errors import DdspError, did_you_mean
from ddsp_tf.features.f0 import ESTIMATORS, SMOOTHINGS
from ddsp_tf.frames import FrameSpec
from ddsp_tf.rates import resolved

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 4_000, 768_000  # Hz, those of recordings; see ddsp_edge.audio_file
MAX_SETTINGS = 10_000
"""More than any experiment needs, and few enough that aliases of aliases cannot fill the memory."""


@dataclass(frozen=True)
class DataConfig:
    """How recordings become a dataset.

    Args:
        f0: Pitch estimator: `"auto"`, `"yin-viterbi"`, `"pyin"`, `"swift-f0"` or `"crepe"`.
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
        _one_of("data.f0", self.f0, ESTIMATORS)
        _one_of("data.f0_smoothing", self.f0_smoothing, SMOOTHINGS)
        if not 20.0 <= self.f0_min_hz < self.f0_max_hz <= 8000.0:
            raise DdspError(
                "data.f0_min_hz and data.f0_max_hz must rise within 20 to 8000 Hz. "
                f"Received: {self.f0_min_hz}, {self.f0_max_hz}"
            )
        _in_range("data.passage_seconds", self.passage_seconds, 2.0, 60.0)
        _in_range("data.validation_share", self.validation_share, 0.01, 0.5)
        _one_of("data.audio", self.audio, ("int16", "float32"))


@dataclass(frozen=True)
class DecoderConfig:
    """The network that predicts controls.

    Args:
        type: `"GruDecoder"`.
        units: Integer, width of the recurrent layer.
        layer_units: Integer, width of the dense layers before and after it.
        layers: Integer, how many dense layers before and after it.
    """

    type: str = "GruDecoder"
    units: int = 128
    layer_units: int = 128
    layers: int = 1

    def __post_init__(self) -> None:
        _one_of("model.decoder.type", self.type, ("GruDecoder",))
        _in_range("model.decoder.units", self.units, 1, 4096)
        _in_range("model.decoder.layer_units", self.layer_units, 1, 4096)
        _in_range("model.decoder.layers", self.layers, 1, 8)


@dataclass(frozen=True)
class ProcessorsConfig:
    """The processor group; see `ddsp_tf.layers.ProcessorGroup` for the form of a node."""

    inputs: tuple[str, ...]
    nodes: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class ModelConfig:
    """A decoder and the processors that it drives."""

    processors: ProcessorsConfig
    decoder: DecoderConfig = field(default_factory=DecoderConfig)


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
                "loss.fft_sizes must be one or more different multiples of 4. "
                f"Received: {_shown(list(sizes))}"
            )
        for size in sizes:
            _in_range("loss.fft_sizes", size, 16, 65536)
        for field_ in dataclasses.fields(self):
            if field_.name.endswith("_weight"):
                _in_range(f"loss.{field_.name}", getattr(self, field_.name), 0.0, 1e3)
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
    batch_size: int = 8
    clip_seconds: float = 2.0
    learning_rate: float = 2e-3
    gradient_norm: float = 3.0
    seed: int = 0
    keep_checkpoints: int = 3
    precision: str = "float32"

    def __post_init__(self) -> None:
        _in_range("training.steps", self.steps, 1, 100_000_000)
        _in_range("training.steps_per_epoch", self.steps_per_epoch, 1, 1_000_000)
        _in_range("training.batch_size", self.batch_size, 1, 4096)
        _in_range("training.clip_seconds", self.clip_seconds, 0.25, 60.0)
        _in_range("training.learning_rate", self.learning_rate, 1e-8, 1.0)
        _in_range("training.gradient_norm", self.gradient_norm, 1e-6, 1e6)
        _in_range("training.seed", self.seed, 0, 2**31 - 1)
        _in_range("training.keep_checkpoints", self.keep_checkpoints, 1, 1000)
        _one_of("training.precision", self.precision, ("float32", "bfloat16", "float16"))


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
        _in_range("augmentation.gain_db", self.gain_db, 0.0, 60.0)
        _in_range("augmentation.pitch_semitones", self.pitch_semitones, 0.0, 12.0)


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
        _in_range("sample_rate", self.sample_rate, MIN_SAMPLE_RATE, MAX_SAMPLE_RATE)
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
        return typing.cast("dict[str, Any]", _plain(dataclasses.asdict(self)))

    @classmethod
    def from_dict(cls, values: dict[str, Any], origin: str = "config") -> "Config":
        """Check plain values and build the configuration; `origin` names them in errors.

        Sizes that are `auto` are made those of the sample rate, see `ddsp_tf.rates`.
        """
        try:
            return typing.cast("Config", _build(cls, resolved(values), ""))
        except DdspError as error:
            raise DdspError(f"{origin}: {error}") from error

    def to_yaml(self) -> str:
        """The configuration as YAML, complete with defaults."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, width=100)


class _UniqueKeys(yaml.SafeLoader):
    """Safe YAML in which a key that stands twice is an error, not the last one's win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for i, key in enumerate(keys):
            if key in keys[:i]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands there twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def config_folders() -> list[Path]:
    """Where shipped configurations live: in the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    return [package / "configs", package.parent / "configs"]


def load_config(path_or_name: str | Path, overrides: typing.Sequence[str] = ()) -> Config:
    """Read a configuration.

    Args:
        path_or_name: A YAML file, or the name of a shipped one (`"solo_instrument"`).
        overrides: Settings `"key.sub_key=value"` that replace what the file says; values are YAML.

    Raises:
        DdspError: If the file is missing, no YAML, or holds anything that is not valid.
    """
    path = _find(path_or_name)
    values = read_settings(path)
    for override in overrides:
        _override(values, override)
    return Config.from_dict(values, str(path))


def read_settings(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping, without checking what is in it.

    Raises:
        DdspError: If it is no YAML, holds something else, or is more than any experiment needs.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        detail = " ".join(str(error).split())[:300]
        raise DdspError(f"{path} is not valid YAML: {detail}") from error
    if not isinstance(values, dict):
        raise DdspError(f"{path} must hold a mapping of settings. Received: {type(values).__name__}")
    count, waiting = 0, [values]
    while waiting:
        value = waiting.pop()
        count += 1
        if count > MAX_SETTINGS:
            raise DdspError(f"{path} holds more than {MAX_SETTINGS} settings, its aliases written out")
        if isinstance(value, dict | list):
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return values


def _find(path_or_name: str | Path) -> Path:
    path = Path(path_or_name)
    if path.is_file():
        return path
    shipped = {p.stem: p for folder in config_folders() for p in sorted(folder.glob("*.yaml"))}
    if str(path_or_name) in shipped:
        return shipped[str(path_or_name)]
    hint = did_you_mean(path.stem, list(shipped)) or f" Shipped: {', '.join(sorted(shipped)) or 'none'}"
    raise DdspError(f"{path_or_name}: no such configuration file.{hint}")


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise DdspError(f"--set takes KEY=VALUE, for example training.batch_size=4. Received: {override!r}")
    *sections, last = key.strip().split(".")
    at = values
    for section in sections:
        at = at.setdefault(section, {})
        if not isinstance(at, dict):
            raise DdspError(f"--set {override}: {section} is no section")
    try:
        at[last] = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise DdspError(f"--set {override}: the value is not valid YAML") from error


def _build(cls: Any, values: Any, where: str) -> Any:
    if not isinstance(values, dict):
        raise DdspError(f"{where or 'the configuration'} must be a section of settings. Received: {values!r}")
    hints = typing.get_type_hints(cls)
    for key in values:
        if key not in hints:
            full = f"{where}.{key}" if where else str(key)
            known = did_you_mean(str(key), list(hints)) or f" Known here: {', '.join(hints)}"
            raise DdspError(f"unknown key {full!r}.{known}")
    built = {k: _convert(hints[k], v, f"{where}.{k}" if where else k) for k, v in values.items()}
    required = [
        f.name
        for f in dataclasses.fields(cls)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    for name in required:
        if name not in built:
            raise DdspError(f"{f'{where}.{name}' if where else name} is missing")
    return cls(**built)


def _convert(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _build(kind, value, where)
    origin = typing.get_origin(kind)
    if origin is types.UnionType:
        options = typing.get_args(kind)
        if value is None and type(None) in options:
            return None
        return _convert(next(k for k in options if k is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise DdspError(f"{where} must be a list. Received: {_shown(value)}")
        return tuple(_convert(typing.get_args(kind)[0], v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict) or not all(isinstance(k, str) for k in value):
            raise DdspError(f"{where} must be a mapping. Received: {_shown(value)}")
        return value
    if kind is float and _is_number(value):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        words = {int: "an integer", float: "a number", str: "text", bool: "true or false"}
        raise DdspError(f"{where} must be {words.get(kind, kind.__name__)}. Received: {_shown(value)}")
    return value


def _is_number(value: Any) -> bool:
    """Whether YAML means a number; PyYAML reads `1e-3`, without a point, as text."""
    if isinstance(value, str):
        return re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]} ..."


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise DdspError(
            f"{name} must be one of {', '.join(known)}. Received: {value!r}.{did_you_mean(value, known)}"
        )


def _in_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also refuses NaN
        raise DdspError(f"{name} must lie within {low:g} to {high:g}. Received: {value!r}")
