"""Pitch of a stream on the frame grid: a YIN-family tracker in numpy, with a short look-ahead.

A path through the periods after which each frame repeats itself (`ddsp_edge.periods`), one that changes pitch
seldom and prefers the shorter of two equal periods, is found by the Viterbi algorithm and given out a fixed
number of frames later (as Mauch & Dixon 2014 do for whole recordings).
"""

import contextlib

import numpy as np
import numpy.typing as npt

from ddsp_edge.card import Card
from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.periods import NONE, PeriodFinder
from ddsp_edge.units import Array
from ddsp_edge.windows import CenteredWindows

VOICED = 0.5
"""A frame whose voicing is at least this has a pitch."""

_CANDIDATES = 6
_LOOKAHEAD_S = 0.03
_LEVEL_DB = -60.0  # RMS of a window below which nothing is heard as a pitch
# Costs, in units of aperiodicity over 10 ms. Tuned on synthetic tones, on four recordings whose f0 is known
# exactly and on soundfont renderings of five instruments.
_UNVOICED = 0.5
_LEAP = 1.0  # of a change of pitch, for each octave
_ONSET = 0.3  # of becoming voiced or unvoiced
_WINDOWS_AT_ONCE = 256  # bounds memory; their spectra stay in the cache


class PitchTracker:
    """Track the pitch of a monophonic stream, frame by frame.

    Args:
        spec: The frame grid.
        f0_min_hz: Lowest pitch, Hz. The window is two of its periods long.
        f0_max_hz: Highest pitch, Hz; at most a quarter of the sample rate.
        lookahead_frames: Frames after a frame that its pitch waits for; None for 30 ms. Fewer are
            faster to answer and err more often.

    Raises:
        DdspError: If the range cannot be tracked at this rate.
    """

    def __init__(
        self,
        spec: FrameSpec,
        f0_min_hz: float = 55.0,
        f0_max_hz: float = 2000.0,
        lookahead_frames: int | None = None,
    ) -> None:
        self._finder = PeriodFinder(spec.sample_rate, f0_min_hz, f0_max_hz, _CANDIDATES)
        self.spec = spec
        self.f0_min_hz = f0_min_hz
        self.f0_max_hz = self._finder.f0_max_hz
        if lookahead_frames is None:
            lookahead_frames = spec.frames_for(_LOOKAHEAD_S)
        self.lookahead_frames = max(0, lookahead_frames)
        self._windows = CenteredWindows(spec, self._finder.size)
        self._per_frame = spec.hop / spec.sample_rate / 0.01  # frames in the costs' 10 ms
        self.latency_samples = self._windows.latency_samples + self.lookahead_frames * spec.hop
        self.reset()

    @classmethod
    def for_card(cls, card: Card) -> "PitchTracker":
        """Build the tracker that looks for the pitches that the training data was searched for.

        Where the card does not tell them, or tells what cannot be tracked, the tracker's own range holds.
        """
        low, high = card.f0_estimator.get("f0_min_hz"), card.f0_estimator.get("f0_max_hz")
        if isinstance(low, int | float) and isinstance(high, int | float):
            with contextlib.suppress(DdspError, OverflowError):
                return cls(card.spec, float(low), float(high))
        return cls(card.spec)

    def reset(self) -> None:
        """Forget everything: the next sample pushed is sample 0."""
        self._windows.reset()
        self._cost: Array = np.zeros(_CANDIDATES + 1)
        self._last_pitch: Array = np.zeros(_CANDIDATES)  # octaves, of the candidates of the last frame
        self._waiting: list[tuple[list[int], Array, Array]] = []  # back pointers, f0, voicing

    def push(self, audio: npt.ArrayLike) -> tuple[Array, Array]:
        """Add samples `[n]`.

        Returns:
            `f0_hz` and `voicing` in 0..1, float32 `[frames]`, of the frames decided now. Unvoiced frames
            (`voicing < 0.5`) have the most likely f0 all the same, or 0 where nothing repeats.
        """
        return self._track(self._windows.push(audio))

    def flush(self) -> tuple[Array, Array]:
        """End the stream; return `f0_hz` and `voicing` of its last frames."""
        f0, voicing = self._track(self._windows.flush())
        rest = self._decide(len(self._waiting))
        self._waiting = []
        return np.concatenate([f0, rest[0]]), np.concatenate([voicing, rest[1]])

    def _track(self, windows: Array) -> tuple[Array, Array]:
        parts = [
            self._path(windows[i : i + _WINDOWS_AT_ONCE]) for i in range(0, len(windows), _WINDOWS_AT_ONCE)
        ]
        if not parts:
            return np.zeros(0, np.float32), np.zeros(0, np.float32)
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    def _path(self, windows: Array) -> tuple[Array, Array]:
        found = self._finder.find(windows)
        f0, aperiodicity, cost = found.f0_hz, found.aperiodicity, found.cost
        cost[found.mean_square < 10.0 ** (_LEVEL_DB / 10.0)] += 2.0 * _UNVOICED
        pitch = np.log2(f0)
        before = np.concatenate([self._last_pitch[None], pitch[:-1]])
        self._last_pitch = pitch[-1]
        n = _CANDIDATES
        step = np.empty((len(f0), n + 1, n + 1))
        step.fill(_ONSET)
        step[:, :n, :n] = _LEAP * np.abs(pitch[:, :, None] - before[:, None, :])
        step[:, n, n] = 0.0
        local = np.concatenate([cost, np.full((len(cost), 1), _UNVOICED)], axis=1) * self._per_frame

        periodicity = np.minimum(np.maximum(1.0 - aperiodicity, 0.0), 1.0)
        likely = np.argmin(cost, axis=1)[:, None] + np.arange(0, n * len(f0), n)[:, None]
        there = np.take(cost, likely) < NONE
        f0_out = np.concatenate([f0, np.where(there, np.take(f0, likely), 0.0)], axis=1)
        unvoiced = 0.499 * np.take(periodicity, likely) * there
        voicing = np.concatenate([0.5 + 0.5 * periodicity, unvoiced], axis=1)
        rows = np.arange(n + 1)
        decided = []
        for i in range(len(f0)):
            total = step[i] + self._cost
            pointers = total.argmin(axis=1)
            reached = total[rows, pointers] + local[i]
            self._cost = reached - reached.min()
            self._waiting.append((pointers.tolist(), f0_out[i], voicing[i]))
            if len(self._waiting) > self.lookahead_frames:
                decided.append(self._decide(1))
                del self._waiting[0]
        if not decided:
            return np.zeros(0, np.float32), np.zeros(0, np.float32)
        return np.concatenate([d[0] for d in decided]), np.concatenate([d[1] for d in decided])

    def _decide(self, count: int) -> tuple[Array, Array]:
        """F0 and voicing of the first `count` waiting frames on the best path known now."""
        state = int(self._cost.argmin())
        f0, voicing = np.zeros(count, np.float32), np.zeros(count, np.float32)
        for i in range(len(self._waiting) - 1, -1, -1):
            pointers, frequencies, voicings = self._waiting[i]
            if i < count:
                f0[i], voicing[i] = frequencies[state], voicings[state]
            state = pointers[state]
        return f0, voicing


def hold_unvoiced(f0_hz: npt.ArrayLike, voiced: npt.ArrayLike, start_hz: float) -> Array:
    """Let unvoiced frames hold the f0 of the last voiced one.

    Causal, so that a device and the training data do the same.

    Args:
        f0_hz: `[frames]`, Hz.
        voiced: `[frames]`, booleans.
        start_hz: Held before the first voiced frame, Hz.

    Returns:
        `[frames]`, Hz, in the float type of `f0_hz`.
    """
    f0 = np.asarray(f0_hz)
    last = np.maximum.accumulate(np.where(np.asarray(voiced, bool), np.arange(len(f0)), -1))
    held = np.where(last >= 0, f0[np.maximum(last, 0)], start_hz)
    return np.asarray(held, np.float32 if f0.dtype == np.float32 else np.float64)
