"""Training: a configuration and a dataset in, a run folder out. Nothing but `keras.Model.fit`."""

import contextlib
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.config.sections import Config, TrainingConfig
from ddsp_tf.data.records.info import DatasetInfo, load_dataset_info
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.task import Task, task_named
from ddsp_tf.training.callbacks import Checkpoint, RunLog, StopWhenAsked
from ddsp_tf.training.checkpoints import TrainingState, has_checkpoint, load_newest, remove_leftovers
from ddsp_tf.training.data import check_data
from ddsp_tf.training.files import CONFIG_NAME, SOUNDS_NAME
from ddsp_tf.training.interruption import Stopped, signals_deferred
from ddsp_tf.training.model import TaskModel
from ddsp_tf.training.run import (
    load_config_of_run,
    make_run_folder,
    refuse_used_folder,
    save_config,
    take_weights,
    writing,
)
from ddsp_tf.training.sounds import SoundFiles, SoundPlace, SoundsOnBoard
from ddsp_tf.training.watch import Speed, Steps, StopOnNonFiniteLoss, spoilt
from ddsp_tf.training.workers import GONE, Workers, join_workers

STRATEGIES = ("mirrored", "multi_worker")
BOARD_NAME = "tensorboard"


def train(
    config: Config,
    data: Path,
    run: Path,
    *,
    resume: bool = False,
    start_from: Path | None = None,
    tensorboard: bool = False,
    sounds: bool = False,
    crepe_weights: Path | None = None,
    strategy: str | None = None,
    verbose: int | str = "auto",
    on_damage: OnDamage | None = None,
    progress: Callable[[str], None] = lambda text: None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> TaskModel:
    """Train the model that a configuration describes, whatever its task.

    A run that was interrupted and goes on ends with the same weights and the same log as one that was
    not. A finished run can be made longer with more steps; its learning rate then goes on along the
    cosine of the new length.

    Args:
        config: The configuration; `config.training.steps` says how long.
        data: A dataset folder made by `prepare`.
        run: The run folder to write.
        resume: Go on from the newest checkpoint of `run` that is intact, or from the beginning if it was
            stopped before the first.
        start_from: Another run, whose weights a new run begins with; of the same sizes. Its optimizer, its
            step and what it knows of its data stay behind. None begins anew.
        tensorboard: Write TensorBoard logs to `run/tensorboard`, with a held-back passage to listen to.
        sounds: Write that passage and the newest of what the model makes of it to `run/sounds`, every epoch.
        crepe_weights: Weights of CREPE, for `config.loss.perceptual_weight`.
        strategy: `"mirrored"` for all GPUs of this machine, `"multi_worker"` for the workers that the
            environment variable TF_CONFIG names, of which the first writes the run; None for one device.
        verbose: As in `keras.Model.fit`.
        on_damage: Called with a sentence for each record of the dataset that is damaged, which is then left
            out; damage is fatal if None.
        progress: Called with a few words when a run goes on, stops or has nothing left to do, and with
            warnings.
        callbacks: Further Keras callbacks; they come before the log and the checkpoint.

    Returns:
        The trained model.

    Raises:
        DdspError: If the dataset does not fit the configuration, the weights to begin with do not fit the
            model, or the run folder is not usable or cannot be written any more.
        KeyboardInterrupt: If a signal asked for an end (or what the handler of the signal raises): at the
            next step, after a checkpoint was written.
    """
    if tensorboard and find_spec("tensorboard") is None:
        raise DdspError("TensorBoard is not installed: pip install tensorboard")
    if strategy not in (None, *STRATEGIES):
        raise DdspError(f"strategy must be one of {', '.join(STRATEGIES)}. Received: {strategy!r}")
    task, settings = task_named(config.task), config.training
    info = load_dataset_info(data)
    check_data(task, data, info, config.spec)
    workers = join_workers(settings.batch_size) if strategy == "multi_worker" else None
    chief = workers is None or workers.is_chief
    with contextlib.ExitStack() as stack:
        if chief:
            stack.enter_context(writing(run, new=not resume))
        with tf.distribute.MirroredStrategy().scope() if strategy == "mirrored" else contextlib.nullcontext():
            model, state = _begin(task, config, info, data, run, resume, start_from, chief, progress)
            if state.step >= settings.steps:
                return model
            task.compile(model, config, crepe_weights)
        if workers is not None:
            workers.agree_on(state.step, run)
            model.average = workers.mean
        held_back = task.validation_data(config, data, on_damage=on_damage)
        clips = partial(
            _clips_from, task=task, config=config, data=data, on_damage=on_damage, workers=workers
        )
        first_clips = clips(state.step)
        if chief:
            _write_first_files(task, config, data, run, on_damage, new=not state.step)
        with signals_deferred() as interruption:
            steps = Steps(state.step)
            every: list[keras.callbacks.Callback] = [
                steps,
                Speed(
                    settings.batch_size * config.spec.seconds(config.spec.frames_for(settings.clip_seconds))
                ),
                StopOnNonFiniteLoss(steps),
                *callbacks,
            ]
            if chief:
                log = RunLog(run, steps)
                every += [
                    log,
                    *task.callbacks(config, data, progress),
                    Checkpoint(run, steps, log, settings.keep_checkpoints, interruption, state.means),
                    *_shown(task, config, data, run, steps, tensorboard, sounds, progress),
                ]
            else:
                verbose = 0
                every.append(StopWhenAsked(interruption))
            with contextlib.suppress(Stopped):
                _fit(model, settings, steps, first_clips, clips, held_back, every, verbose)
                if workers is not None:
                    workers.wait()
        if interruption.signal is not None:
            progress(f"stopped after step {steps.done}: go on with --resume")
            signal.raise_signal(interruption.signal)
            raise KeyboardInterrupt  # where the signal's handler returns
        return model


def _begin(
    task: Task,
    config: Config,
    info: DatasetInfo,
    data: Path,
    run: Path,
    resume: bool,
    start_from: Path | None,
    chief: bool,
    progress: Callable[[str], None],
) -> tuple[TaskModel, TrainingState]:
    """The model of a new run, or that of one that goes on."""
    steps = config.training.steps
    if not (resume and _can_go_on(config, run)):
        if chief and not resume:
            refuse_used_folder(run)
        model = task.build(config, task.facts(info, config, data))
        if start_from is not None:
            take_weights(model, start_from)
            progress(f"beginning with the weights of {start_from}")
        return model, TrainingState(0)
    model, state = load_newest(run, config.task, progress)
    _check_same_data(model, task.facts(info, config, data), data, run)
    if state.step >= steps:
        progress(f"{run} has done {state.step} steps of {steps}: there is nothing left to do")
    else:
        progress(f"going on from step {state.step}")
        model.facts["config"] = config.to_dict()  # the number of steps may be another
    return model, state


def _write_first_files(
    task: Task, config: Config, data: Path, run: Path, on_damage: OnDamage | None, new: bool
) -> None:
    """Write what a run holds before its first step."""
    if new:
        make_run_folder(run, config)
    else:
        save_config(run, config)
    remove_leftovers(run)
    task.keep(config, data, run, only_missing=not new, on_damage=on_damage)


def _shown(
    task: Task,
    config: Config,
    data: Path,
    run: Path,
    steps: Steps,
    tensorboard: bool,
    sounds: bool,
    progress: Callable[[str], None],
) -> list[keras.callbacks.Callback]:
    """Curves by Keras below `RUN/tensorboard`, and what there is to hear of a task, there and in files."""
    board, rate = run / BOARD_NAME, config.spec.sample_rate
    places: list[SoundPlace] = []
    if tensorboard:
        places.append(SoundsOnBoard(board / "sound", rate))
    if sounds:
        places.append(SoundFiles(run / SOUNDS_NAME, rate, steps))
    heard = task.heard(config, data, run, places) if places else []
    if sounds and not heard:
        progress(f"there is nothing to hear of {task.command.noun} while it trains: --sounds writes no files")
    return [*([keras.callbacks.TensorBoard(board)] if tensorboard else ()), *heard]


def _fit(
    model: TaskModel,
    settings: TrainingConfig,
    steps_done: Steps,
    batches: Any,
    batches_from: Callable[[int], Any],
    held_back: Any,
    callbacks: list[keras.callbacks.Callback],
    verbose: int | str,
) -> None:
    """Fit from a step to the last one; epochs end where they would in a run that never stopped."""
    done = steps_done.done
    while done < settings.steps:
        epochs, steps = _next_epochs(done, settings.steps, settings.steps_per_epoch)
        first = done // settings.steps_per_epoch
        try:
            model.fit(
                batches,
                epochs=first + epochs,
                initial_epoch=first,
                steps_per_epoch=steps,
                validation_data=held_back,
                callbacks=callbacks,
                shuffle=False,  # the dataset shuffles itself
                verbose=verbose,
            )
        except GONE as error:
            if model.average is None:
                raise
            raise DdspError(
                "another worker is gone, or cannot be reached any more: start all of them again with --resume"
            ) from error
        except tf.errors.InvalidArgumentError as error:
            refused = re.search(r"\w+: control '\w+' must be finite", str(error))  # from `Processor`
            if refused is None:
                raise
            raise spoilt(f"{refused[0]} (step {steps_done.done + 1})") from error
        done += epochs * steps
        if done < settings.steps:
            batches = batches_from(done)


def _clips_from(
    step: int, *, task: Task, config: Config, data: Path, on_damage: OnDamage | None, workers: Workers | None
) -> Any:
    """The training batches from a step on, or the share of a worker in them."""
    batches = task.training_data(config, data, skip_batches=step, on_damage=on_damage)
    return batches if workers is None else workers.share(batches, config.training.batch_size)


def _next_epochs(done: int, steps: int, steps_per_epoch: int) -> tuple[int, int]:
    """How many epochs of how many steps come next: whole ones, or one to the next boundary or the end."""
    whole = (steps - done) // steps_per_epoch
    if done % steps_per_epoch == 0 and whole:
        return whole, steps_per_epoch
    return 1, min(steps - done, steps_per_epoch - done % steps_per_epoch)


def _can_go_on(config: Config, run: Path) -> bool:
    """Whether a run has a checkpoint; one that was killed before its first starts anew.

    Raises:
        DdspError: If there is no run, or it has another configuration.
    """
    if has_checkpoint(run) or (run / CONFIG_NAME).exists() or not run.is_dir() or _has_visible_files(run):
        _check_same_model(config, run)
    return has_checkpoint(run)


def _has_visible_files(run: Path) -> bool:
    return any(not path.name.startswith(".") for path in run.iterdir())


def _check_same_model(config: Config, run: Path) -> None:
    """Refuse to go on with a run under a configuration that describes something else."""
    started, asked = (_settings(c.to_dict()) for c in (load_config_of_run(run), config))
    differing = [key for key in {**started, **asked} if started.get(key) != asked.get(key)]
    free = ("training.steps", "training.keep_checkpoints")  # a run may be made longer
    differing = [key for key in differing if key not in free]
    if differing:
        raise DdspError(
            f"the run {run} was started with another configuration: {', '.join(differing)} "
            f"{'differs' if len(differing) == 1 else 'differ'}. Go on with {run}/{CONFIG_NAME}, or name "
            "another folder"
        )


def _settings(values: dict[str, Any], where: str = "") -> dict[str, Any]:
    """Nested settings as one dict with dotted keys."""
    flat = {}
    for key, value in values.items():
        nested = isinstance(value, dict)
        flat.update(_settings(value, f"{where}{key}.") if nested else {f"{where}{key}": value})
    return flat


def _check_same_data(model: TaskModel, facts: Mapping[str, Any], data: Path, run: Path) -> None:
    """Refuse to go on with another dataset: the model would describe data it has hardly seen."""
    differing = [key for key, value in facts.items() if model.facts.get(key, value) != value]
    if differing:
        raise DdspError(
            f"the run {run} was started with another dataset than {data}: {', '.join(differing)} "
            f"{'differs' if len(differing) == 1 else 'differ'}"
        )
