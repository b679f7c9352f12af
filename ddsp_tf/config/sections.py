"""The sections of a configuration that tasks share: every setting, its default and its range.

A configuration is checked completely before any work starts. What is a task's own stands in its folder.
"""

import dataclasses
import typing
from dataclasses import dataclass, field
from typing import Any

import yaml

from ddsp_edge.numeric import plain
from ddsp_tf.config.values import build, in_range, one_of
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0_estimators import ESTIMATORS, SMOOTHINGS
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.registry import DEFAULT_TASK, load

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 4_000, 768_000  # Hz, those of recordings; see ddsp_edge.files.audio_file


@dataclass(frozen=True)
class RecordingsConfig:
    """How recordings are cut into passages and kept.

    Args:
        passage_seconds: Length of the passages that recordings are cut into, seconds.
        validation_share: Share of the passages that is held back for validation, 0.01 to 0.5.
        audio: How audio is stored: `"int16"`, or `"float32"` in twice the space.
    """

    passage_seconds: float = 10.0
    validation_share: float = 0.15
    audio: str = "int16"

    def __post_init__(self) -> None:
        in_range("data.passage_seconds", self.passage_seconds, 2.0, 60.0)
        in_range("data.validation_share", self.validation_share, 0.01, 0.5)
        one_of("data.audio", self.audio, ("int16", "float32"))


@dataclass(frozen=True)
class DataConfig(RecordingsConfig):
    """How recordings of one voice or instrument become a dataset with pitch and loudness.

    Args:
        f0: Pitch estimator: `"auto"`, which is `"yin-viterbi"`; `"pyin"`, `"swift-f0"`, `"crepe"`,
            `"harvest"` or `"speech"`, the network that voices hear pitch by.
        f0_min_hz: Lowest fundamental frequency looked for, Hz.
        f0_max_hz: Highest fundamental frequency looked for, Hz.
        f0_smoothing: `"none"`, or `"hmm"` for a hidden Markov model along time (`docs/pitch.md`).
    """

    f0: str = "auto"
    f0_min_hz: float = 55.0
    f0_max_hz: float = 2000.0
    f0_smoothing: str = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("data.f0", self.f0, ESTIMATORS)
        one_of("data.f0_smoothing", self.f0_smoothing, SMOOTHINGS)
        if not 20.0 <= self.f0_min_hz < self.f0_max_hz <= 8000.0:
            raise DdspError(
                "data.f0_min_hz and data.f0_max_hz must rise within 20 to 8000 Hz. "
                f"Received: {self.f0_min_hz}, {self.f0_max_hz}"
            )


@dataclass(frozen=True)
class ProcessorsConfig:
    """The processor group; see `ddsp_tf.layers.ProcessorGroup` for the form of a node."""

    inputs: tuple[str, ...]
    nodes: tuple[dict[str, Any], ...]


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


@dataclass(frozen=True, kw_only=True)
class Config:
    """One experiment; a task adds its own sections.

    Args:
        sample_rate: Integer, Hz.
        frame_rate: Integer, frames a second of what the model gives; it must divide `sample_rate`.
        name: Name of what is trained; its task's if none is given.
        task: What it is for; see `ddsp_tf.tasks`.
        data: How recordings become a dataset.
        training: How the model is fitted.
    """

    sample_rate: int
    frame_rate: int
    name: str = ""
    task: str = DEFAULT_TASK
    data: RecordingsConfig = field(default_factory=RecordingsConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.task)
        _ = self.spec
        in_range("sample_rate", self.sample_rate, MIN_SAMPLE_RATE, MAX_SAMPLE_RATE)
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
        """Check plain values and build the configuration of the task that they name.

        Args:
            values: The settings. What a task lets be `auto` is made what it stands for.
            origin: What names them in errors.

        Raises:
            DdspError: If a task or key is unknown, or a value is not valid.
        """
        try:
            kind = load(values.get("task", DEFAULT_TASK), "task").TASK.config_class
            return typing.cast("Config", build(kind, kind.resolved(values), ""))
        except DdspError as error:
            raise DdspError(f"{origin}: {error}") from error

    @classmethod
    def resolved(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The settings with numbers in place of every `auto`; here there is none."""
        return values

    def to_yaml(self) -> str:
        """The configuration as YAML, complete with defaults."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, width=100)
