"""The network of expression, in numpy: where a note is in its course, to pitch and loudness around it.

Its inputs are defined here, for the device and for training.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.expression.notes import NoteContext
from ddsp_edge.units import Array

PREFIX = "expression"
"""Of the arrays of a model file: `expression_0_weights`, `expression_0_bias`, `expression_1_weights` ..."""
LAYERS = 3
MAX_UNITS = 64
"""Of a layer; more than 10 times what is trained would be no small network any more."""
N_OUTPUTS = 4
RELEASE_DB_PER_S = 80.0
"""What loudness falls by after a note at least, besides what was learned: every note ends."""
DEEPEST_DB, LOUDEST_DB = -45.0, 15.0
"""Range of loudness around the level of a note."""
MOST_CENTS = 100.0
"""Range of pitch around that of a note, without vibrato; and the deepest vibrato."""
VIBRATO_HZ = (4.0, 8.0)

_ATTACK_S = (0.015, 0.05, 0.15, 0.5)  # times in which what an onset changes dies away
_RELEASE_S = (0.02, 0.06)
_END_S = (0.03, 0.12, 0.4)  # times in which an end shows before it comes
_NEAR_S, _RECENT_S, _PHRASE_S, _LONG_S = 0.08, 0.3, 3.0, 3.0
N_NOTE, N_TIME = 12, 11
N_INPUTS = N_NOTE + N_TIME


class Course(NamedTuple):
    """How a note is played, each `[frames]`.

    Args:
        loudness_db: Loudness off the level of the note, dB.
        cents: Pitch off the note, without vibrato.
        vibrato_cents: Depth of the vibrato: how far it goes up, and down.
        vibrato_hz: Its rate.
    """

    loudness_db: Array
    cents: Array
    vibrato_cents: Array
    vibrato_hz: Array


def note_inputs(note: NoteContext) -> Array:
    """Inputs that stay as long as a note lasts, float32 `[N_NOTE]`."""
    recent = math.exp(-note.gap_s / _RECENT_S)
    inputs = [
        (note.pitch - 66.0) / 18.0,
        (note.velocity - 80.0) / 32.0,
        math.exp(-note.gap_s / _NEAR_S),
        recent * _octave(note.interval),
        recent * note.velocity_change / 32.0,
        math.tanh(note.phrase_s / _PHRASE_S),
    ]
    ahead = note.ahead
    if ahead is None:
        inputs += [0.0] * 6
    else:
        soon = math.exp(-ahead.gap_s / _RECENT_S)
        inputs += [
            1.0,
            min(max(math.log2(max(ahead.duration_s, 0.01) / 0.4) / 3.0, -1.0), 1.0),
            math.exp(-ahead.gap_s / _NEAR_S),
            soon * _octave(ahead.interval),
            soon * ahead.velocity_change / 32.0,
            math.tanh(ahead.phrase_s / _PHRASE_S),
        ]
    return np.array(inputs, np.float32)


def time_inputs(note: NoteContext, since_onset_s: Array, since_release_s: Array) -> Array:
    """Inputs that change from frame to frame.

    Args:
        note: The note.
        since_onset_s: `[frames]`, seconds, 0 or more.
        since_release_s: `[frames]`, seconds; below 0 while the note is held.

    Returns:
        float32 `[frames, N_TIME]`.
    """
    held = since_release_s < 0.0
    after = np.maximum(since_release_s, 0.0)
    columns = [np.exp(-since_onset_s / tau) for tau in _ATTACK_S]
    columns.append(np.minimum(since_onset_s / _LONG_S, 1.0))
    columns.append(np.where(held, 0.0, 1.0))
    columns += [np.where(held, 0.0, np.exp(-after / tau)) for tau in _RELEASE_S]
    if note.ahead is None:
        columns += [np.zeros(len(after))] * len(_END_S)
    else:
        left = np.maximum(note.ahead.duration_s - since_onset_s, 0.0)
        columns += [np.where(held, np.exp(-left / tau), 0.0) for tau in _END_S]
    return np.stack(columns, axis=1).astype(np.float32)


def course_of(outputs: Array, since_release_s: Array) -> Course:
    """What the outputs of the network mean.

    Args:
        outputs: `[frames, N_OUTPUTS]`.
        since_release_s: `[frames]`, as for `time_inputs`.
    """
    falling = RELEASE_DB_PER_S * np.maximum(since_release_s, 0.0)
    loudness = np.clip(10.0 * outputs[:, 0], DEEPEST_DB, LOUDEST_DB) - falling
    cents = np.clip(10.0 * outputs[:, 1], -MOST_CENTS, MOST_CENTS)
    depth = np.clip(10.0 * outputs[:, 2], 0.0, MOST_CENTS)
    return Course(loudness, cents, depth, np.clip(5.5 + outputs[:, 3], *VIBRATO_HZ))


class ExpressionNetwork:
    """Dense layers with tanh between them.

    Args:
        arrays: Arrays of the file by name.

    Raises:
        DdspError: If they do not fit each other.
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._layers = list[tuple[Array, Array]]()
        size = N_INPUTS
        for number in range(LAYERS):
            weights, bias = (arrays.get(f"{PREFIX}_{number}_{part}") for part in ("weights", "bias"))
            wanted = N_OUTPUTS if number == LAYERS - 1 else None
            if (
                weights is None
                or bias is None
                or weights.ndim != 2
                or bias.shape != weights.shape[1:]
                or len(weights) != size
                or not 0 < len(bias) <= MAX_UNITS
                or wanted not in (None, len(bias))
            ):
                raise DdspError(
                    f"arrays {PREFIX}_{number}_weights and _bias do not fit each other, or are of another "
                    "version: make the expression again with ddsp-tf expression"
                )
            self._layers.append((np.asarray(weights, np.float32), np.asarray(bias, np.float32)))
            size = len(bias)

    def __call__(self, inputs: Array) -> Array:
        """Run it: `[frames, N_INPUTS]` to `[frames, N_OUTPUTS]`."""
        *hidden, (weights, bias) = self._layers
        for w, b in hidden:
            inputs = np.tanh(inputs @ w + b)
        return np.asarray(inputs @ weights + bias)


def has_expression(arrays: Mapping[str, Array]) -> bool:
    """Whether a model file has an expression."""
    return f"{PREFIX}_0_weights" in arrays


def _octave(interval: float) -> float:
    return min(max(interval / 12.0, -1.0), 1.0)
