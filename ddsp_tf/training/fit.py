"""Training: a configuration and a dataset in, a run folder out. Nothing but `keras.Model.fit`."""

import dataclasses
from pathlib import Path
from typing import Any

import keras

from ddsp_tf.config import Config
from ddsp_tf.data.dataset import training_dataset, validation_dataset
from ddsp_tf.data.info import DatasetInfo, load_dataset_info
from ddsp_tf.errors import DdspError
from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.models.autoencoder import Autoencoder
from ddsp_tf.training.callbacks import Checkpoint, RunLog, StopOnNonFiniteLoss
from ddsp_tf.training.reference import save_reference
from ddsp_tf.training.run import load_config_of_run, load_model_of_run, make_run_folder


def train(
    config: Config,
    data: Path,
    run: Path,
    *,
    resume: bool = False,
    tensorboard: bool = False,
    verbose: int | str = "auto",
) -> Autoencoder:
    """Train an instrument.

    Args:
        config: The configuration; `config.training.steps` says how long.
        data: A dataset folder made by `prepare`.
        run: The run folder to write.
        resume: Go on from the last checkpoint of `run`.
        tensorboard: Write TensorBoard logs to `run/tensorboard`.
        verbose: As in `keras.Model.fit`.

    Returns:
        The trained model.

    Raises:
        DdspError: If the dataset does not fit the configuration, or the run folder is not usable.
    """
    info = load_dataset_info(data)
    spec, settings = config.spec, config.training
    if info.spec != spec:
        raise DdspError(
            f"the dataset {data} has {info.spec.sample_rate} Hz and hop {info.spec.hop}, the configuration "
            f"{spec.sample_rate} Hz and hop {spec.hop}: prepare it again with this configuration"
        )
    clip_frames = spec.frames_for(settings.clip_seconds)
    if resume:
        _check_same_model(config, run)
        model = load_model_of_run(run, to_train=True)
        first_epoch = int(model.optimizer.iterations) // settings.steps_per_epoch
    else:
        make_run_folder(run, config)
        save_reference(data, run, spec)
        model = Autoencoder.from_experiment(config, describe_data(info))
        first_epoch = 0
    epochs = -(-settings.steps // settings.steps_per_epoch)
    if first_epoch >= epochs:
        return model
    compile_model(model, config)
    clips = training_dataset(
        data,
        spec,
        batch_size=settings.batch_size,
        clip_frames=clip_frames,
        seed=settings.seed,
        skip_batches=first_epoch * settings.steps_per_epoch,
    )
    held_back = validation_dataset(data, spec, batch_size=settings.batch_size, clip_frames=clip_frames)
    callbacks: list[keras.callbacks.Callback] = [
        StopOnNonFiniteLoss(),
        RunLog(run, settings.steps_per_epoch, first_epoch),
        Checkpoint(run),
    ]
    if tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(run / "tensorboard"))
    model.fit(
        clips,
        epochs=epochs,
        initial_epoch=first_epoch,
        steps_per_epoch=min(settings.steps, settings.steps_per_epoch),
        validation_data=held_back,
        callbacks=callbacks,
        shuffle=False,  # the dataset shuffles itself
        verbose=verbose,
    )
    return model


def compile_model(model: Autoencoder, config: Config) -> None:
    """Give a model the optimizer and loss of a configuration; optimizer state is kept."""
    settings = config.training
    before = getattr(model, "optimizer", None)
    values = [v.numpy() for v in before.variables] if before is not None else []
    schedule = keras.optimizers.schedules.CosineDecay(settings.learning_rate, settings.steps, alpha=0.1)
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=settings.gradient_norm)
    model.compile(
        optimizer=optimizer,
        loss=MultiScaleSpectralLoss(
            fft_sizes=config.loss.fft_sizes,
            magnitude_weight=config.loss.magnitude_weight,
            log_magnitude_weight=config.loss.log_magnitude_weight,
        ),
    )
    if values:
        optimizer.build(model.trainable_variables)
        for variable, value in zip(optimizer.variables, values, strict=True):
            variable.assign(value)


def describe_data(info: DatasetInfo) -> dict[str, Any]:
    """What a model keeps of the dataset that made it, as plain data."""
    return {
        "f0_estimator": info.f0_estimator,
        "loudness": info.loudness,
        "f0_hz_range": dataclasses.asdict(info.f0_hz_range),
        "loudness_db_range": dataclasses.asdict(info.loudness_db_range),
    }


def _check_same_model(config: Config, run: Path) -> None:
    """Refuse to go on with a run under a configuration that describes something else."""
    started, asked = load_config_of_run(run).to_dict(), config.to_dict()
    for values in (started, asked):
        values["training"] = {**values["training"], "steps": None}  # a run may be made longer
    differing = sorted(k for k in asked if asked[k] != started.get(k))
    if differing:
        raise DdspError(
            f"the run {run} was started with another configuration: {', '.join(differing)} differ. "
            f"Go on with {run}/config.yaml, or name another folder"
        )
