"""Fit the network of expression to performances."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from ddsp_edge.expression.network import (
    DEEPEST_DB,
    LATE,
    LAYERS,
    N_INPUTS,
    N_OUTPUTS,
    PREFIX,
    RELEASE_DB_PER_S,
    note_inputs,
    time_inputs,
)
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.instrument.expression.performance import Performance, PlayedNote
from ddsp_tf.tasks.instrument.expression.speaking import late_by_pitch
from ddsp_tf.tasks.instrument.expression.vibrato import CLEAR, find_vibrato

UNITS, STEPS = 24, 4000
LEAST_NOTES = 40
_BATCH, _LEARNING_RATE, _DECAY = 256, 0.01, 1e-4
_MOST_PASSES = 25  # through few notes: with more it knows them by heart
_LOUDNESS, _CENTS, _DEPTH, _HZ = range(N_OUTPUTS)
_SCALE = 10.0  # dB and cents to what the network gives
_WEIGHTS = (1.0, 0.3, 0.3, 0.3)


@dataclass(frozen=True)
class Lesson:
    """What is to be learned of frames: `inputs` `[frames, N_INPUTS]`, the rest `[frames, N_OUTPUTS]`."""

    inputs: Array
    targets: Array
    weights: Array


def lesson_of(performance: Performance, note: PlayedNote, known: bool, late_s: float = 0.0) -> Lesson:
    """What is to be learned of a note.

    Args:
        performance: Its performance.
        note: The note.
        known: Whether the network is told what comes.
        late_s: How much later than usual its pitch is heard, seconds.
    """
    times = performance.times_s[note.frames]
    context = note.context if known else replace(note.context, ahead=None)
    released = times - note.offset_s
    constant = note_inputs(context)
    inputs = [
        constant + time_inputs(context, t, u, late_s)
        for t, u in zip((times - note.onset_s).tolist(), released.tolist(), strict=True)
    ]
    targets, weights = np.zeros((2, len(times), N_OUTPUTS), np.float32)
    falling = RELEASE_DB_PER_S * np.maximum(released, 0.0)
    targets[:, _LOUDNESS] = np.maximum(performance.off_level(note) + falling, DEEPEST_DB) / _SCALE
    weights[:, _LOUDNESS] = 1.0
    held = released < 0.0
    cents = np.where(held, performance.cents(note), np.nan)
    vibrato = find_vibrato(cents[held], float(performance.spec.frame_rate))
    if vibrato is not None:
        cents[held] = np.where(np.isfinite(cents[held]), vibrato.middle_cents, np.nan)
        targets[held, _DEPTH], weights[held, _DEPTH] = vibrato.depth_cents / _SCALE, 1.0
        if vibrato.clear >= CLEAR:
            targets[held, _HZ] = vibrato.hz - 5.5
            weights[held, _HZ] = np.minimum(vibrato.depth_cents / _SCALE, 2.0)
    good = np.isfinite(cents)
    targets[good, _CENTS], weights[good, _CENTS] = cents[good] / _SCALE, 1.0
    return Lesson(np.array(inputs, np.float32), targets, weights)


def fit_expression(
    performances: Sequence[Performance],
    *,
    seed: int = 0,
    steps: int = STEPS,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Array]:
    """Learn how notes are played.

    Args:
        performances: Of one instrument, at least 40 notes in all.
        seed: Integer from 0.
        steps: Integer > 0, of training, about: whole epochs are trained, and 25 at most.
        progress: Called with the epochs done and in all.

    Returns:
        The arrays for a model file, rounded to half precision.

    Raises:
        DdspError: If there are too few notes.
    """
    notes = [(p, note) for p in performances for note in p.notes if note.frames.stop > note.frames.start]
    if len(notes) < LEAST_NOTES:
        raise DdspError(
            f"{len(notes)} notes are too few to learn how they are played: {LEAST_NOTES} are the least, and "
            "some hundreds do well"
        )
    late = late_by_pitch(performances)
    lessons = [
        lesson_of(p, note, known, float(late[note.pitch])) for p, note in notes for known in (True, False)
    ]
    inputs, targets, weights = (
        np.concatenate([getattr(lesson, name) for lesson in lessons])
        for name in ("inputs", "targets", "weights")
    )
    keras.utils.set_random_seed(seed)
    hidden = [keras.layers.Dense(UNITS, "tanh") for _ in range(LAYERS - 1)]
    model = keras.Sequential([keras.Input((N_INPUTS,)), *hidden, keras.layers.Dense(N_OUTPUTS)])
    batches = -(-len(inputs) // _BATCH)
    epochs = min(max(1, round(steps / batches)), _MOST_PASSES)
    rate = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, epochs * batches)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=_DECAY), loss=_loss)

    def heard(epoch: int, logs: Any) -> None:
        if progress is not None:
            progress(epoch + 1, epochs)

    model.fit(
        inputs,
        np.concatenate([targets, weights], axis=1),
        batch_size=_BATCH,
        epochs=epochs,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=heard)],
    )
    arrays = {
        f"{PREFIX}_{number}_{part}": value.astype(np.float16).astype(np.float32)
        for number, layer in enumerate(model.layers)
        for part, value in zip(("weights", "bias"), layer.get_weights(), strict=True)
    }
    return {**arrays, LATE: late} if late.any() else arrays


def _loss(true: Any, predicted: Any) -> Any:
    targets, weights = true[:, :N_OUTPUTS], true[:, N_OUTPUTS:]
    off = predicted - targets
    straight, square = keras.ops.abs(off), keras.ops.square(off)
    # Of depths and rates the mean is wanted: squares. Of contours what most notes do.
    terms = [straight[:, _LOUDNESS], straight[:, _CENTS], square[:, _DEPTH], square[:, _HZ]]
    return sum(
        share * weights[:, i] * term for i, (share, term) in enumerate(zip(_WEIGHTS, terms, strict=True))
    )
