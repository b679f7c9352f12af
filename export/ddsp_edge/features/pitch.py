"""Pitch of a stream on the frame grid: a YIN-family tracker in numpy, with a short look-ahead.

A path through the periods after which each frame repeats itself (`ddsp_edge.features.periods`), one that
changes pitch seldom and prefers the shorter of two equal periods, is found by the Viterbi algorithm and
given out a fixed number of frames later (as Mauch & Dixon 2014 do for whole recordings). A note over one that
rings on is heard as if it were alone (`ddsp_edge.features.ringing`).
"""

import contextlib
from collections import deque
from math import log2

import numpy as np
import numpy.typing as npt

from ddsp_edge.errors import DdspError
from ddsp_edge.features.periods import Candidate
from ddsp_edge.features.window_periods import MIDDLE_S, WindowPeriods
from ddsp_edge.features.windows import CenteredWindows
from ddsp_edge.frames import FrameSpec
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.ranges import check_whole
from ddsp_edge.units import Array

VOICED = 0.5
"""A frame whose voicing is at least this has a pitch."""

_CANDIDATES = 6
_LOOKAHEAD_S = 0.03
_AUDIBLE = 1e-7  # mean square of a window, -70 dB, below which nothing is heard as a pitch
# Costs, in units of aperiodicity over 10 ms. Tuned on synthetic tones, on recordings of known f0 and on
# rendered leaps; docs/pitch.md says which.
_UNVOICED = 0.6
_GLIDE = 1.0  # of a change of pitch, for each octave
_GLIDE_OCTAVES = 1.0 / 24.0  # in one frame; what changes more leaps
_LEAP = 0.6  # of a leap: no note on the way from one to another is to be cheap because it is near
_LEAP_OCTAVE = 0.3  # and for each octave
_ONSET = 0.3  # of becoming voiced or unvoiced
_EMPTY = 0.5  # of a window's mean square; a middle of less may lie before or after a note
_MIDDLE_HZ = 1.0 / MIDDLE_S
_KNOWN_S = 0.1  # for which a note is remembered that has ended
_WINDOWS_AT_ONCE = 256  # bounds memory; their spectra stay in the cache


class PitchTracker:
    """Track the pitch of a monophonic stream, frame by frame.

    Args:
        spec: The frame grid.
        f0_min_hz: Lowest pitch, Hz. The window is two of its periods long.
        f0_max_hz: Highest pitch, Hz; at most a quarter of the sample rate.
        lookahead_frames: Integer >= 0, frames after a frame that its pitch waits for; None for 30 ms. Fewer
            are faster to answer and err more often.

    Raises:
        DdspError: If the range cannot be tracked at this rate, or `lookahead_frames` is out of range.
    """

    def __init__(
        self,
        spec: FrameSpec,
        f0_min_hz: float = 55.0,
        f0_max_hz: float = 2000.0,
        lookahead_frames: int | None = None,
    ) -> None:
        self._finder = WindowPeriods(spec.sample_rate, f0_min_hz, f0_max_hz, _CANDIDATES)
        self.spec = spec
        self.f0_min_hz = f0_min_hz
        self.f0_max_hz = self._finder.f0_max_hz
        if lookahead_frames is None:
            lookahead_frames = spec.frames_for(_LOOKAHEAD_S)
        self.lookahead_frames = check_whole("lookahead_frames", lookahead_frames)
        self.window_samples = self._finder.size
        self._windows = CenteredWindows(spec, self.window_samples)
        self._known_frames = spec.frames_for(_KNOWN_S)
        self._per_frame = spec.hop / spec.sample_rate / 0.01  # frames in the costs' 10 ms
        self.latency_samples = self._windows.latency_samples + self.lookahead_frames * spec.hop
        self.reset()

    @classmethod
    def for_card(cls, card: InstrumentCard) -> "PitchTracker":
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
        # Of the last frame: the least costs of silence and, rising, of its candidates with their octaves and
        # the numbers of their states, 1 for the first one. State 0 is silence.
        self._unvoiced = 0.0
        self._voiced: list[tuple[float, float, int]] = []
        self._best = 0  # the state of the least cost
        self._finder.known_hz, self._unvoiced_frames = 0.0, 0
        # Of each frame: where its states are best reached from, and its candidates.
        self._waiting = deque[tuple[list[int], list[Candidate]]]()

    def push(self, audio: npt.ArrayLike) -> tuple[Array, Array]:
        """Add samples `[n]`.

        Returns:
            `f0_hz` and `voicing` in 0..1, float32 `[frames]`, of the frames decided now. Unvoiced frames
            (`voicing < 0.5`) have the most likely f0 all the same, or 0 where nothing repeats.
        """
        return _columns(self._track(self._windows.push(audio)))

    def flush(self) -> tuple[Array, Array]:
        """End the stream; return `f0_hz` and `voicing` of its last frames."""
        decided = self._track(self._windows.flush())
        decided += self._path()
        self._waiting.clear()
        return _columns(decided)

    def follow(self, window: Array) -> tuple[float, float] | None:
        """Take the window of the next frame, `[window_samples]`, from whoever cuts windows already.

        Returns:
            `f0_hz` and `voicing` of the frame decided now, `lookahead_frames` before; None before the first.
        """
        return self._take(*self._finder.search(window))

    def _track(self, windows: Array) -> list[tuple[float, float]]:
        """F0 and voicing of the frames decided with windows `[windows, window_samples]`."""
        decided = [
            self._take(*found)
            for start in range(0, len(windows), _WINDOWS_AT_ONCE)
            for found in self._finder.search_all(windows[start : start + _WINDOWS_AT_ONCE])
        ]
        return [frame for frame in decided if frame is not None]

    def _take(
        self, candidates: list[Candidate], mean_square: float, middle: float
    ) -> tuple[float, float] | None:
        """Go on to a frame; return what is decided now."""
        faint = 0.0 if mean_square >= _AUDIBLE else 2.0 * _UNVOICED
        hollow = faint
        if middle < _EMPTY * mean_square:
            hollow += 1.0 - middle / (_EMPTY * mean_square)
        pointers = self._reach(candidates, faint, hollow)
        if not self.lookahead_frames:
            decided = _frame(candidates, self._best)
        else:
            self._waiting.append((pointers, candidates))
            if len(self._waiting) <= self.lookahead_frames:
                return None
            decided = self._oldest()
            self._waiting.popleft()
        self._remember(*decided)
        return decided

    def _remember(self, f0_hz: float, voicing: float) -> None:
        """Tell the finder which note sounds: the one decided; what is best now may prove wrong."""
        if voicing >= VOICED:
            self._finder.known_hz, self._unvoiced_frames = f0_hz, 0
        else:
            self._unvoiced_frames += 1
            if self._unvoiced_frames > self._known_frames:
                self._finder.known_hz = 0.0

    def _reach(self, candidates: list[Candidate], faint: float, hollow: float) -> list[int]:
        """Go on to a frame; return where each of its states is best reached from.

        A pitch costs `faint` more, and `hollow` more if the middle of the window holds a period of it.
        """
        before, unvoiced = self._voiced, self._unvoiced
        onset = unvoiced + _ONSET
        pointers, reached = [0], list[tuple[float, float, int]]()
        if before and before[0][0] + _ONSET < unvoiced:
            unvoiced, pointers[0] = before[0][0] + _ONSET, before[0][2]
        unvoiced += _UNVOICED * self._per_frame
        for own, f0_hz, _ in candidates:
            octave, least, pointer = log2(f0_hz), onset, 0
            for cost, other, state in before:
                if cost >= least:
                    break  # and so do those after it
                octaves = abs(octave - other)
                way = cost + (
                    _GLIDE * octaves if octaves < _GLIDE_OCTAVES else _LEAP + _LEAP_OCTAVE * octaves
                )
                if way < least:
                    least, pointer = way, state
            pointers.append(pointer)
            more = hollow if f0_hz >= _MIDDLE_HZ else faint
            reached.append((least + (own + more) * self._per_frame, octave, len(reached) + 1))
        reached.sort()
        least, self._best = unvoiced, 0
        if reached and reached[0][0] < unvoiced:
            least, self._best = reached[0][0], reached[0][2]
        self._unvoiced = unvoiced - least
        self._voiced = [(cost - least, octave, state) for cost, octave, state in reached]
        return pointers

    def _oldest(self) -> tuple[float, float]:
        """F0 and voicing of the frame that waits longest, on the best path known now."""
        state, waiting = self._best, self._waiting
        for place in range(len(waiting) - 1, 0, -1):
            state = waiting[place][0][state]
        return _frame(waiting[0][1], state)

    def _path(self) -> list[tuple[float, float]]:
        """F0 and voicing of the waiting frames on the best path known now."""
        state = self._best
        path = list[tuple[float, float]]()
        for pointers, candidates in reversed(self._waiting):
            path.append(_frame(candidates, state))
            state = pointers[state]
        path.reverse()
        return path


def _frame(candidates: list[Candidate], state: int) -> tuple[float, float]:
    """F0 and voicing of a frame in a state; those of its likeliest candidate in silence."""
    if not candidates:
        return 0.0, 0.0
    _, f0_hz, aperiodicity = candidates[max(state - 1, 0)]
    periodicity = 1.0 - min(aperiodicity, 1.0)
    return f0_hz, 0.5 + 0.5 * periodicity if state else 0.499 * periodicity


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
