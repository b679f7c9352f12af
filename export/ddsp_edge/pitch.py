"""Pitch of a stream on the frame grid: a YIN-family tracker in numpy, with a short look-ahead.

The difference function of a window of `N` samples, symmetric about the frame and normalised by energy
(de Cheveigné & Kawahara 2002; McLeod & Wyvill 2005):

    d(lag) = sum_{n < N - lag} (x[n] - x[n + lag])^2 / sum_{n < N - lag} (x[n]^2 + x[n + lag]^2)

is 0 where the sound repeats itself after `lag` and about 1 for noise. Its deepest minima are the
candidates of a frame; a path through them that changes pitch seldom and prefers the shorter of two equal
periods is found by the Viterbi algorithm and given out a fixed number of frames later (as Mauch & Dixon
2014 do for whole recordings).
"""

import contextlib

import numpy as np
import numpy.typing as npt

from ddsp_edge.card import Card
from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.synthesis import fft_size
from ddsp_edge.units import Array
from ddsp_edge.windows import CenteredWindows

VOICED = 0.5
"""A frame whose voicing is at least this has a pitch."""

_CANDIDATES = 6
_LOOKAHEAD_S = 0.03
_LEVEL_DB = -60.0  # RMS of a window below which nothing is heard as a pitch
_NONE = 1e3  # cost of a candidate that is not there
# Costs, in units of aperiodicity over 10 ms. Tuned on synthetic tones, on four recordings whose f0 is known
# exactly and on soundfont renderings of five instruments.
_OCTAVE_DOWN = 0.03  # of a period twice as long: repeats as well, is meant seldom
_MULTIPLE = 0.3  # of a period whose half or third repeats as well: it is several true ones
_MULTIPLE_WITHIN = 0.1  # difference up to which it does, less and less
_UNVOICED = 0.5
_LEAP = 1.0  # of a change of pitch, for each octave
_ONSET = 0.3  # of becoming voiced or unvoiced
_FAST_RATE = 32_000  # Hz; from here on an instrument has little near Nyquist
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
        if not 10.0 <= f0_min_hz < f0_max_hz:
            raise DdspError(
                "f0_min_hz must be at least 10 and below f0_max_hz. "
                f"Received: f0_min_hz={f0_min_hz}, f0_max_hz={f0_max_hz}"
            )
        self.spec = spec
        self.f0_min_hz = f0_min_hz
        self.f0_max_hz = min(f0_max_hz, spec.sample_rate / 4)
        if lookahead_frames is None:
            lookahead_frames = spec.frames_for(_LOOKAHEAD_S)
        self.lookahead_frames = max(0, lookahead_frames)
        # Partials near Nyquist make minima narrower than a sample: a low rate needs lags between samples.
        self._lag_steps = 2 if spec.sample_rate < _FAST_RATE else 1  # a sample
        self._shortest = max(2, int(self._lag_steps * spec.sample_rate / self.f0_max_hz) - 1)
        self._longest = self._lag_steps * (int(np.ceil(spec.sample_rate / f0_min_hz)) + 1)
        if self._longest - self._shortest <= _CANDIDATES:
            raise DdspError(
                f"The range of pitches is too narrow or too high to track at {spec.sample_rate} Hz. "
                f"Received: f0_min_hz={f0_min_hz}, f0_max_hz={f0_max_hz}"
            )
        size = 2 * self._longest // self._lag_steps
        self._windows = CenteredWindows(spec, size)
        self._fft_size = fft_size(size + self._longest // self._lag_steps + 1)
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

    def _difference(self, windows: Array) -> tuple[Array, Array]:
        """Normalised difference `[frames, longest + 1]` and mean square `[frames]` of windows."""
        x = windows - windows.mean(axis=1, keepdims=True)
        size, steps = x.shape[1], self._lag_steps
        lags = self._longest // steps + 1
        spectrum = np.fft.rfft(x, self._fft_size)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        # A longer inverse transform gives the correlation between the samples as well.
        correlation = np.fft.irfft(power, steps * self._fft_size)[:, : self._longest + 1]
        energy = np.cumsum(np.square(x, dtype=np.float64), axis=1)
        total = energy[:, -1:]
        # Samples 0 .. N - lag - 1 and lag .. N - 1: what the difference compares.
        heads = energy[:, size - lags : size][:, ::-1]
        tails = total - np.concatenate([np.zeros_like(total), energy[:, : lags - 1]], axis=1)
        both = heads + tails
        if steps == 2:
            fine = np.empty_like(both, shape=(len(both), 2 * lags - 1))
            fine[:, ::2] = both
            fine[:, 1::2] = 0.5 * (both[:, 1:] + both[:, :-1])
            both = fine
        difference = (both - 2.0 * steps * correlation) / np.maximum(both, 1e-9)
        return np.maximum(difference, 0.0), total[:, 0] / size

    def _candidates(self, windows: Array) -> tuple[Array, Array, Array]:
        """F0 in Hz, aperiodicity and cost of the candidates of each window, `[frames, candidates]`."""
        difference, mean_square = self._difference(windows)
        lags = np.arange(self._shortest, self._longest)
        middle = difference[:, self._shortest : self._longest]
        before = difference[:, self._shortest - 1 : self._longest - 1]
        after = difference[:, self._shortest + 1 : self._longest + 1]
        is_minimum = (middle < before) & (middle <= after)
        preference = _OCTAVE_DOWN * np.log2(lags / self._shortest)
        cost = np.where(is_minimum, middle + preference, _NONE)
        best = np.argpartition(cost, _CANDIDATES, axis=1)[:, :_CANDIDATES]
        low, at, high = (np.take_along_axis(v, best, axis=1) for v in (before, middle, after))
        cost = np.take_along_axis(cost, best, axis=1)
        there = cost < _NONE
        bend = np.where(there, low - 2.0 * at + high, 1.0)
        shift = np.where(there, 0.5 * (low - high) / np.maximum(bend, 1e-12), 0.0)
        shift = np.clip(shift, -0.5, 0.5)
        depth = np.where(there, np.maximum(at - 0.25 * (low - high) * shift, 0.0), 1.0)
        multiple = self._multiple(difference, lags[best] + shift, depth)
        cost = np.where(there, cost - at + depth + _MULTIPLE * multiple, _NONE)
        cost[mean_square < 10.0 ** (_LEVEL_DB / 10.0)] += 2.0 * _UNVOICED
        f0 = self._lag_steps * self.spec.sample_rate / (lags[best] + shift)
        return f0, depth, cost

    def _multiple(self, difference: Array, lag: Array, depth: Array) -> Array:
        """How surely each lag is two or three true periods, 0 to 1, `[frames, candidates]`.

        After a leap of a fifth both notes sound for a while and repeat together a twelfth below the higher
        one. Where that note then sounds alone, its own period must win at once.
        """
        multiple: Array = np.zeros_like(lag)
        for parts in (2, 3):
            part = (lag / parts).astype(np.intp)
            near = np.clip(part, 1, self._longest - 2)
            least = np.minimum.reduce(
                [np.take_along_axis(difference, near + k, axis=1) for k in (-1, 0, 1, 2)]
            )
            share = np.clip(1.0 - (least - depth) / _MULTIPLE_WITHIN, 0.0, 1.0)
            multiple = np.maximum(multiple, np.where(part >= self._shortest, share, 0.0))
        return multiple

    def _path(self, windows: Array) -> tuple[Array, Array]:
        f0, aperiodicity, cost = self._candidates(windows)
        pitch = np.log2(f0)
        before = np.concatenate([self._last_pitch[None], pitch[:-1]])
        self._last_pitch = pitch[-1]
        n = _CANDIDATES
        step = np.full((len(f0), n + 1, n + 1), _ONSET)
        step[:, :n, :n] = _LEAP * np.abs(pitch[:, :, None] - before[:, None, :])
        step[:, n, n] = 0.0
        local = np.concatenate([cost, np.full((len(cost), 1), _UNVOICED)], axis=1) * self._per_frame

        periodicity = np.clip(1.0 - aperiodicity, 0.0, 1.0)
        likely = np.argmin(cost, axis=1)[:, None]
        found = np.take_along_axis(cost, likely, axis=1) < _NONE
        f0_out = np.concatenate([f0, np.where(found, np.take_along_axis(f0, likely, axis=1), 0.0)], axis=1)
        unvoiced = 0.499 * np.take_along_axis(periodicity, likely, axis=1) * found
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
