"""Experiments as YAML: read, checked, and written back."""

from ddsp_tf.config.files import config_folders, load_config, read_settings
from ddsp_tf.config.sections import (
    AugmentationConfig,
    Config,
    DataConfig,
    DecoderConfig,
    EncoderConfig,
    LossConfig,
    ModelConfig,
    ProcessorsConfig,
    TrainingConfig,
)

__all__ = [
    "AugmentationConfig",
    "Config",
    "DataConfig",
    "DecoderConfig",
    "EncoderConfig",
    "LossConfig",
    "ModelConfig",
    "ProcessorsConfig",
    "TrainingConfig",
    "config_folders",
    "load_config",
    "read_settings",
]
