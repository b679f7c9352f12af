"""Where phones begin and end, by what a recogniser reads and where the sound changes.

A recogniser that was trained by connectionist temporal classification (CTC) names a phone in one frame or
two and is blank in between: it tells which phones there are, and about where. Where one ends and the next
begins is where the two spectra differ most.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ddsp_edge.units import Array

_SILENCE_S = 0.08
"""The shortest pause; closures of stops are shorter."""
_SILENT = 0.18
"""Of the way, in dB, from the softest to the loud frames of a recording, below which is silence."""
_EARLY_S = 0.04
"""By which a phone may begin before the recogniser names it, or end after that of the next."""


def read_tokens(log_probabilities: npt.ArrayLike, blank: int) -> tuple[Array, Array]:
    """Tokens on the likeliest path, and where each stands out most.

    Args:
        log_probabilities: `[frames, tokens]`.
        blank: Number of the blank.

    Returns:
        Numbers of tokens and frames, integers `[phones]` each; frames rise.
    """
    table = np.asarray(log_probabilities)
    best = table.argmax(axis=1)
    begins = np.flatnonzero(np.diff(best, prepend=-1))
    ends = np.append(begins[1:], len(best))
    kept = [(b, e) for b, e in zip(begins, ends, strict=True) if best[b] != blank]
    tokens = np.array([best[b] for b, _ in kept], np.int64)
    peaks = np.array([b + table[b:e, best[b]].argmax() for b, e in kept], np.int64)
    return tokens, peaks


def segment_ends(log_mel: Array, peaks: Sequence[float], early_frames: int) -> Array:
    """Where each of some segments ends, so that within segments the spectrum changes least.

    The sum over all segments of the squared distances from their mean spectra is made smallest, by dynamic
    programming over the ends; an end lies between the peaks of its two phones, or a little outside.

    Args:
        log_mel: `[frames, bands]`.
        peaks: Frames that lie in each segment, about; rising.
        early_frames: Integer, how far outside.

    Returns:
        The frame after the last of each segment, integers `[segments]`; the last is the number of frames.
    """
    frames, n = len(log_mel), len(peaks)
    sums = np.concatenate([np.zeros((1, log_mel.shape[1])), np.cumsum(log_mel, axis=0, dtype=np.float64)])
    squares = np.concatenate([[0.0], np.cumsum(np.sum(np.square(log_mel, dtype=np.float64), axis=1))])

    def cost(begin: Array, end: Array) -> Array:
        """Squared distances from the mean of every segment `[begins, ends]`; infinite where there is none."""
        length = end[None] - begin[:, None]
        spread = squares[end][None] - squares[begin][:, None]
        total = np.sum((sums[end][None] - sums[begin][:, None]) ** 2, axis=2)
        return np.where(length > 0, spread - total / np.maximum(length, 1), np.inf)

    places = [np.array([0])]
    for k in range(n - 1):
        low = max(k + 1, int(peaks[k]) - early_frames)
        high = min(frames - (n - 1 - k), int(peaks[k + 1]) + early_frames)
        places.append(np.arange(min(low, high), high + 1))
    places.append(np.array([frames]))
    best, pointers = np.zeros(1), []
    for before, now in pairwise(places):
        reached = best[:, None] + cost(before, now)
        pointers.append(reached.argmin(axis=0))
        best = reached.min(axis=0)
    ends, at = [], 0
    for now, pointer in zip(reversed(places[1:]), reversed(pointers), strict=True):
        ends.append(int(now[at]))
        at = int(pointer[at])
    return np.array(ends[::-1], np.int64)


def silent_frames(log_mel: Array, frame_rate: float) -> npt.NDArray[np.bool_]:
    """Frames that lie in pauses, `[frames]`."""
    level = np.log(np.mean(np.exp(log_mel), axis=1))
    low, high = np.percentile(level, [2.0, 95.0])
    quiet = level < low + max(_SILENT * (high - low), 0.7)
    least = max(1, round(_SILENCE_S * frame_rate))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin < least and begin > 0 and end < len(quiet):
            quiet[begin:end] = False
    return quiet


def aligned(
    log_mel: Array, tokens: Sequence[int], peaks: Sequence[float], silence: int, frame_rate: float
) -> npt.NDArray[np.int64]:
    """The token of every frame.

    Args:
        log_mel: `[frames, bands]`.
        tokens: Tokens in their order.
        peaks: Frames of `log_mel` where each was read, rising.
        silence: What frames in pauses are given.
        frame_rate: Frames a second.

    Returns:
        `[frames]`.
    """
    if not len(tokens) or len(log_mel) <= len(tokens):
        return np.full(len(log_mel), silence, np.int64)
    # What is below -60 dB re the loudest is no part of a phone's spectrum.
    heard = np.maximum(log_mel, log_mel.max() - 12.0)
    ends = segment_ends(heard, peaks, max(1, round(_EARLY_S * frame_rate)))
    labels = np.repeat(np.asarray(tokens, np.int64), np.diff(ends, prepend=0))
    quiet = silent_frames(log_mel, frame_rate)
    labels[quiet] = silence
    for begin, end, peak in zip(np.append(0, ends[:-1]), ends, peaks, strict=True):
        if quiet[begin:end].any():  # a pause within: the phone is the part that was read, the rest is breath
            sounding = np.flatnonzero(~quiet[begin:end]) + begin
            runs = np.split(sounding, np.flatnonzero(np.diff(sounding) > 1) + 1)
            near = min(runs, key=lambda run: np.abs(run - peak).min() if len(run) else np.inf)
            labels[begin:end] = silence
            labels[near] = tokens[int(np.searchsorted(ends, begin, side="right"))]
    return labels
