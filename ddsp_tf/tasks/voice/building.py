"""A model of the task from its configuration, with the weights of the content encoder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from ddsp_edge.shipped import model_path
from ddsp_tf.errors import DdspError
from ddsp_tf.speech.weights import encoder_of_file
from ddsp_tf.tasks.voice.config import VoiceConfig
from ddsp_tf.tasks.voice.model import Voice


def content_file(config: VoiceConfig) -> Path:
    """The file of the content encoder that a configuration names.

    Raises:
        DdspError: If there is none.
    """
    path = model_path(config.content)
    if not path.is_file():
        raise DdspError(f"{path}: no such file")
    return path


def build_voice(config: VoiceConfig, facts: Mapping[str, Any]) -> Voice:
    """Build the model.

    Raises:
        DdspError: If the content encoder cannot be read, or is of another frame rate.
    """
    keras.utils.set_random_seed(config.training.seed)
    path = content_file(config)
    encoder = encoder_of_file(path)
    if encoder.frame_rate != config.frame_rate:
        raise DdspError(
            f"{path} has {encoder.frame_rate:g} frames a second: frame_rate must be that. Received: "
            f"{config.frame_rate}"
        )
    names = ("phones", "channels", "units", "content", "lookahead_frames", "frame_rate")
    network = config.network
    model = Voice(
        {name: getattr(encoder, name) for name in names},
        network.units,
        network.n_harmonics,
        network.n_bands,
        max(1, len(config.voices)),
        float(facts["f0_hz_range"]["median"]),
        float(facts["loudness_db_range"]["median"]),
        network.content_noise,
        config.loss.content_weight,
        network.hints,
        network.warp,
        {"config": config.to_dict(), **facts},
        name="voice",
    )
    model.build(None)
    model.encoder.set_weights(encoder.get_weights())
    return model
