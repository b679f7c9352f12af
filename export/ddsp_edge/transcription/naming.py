"""Who plays a note: by its harmonics, its attack and what is left; then all notes of a file together.

A small network says how well a note fits each instrument. What it says of one note in a mixture is right less
than half of the time, so notes are named together: how often each instrument plays and in which register it
moves is estimated from the file by expectation maximisation, and taken into account.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.transcription.harmonics import N_FEATURES
from ddsp_edge.transcription.names import MIDDLES, NAMES
from ddsp_edge.transcription.note import Note
from ddsp_edge.units import Array

PREFIX = "namer"
"""Of the arrays of a model file: `namer_0_weights`, `namer_0_bias`, `namer_1_weights` ..."""
_LAYERS = 3
_ROUNDS = 12
_SPREAD = 9.0  # semitones, of an instrument's register before anything is known of it
_TRUSTED = 6.0  # notes that the register's own spread counts as
_REMEMBERED = 200  # notes, of a stream
_FEW = 0.5  # notes that every instrument counts as, for it may yet play
_MANY = 5.0  # times their share of all notes, that those who are known to play count as
_SHARPNESS = 1.0  # of what the network says: notes of a file are not independent of each other


class Namer:
    """The small network of a model file, in numpy.

    Args:
        arrays: Arrays of the file by name.

    Raises:
        DdspError: If they are not those of such a network.
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._layers = []
        width = N_FEATURES
        for number in range(_LAYERS):
            weights, bias = (arrays.get(f"{PREFIX}_{number}_{part}") for part in ("weights", "bias"))
            fits = weights is not None and weights.ndim == 2 and weights.shape[0] == width
            if weights is None or bias is None or not fits or bias.shape != weights.shape[1:]:
                raise DdspError(f"arrays {PREFIX}_{number}_weights and _bias do not fit each other")
            self._layers.append((weights, bias))
            width = weights.shape[1]
        if width != len(NAMES):
            raise DdspError(f"the model names {width} instruments; {len(NAMES)} are known here")

    def log_likelihoods(self, features: Array) -> Array:
        """How well notes `[notes, 66]` fit each instrument, logarithms `[notes, names]`."""
        x = np.asarray(features, np.float32)
        for number, (weights, bias) in enumerate(self._layers):
            x = x @ weights + bias
            if number < _LAYERS - 1:
                x = np.maximum(x, 0.0)
        x = x - x.max(axis=-1, keepdims=True)
        return np.asarray(x - np.log(np.exp(x).sum(axis=-1, keepdims=True)), np.float32)


def has_namer(arrays: Mapping[str, Array]) -> bool:
    """Whether a model file can name instruments."""
    return f"{PREFIX}_0_weights" in arrays


def named(notes: Sequence[Note], likelihoods: Array, who: Sequence[str] = ()) -> list[Note]:
    """Name notes of a file together.

    Args:
        notes: The notes.
        likelihoods: Logarithms, `[notes, names]`, of `Namer`.
        who: Who plays; empty where that is to be guessed.

    Returns:
        The notes with `instrument` and `name_confidence`.
    """
    if not len(notes):
        return []
    chosen = [NAMES.index(name) for name in who] or list(range(len(NAMES)))
    if len(chosen) == 1:
        return [replace(note, instrument=NAMES[chosen[0]], name_confidence=1.0) for note in notes]
    pitches = np.array([note.pitch for note in notes], np.float64)
    weights = np.array([max(0.05, min(2.0, n.offset_s - n.onset_s)) * n.confidence for n in notes])
    if who:  # whoever was named plays: often enough, and mostly in the usual register
        likelihoods = likelihoods + register_likelihoods(pitches)
    few = _MANY * weights.sum() / len(chosen) if who else _FEW * weights.mean()
    shares = posterior(likelihoods[:, chosen].astype(np.float64), pitches, weights, float(few))
    best = shares.argmax(axis=1)
    return [
        replace(note, instrument=NAMES[chosen[int(k)]], name_confidence=float(share[k]))
        for note, k, share in zip(notes, best, shares, strict=True)
    ]


class RunningNames:
    """Names notes as they end, together with those before them; memory is bounded.

    Args:
        namer: The small network.
        who: Who plays; empty where that is to be guessed.
    """

    def __init__(self, namer: Namer, who: Sequence[str] = ()) -> None:
        self._namer, self._who = namer, tuple(who)
        self._before: deque[tuple[Note, Array]] = deque(maxlen=_REMEMBERED)

    def name(self, note: Note, features: Array) -> Note:
        """Name a note, by its features `[66]` and by all that came before it."""
        self._before.append((note, self._namer.log_likelihoods(features[np.newaxis])[0]))
        notes, likelihoods = zip(*self._before, strict=True)
        return named(notes, np.stack(likelihoods), self._who)[-1]


def posterior(likelihoods: Array, pitches: Array, weights: Array, few: float = 0.5) -> Array:
    """Probability of each instrument for each note, `[notes, instruments]`, by expectation maximisation.

    Args:
        likelihoods: Logarithms, `[notes, instruments]`.
        pitches: MIDI notes, `[notes]`.
        weights: How much each note counts, `[notes]`.
        few: What every instrument counts for before any note is its own.
    """
    heard = _SHARPNESS * likelihoods
    shares = _normalised(heard)
    for _ in range(_ROUNDS):
        counts = weights @ shares
        often = np.log(counts + few) - np.log((counts + few).sum())
        weighed = weights[:, None] * shares
        total = weighed.sum(axis=0) + 1e-9
        middle = (weighed * pitches[:, None]).sum(axis=0) / total
        spread = (weighed * np.square(pitches[:, None] - middle)).sum(axis=0)
        spread = (spread + _TRUSTED * _SPREAD**2 * weights.mean()) / (total + _TRUSTED * weights.mean())
        register = -0.5 * np.square(pitches[:, None] - middle) / spread - 0.5 * np.log(spread)
        shares = _normalised(heard + often + register)
    return shares


def register_likelihoods(pitches: Array) -> Array:
    """What the pitch alone says of who plays notes, logarithms `[notes, names]`: what naming has to beat."""
    middles = np.array([MIDDLES[name] for name in NAMES], np.float64)
    return np.asarray(-0.5 * np.square((np.asarray(pitches)[:, None] - middles) / _SPREAD))


def _normalised(logarithms: Array) -> Array:
    values = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
    return np.asarray(values / values.sum(axis=1, keepdims=True))
