"""Experiments as YAML: read, checked, and written back.

The sections of instruments are handed on from their task.
"""

from typing import TYPE_CHECKING

from ddsp_edge.lazy import handed_on
from ddsp_tf.config.files import config_folders, load_config, read_settings
from ddsp_tf.config.sections import (
    AugmentationConfig,
    Config,
    DataConfig,
    ProcessorsConfig,
    RecordingsConfig,
    TrainingConfig,
)

if TYPE_CHECKING:
    from ddsp_tf.tasks.instrument.config import DecoderConfig, EncoderConfig, LossConfig, ModelConfig

__all__ = [
    "AugmentationConfig",
    "Config",
    "DataConfig",
    "DecoderConfig",
    "EncoderConfig",
    "LossConfig",
    "ModelConfig",
    "ProcessorsConfig",
    "RecordingsConfig",
    "TrainingConfig",
    "config_folders",
    "load_config",
    "read_settings",
]

__getattr__, __dir__ = handed_on(
    __name__,
    dict.fromkeys(
        ("DecoderConfig", "EncoderConfig", "LossConfig", "ModelConfig"), "ddsp_tf.tasks.instrument.config"
    ),
)
