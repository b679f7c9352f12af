"""Batches of an instrument: what its model takes, and the sound that it is to give."""

from pathlib import Path
from typing import Any

from ddsp_tf.data.dataset import training_dataset, validation_dataset
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.tasks.instrument.config import InstrumentConfig


def training_data(
    config: InstrumentConfig, data: Path, *, skip_batches: int = 0, on_damage: OnDamage | None = None
) -> Any:
    """The endless stream of training batches, see `ddsp_tf.data.training_dataset`."""
    batches = training_dataset(
        data,
        config.spec,
        seed=config.training.seed,
        augmentation=config.augmentation,
        several_notes=config.training.several_notes,
        skip_batches=skip_batches,
        on_damage=on_damage,
        **_settings(config),
    )
    return _with_sound_to_hear(config, batches)


def validation_data(config: InstrumentConfig, data: Path, *, on_damage: OnDamage | None = None) -> Any:
    """The validation batches, always the same."""
    batches = validation_dataset(data, config.spec, on_damage=on_damage, **_settings(config))
    return _with_sound_to_hear(config, batches)


def _settings(config: InstrumentConfig) -> dict[str, Any]:
    return {
        "batch_size": config.training.batch_size,
        "clip_frames": config.spec.frames_for(config.training.clip_seconds),
        "instruments": config.model.instruments,
        "level": config.model.level,
        "further": config.model.further,
    }


def _with_sound_to_hear(config: InstrumentConfig, batches: Any) -> Any:
    """Batches of a model that listens, with the target among the features.

    It would listen to the target in any case; but under `MirroredStrategy` Keras first calls a model with its
    features alone.
    """
    if config.model.encoder is None:
        return batches
    return batches.map(lambda features, target: ({**features, "audio": target}, target))
