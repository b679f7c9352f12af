"""The network of expression, in numpy: where a note is in its course, to pitch and loudness around it.

Its inputs are defined here, for the device and for training.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_edge.errors import DdspError
from ddsp_edge.expression.notes import NoteContext
from ddsp_edge.units import Array

PREFIX = "expression"
"""Of the arrays of a model file: `expression_0_weights`, `expression_0_bias`, `expression_1_weights` ..."""
LATE = f"{PREFIX}_late"
"""The array, `[128]`, of how much later than usual each pitch is heard, seconds; a file may do
without."""
MOST_LATE_S = 0.1
"""The most of it, seconds: whoever plays keys hears more as a fault."""
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
_RELEASE_S = (0.02, 0.06)  # and what an end changes
_END_S = (0.03, 0.12, 0.4)  # times in which an end shows before it comes
_NEAR_S, _RECENT_S, _PHRASE_S, _LONG_S = 0.08, 0.3, 3.0, 3.0
N_NOTE, N_TIME = 12, 11
N_INPUTS = N_NOTE + N_TIME


class Course(NamedTuple):
    """How a note is played in a frame.

    Args:
        loudness_db: Loudness off the level of the note, dB.
        cents: Pitch off the note, without vibrato.
        vibrato_cents: Depth of the vibrato: how far it goes up, and down.
        vibrato_hz: Its rate.
    """

    loudness_db: float
    cents: float
    vibrato_cents: float
    vibrato_hz: float


def note_inputs(note: NoteContext) -> list[float]:
    """Inputs that stay as long as a note lasts, `N_NOTE` of them."""
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
            _within(math.log2(max(ahead.duration_s, 0.01) / 0.4) / 3.0, -1.0, 1.0),
            math.exp(-ahead.gap_s / _NEAR_S),
            soon * _octave(ahead.interval),
            soon * ahead.velocity_change / 32.0,
            math.tanh(ahead.phrase_s / _PHRASE_S),
        ]
    return inputs


def time_inputs(
    note: NoteContext, since_onset_s: float, since_release_s: float, late_s: float = 0.0
) -> list[float]:
    """Inputs that change from frame to frame, `N_TIME` of them.

    In plain numbers: for a frame, as it is played, that takes a tenth of the time of arrays.

    Args:
        note: The note.
        since_onset_s: Seconds, 0 or more.
        since_release_s: Seconds; below 0 while the note is held.
        late_s: How much later than usual its pitch is heard, seconds: what an onset changes begins then.
    """
    since_attack_s = max(since_onset_s - late_s, 0.0)
    inputs = [math.exp(-since_attack_s / tau) for tau in _ATTACK_S]
    inputs.append(min(since_onset_s / _LONG_S, 1.0))
    if since_release_s >= 0.0:
        inputs += [1.0, *(math.exp(-since_release_s / tau) for tau in _RELEASE_S), 0.0, 0.0, 0.0]
    elif note.ahead is None:
        inputs += [0.0] * 6
    else:
        left = max(note.ahead.duration_s - since_onset_s, 0.0)
        inputs += [0.0, 0.0, 0.0, *(math.exp(-left / tau) for tau in _END_S)]
    return inputs


def course_of(outputs: Sequence[float], since_release_s: float) -> Course:
    """What the outputs of the network mean.

    Args:
        outputs: `N_OUTPUTS` of them.
        since_release_s: As for `time_inputs`.
    """
    loudness, cents, depth, rate = outputs
    return Course(
        _within(10.0 * loudness, DEEPEST_DB, LOUDEST_DB) - RELEASE_DB_PER_S * max(since_release_s, 0.0),
        _within(10.0 * cents, -MOST_CENTS, MOST_CENTS),
        _within(10.0 * depth, 0.0, MOST_CENTS),
        _within(5.5 + rate, *VIBRATO_HZ),
    )


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
        late = arrays.get(LATE, np.zeros(128, np.float32))
        if late.shape != (128,) or not np.all(np.abs(late) <= MOST_LATE_S):
            raise DdspError(
                f"the array {LATE} must be 128 numbers from {-MOST_LATE_S} to {MOST_LATE_S}: make the "
                "expression again with ddsp-tf expression"
            )
        self._late = [float(seconds) for seconds in late]

    def late_s(self, pitch: float) -> float:
        """How much later than usual a MIDI note is heard, seconds."""
        return self._late[min(max(math.floor(pitch + 0.5), 0), 127)]

    def __call__(self, inputs: npt.ArrayLike) -> Array:
        """Run it: `[..., N_INPUTS]` to `[..., N_OUTPUTS]`."""
        *hidden, (weights, bias) = self._layers
        values = np.asarray(inputs, np.float32)
        for w, b in hidden:
            values = np.tanh(values @ w + b)
        return np.asarray(values @ weights + bias)


def has_expression(arrays: Mapping[str, Array]) -> bool:
    """Whether a model file has an expression."""
    return f"{PREFIX}_0_weights" in arrays


def _octave(interval: float) -> float:
    return _within(interval / 12.0, -1.0, 1.0)


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
