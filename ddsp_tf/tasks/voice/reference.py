"""What a run keeps of its data, to compare exported files on: features of a little sound of each split."""

from pathlib import Path

import numpy as np

from ddsp_edge.features.log_mel import log_mel
from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.speech.reference import Features
from ddsp_tf.speech.weights import encoder_of_file
from ddsp_tf.tasks.voice.building import content_file
from ddsp_tf.tasks.voice.config import VoiceConfig
from ddsp_tf.tasks.voice.examples import VoiceExamples
from ddsp_tf.training.kept import save_kept

REFERENCE_NAME = "reference.npz"
_SECONDS = 6.0
_CLIPS = 2  # of each split
SPLITS = ("held_back", "trained")


def save_reference(config: VoiceConfig, data: Path, run: Path, on_damage: OnDamage | None) -> None:
    """Keep a little of each split in a run."""
    ahead = encoder_of_file(content_file(config)).lookahead_frames
    frames = config.spec.frames_for(min(_SECONDS, config.data.passage_seconds))
    kept = {}
    for name, split in zip(SPLITS, ("validation", "train"), strict=True):
        examples = VoiceExamples(data, split, config, on_damage, frames)
        count = len(examples.places)
        clips = [examples.place(int(i), 0) for i in np.linspace(0, count - 1, min(_CLIPS, count))]
        inputs, _ = examples.stack(clips)
        for feature, values in features_of(inputs, config, ahead).items():
            kept[f"{name}_{feature}"] = values
    save_kept(run / REFERENCE_NAME, kept)


def features_of(inputs: dict[str, Array], config: VoiceConfig, ahead: int) -> Features:
    """What `step` takes of clips, one after the other, as a stream has them: pitch and loudness are late."""

    def late(values: Array, nothing: float) -> Array:
        return np.pad(values, ((0, 0), (ahead, 0), (0, 0)), constant_values=nothing)[:, : values.shape[1]]

    bands = np.stack([log_mel(audio, config.spec) for audio in inputs["audio"]])
    found = {
        "log_mel": bands,
        "f0_hz": late(inputs["f0_hz"], 0.0),
        "voiced": late(inputs["voiced"], 0.0),
        "loudness_db": late(inputs["loudness_db"], LOUDNESS_FLOOR_DB),
    }
    if "voice" in inputs:
        found["voice"] = np.repeat(inputs["voice"], bands.shape[1], axis=1)
    return {name: np.concatenate(values).astype(np.float32) for name, values in found.items()}
