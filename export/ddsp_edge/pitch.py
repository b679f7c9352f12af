"""Pitch of a stream on the frame grid: a YIN-family tracker in numpy, with a short look-ahead.

A path through the periods after which each frame repeats itself (`ddsp_edge.periods`), one that changes pitch
seldom and prefers the shorter of two equal periods, is found by the Viterbi algorithm and given out a fixed
number of frames later (as Mauch & Dixon 2014 do for whole recordings).
"""

import contextlib
from collections.abc import Iterator

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
_AUDIBLE = 1e-6  # mean square of a window, -60 dB, below which nothing is heard as a pitch
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
        # Of the last frame: least costs of its candidates and of silence, and the candidates in octaves.
        self._costs = [0.0] * (_CANDIDATES + 1)
        self._octaves = [0.0] * _CANDIDATES
        # Of each frame: where its states are best reached from, their f0 and voicing.
        self._waiting: list[tuple[list[int], list[float], list[float]]] = []

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
        rest = _columns(self._decide(len(self._waiting)))
        self._waiting = []
        return np.concatenate([f0, rest[0]]), np.concatenate([voicing, rest[1]])

    def _track(self, windows: Array) -> tuple[Array, Array]:
        decided = [
            frame
            for start in range(0, len(windows), _WINDOWS_AT_ONCE)
            for frame in self._path(windows[start : start + _WINDOWS_AT_ONCE])
        ]
        return _columns(decided)

    def _path(self, windows: Array) -> Iterator[tuple[float, float]]:
        """Yield f0 and voicing of the frames decided now."""
        found = self._finder.find(windows)
        found.cost[found.mean_square < _AUDIBLE] += 2.0 * _UNVOICED
        costs = found.cost * self._per_frame
        periodicity = 1.0 - np.minimum(found.aperiodicity, 1.0)
        # A handful of numbers a frame: lists are faster than arrays, of which every operation costs a call.
        frames = (costs, np.log2(found.f0_hz), found.f0_hz, 0.5 + 0.5 * periodicity, 0.499 * periodicity)
        for local, octaves, f0, voiced, unvoiced in zip(*(x.tolist() for x in frames), strict=True):
            pointers = self._reach(local, octaves)
            likely = local.index(min(local))
            there = local[likely] < NONE * self._per_frame
            f0.append(f0[likely] if there else 0.0)
            voiced.append(unvoiced[likely] if there else 0.0)
            self._waiting.append((pointers, f0, voiced))
            if len(self._waiting) > self.lookahead_frames:
                yield self._decide(1)[0]
                del self._waiting[0]

    def _reach(self, local: list[float], octaves: list[float]) -> list[int]:
        """Go on to a frame, given its own costs; return where each of its states is best reached from."""
        *voiced, unvoiced = self._costs
        before = list(zip(self._octaves, voiced, strict=True))
        onset = unvoiced + _ONSET
        pointers, reached = list[int](), list[float]()
        for pitch, own in zip(octaves, local, strict=True):
            ways = [cost + _LEAP * abs(pitch - other) for other, cost in before]
            ways.append(onset)
            least = min(ways)
            pointers.append(ways.index(least))
            reached.append(least + own)
        ways = [cost + _ONSET for cost in voiced]
        ways.append(unvoiced)
        least = min(ways)
        pointers.append(ways.index(least))
        reached.append(least + _UNVOICED * self._per_frame)
        least = min(reached)
        self._costs, self._octaves = [cost - least for cost in reached], octaves
        return pointers

    def _decide(self, count: int) -> list[tuple[float, float]]:
        """F0 and voicing of the first `count` waiting frames on the best path known now."""
        state = self._costs.index(min(self._costs))
        path = list[tuple[float, float]]()
        for pointers, f0, voicing in reversed(self._waiting):
            path.append((f0[state], voicing[state]))
            state = pointers[state]
        return path[: -count - 1 : -1]


def _columns(frames: list[tuple[float, float]]) -> tuple[Array, Array]:
    """F0 and voicing, float32 `[frames]` each."""
    table = np.array(frames, np.float32).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def hold_unvoiced(f0_hz: npt.ArrayLike, voiced: npt.ArrayLike, start_hz: float) -> Array:
    """Let unvoiced frames hold the f0 of the last voiced one.

    Causal, so that a device and the training data do the same.

    Args:
        f0_hz: `[frames]`, Hz.
        voiced: `[frames]`, booleans.
        start_hz: Held before the first voiced frame, Hz.

    Returns:
        `[frames]`, Hz, in the float type of `f0_hz`; where all are voiced `f0_hz` itself.
    """
    held, voiced = np.asarray(f0_hz), np.asarray(voiced, bool)
    kind = np.float32 if held.dtype == np.float32 else np.float64
    if not voiced.all():
        last = np.maximum.accumulate(np.where(voiced, np.arange(len(held)), -1))
        held = np.where(last >= 0, held[np.maximum(last, 0)], start_hz)
    return np.asarray(held, kind)
