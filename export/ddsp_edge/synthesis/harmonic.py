"""Harmonics: sines at whole multiples of a fundamental frequency."""

import numpy as np

from ddsp_edge.frames import FrameSpec
from ddsp_edge.synthesis.processor import SAMPLES_AT_ONCE, check_shape, crossfade
from ddsp_edge.units import Array

_CYCLE = 2.0**32  # of a phase in 32-bit integers, which wrap by themselves


class Harmonic:
    """Sum of sines at whole multiples of a fundamental frequency.

    In hop `i`, sample `n` of `hop`, with frames `i - 1` (p) and `i` (c) and `w = (1 - cos(pi n / hop)) / 2`:

        phase_cycles = phi + (n f_p + (f_c - f_p) n^2 / (2 hop)) / sample_rate
        audio = sum_k ((1 - w) A_p[k] + w A_c[k]) sin(2 pi k phase_cycles)

    so the frequency is linear and the amplitudes follow a raised cosine from frame to frame.

    Args:
        spec: The frame grid.
        n_harmonics: Integer > 0, number of sines.
    """

    def __init__(self, spec: FrameSpec, n_harmonics: int) -> None:
        self.spec = spec
        self.n_harmonics = n_harmonics
        # Harmonic k = column + row * columns. Angle addition leaves the sines of the columns and rows to
        # compute, about 2 sqrt(K) instead of K, and one small matrix product a hop.
        self._columns = max(1, round(np.sqrt(n_harmonics + 1)))
        self._rows = -(-(n_harmonics + 1) // self._columns)
        multiples = np.concatenate([np.arange(self._columns), np.arange(self._rows) * self._columns])
        self._multiples = multiples.astype(np.uint32)[:, None]
        # Of a hop's phase, by what moves it: the frequency it begins with, its change, the phase itself.
        n = np.arange(spec.hop)
        ramp, bend = n / spec.sample_rate, n**2 / (2.0 * spec.hop * spec.sample_rate)
        self._motion = _CYCLE * np.stack([ramp, bend, np.ones(spec.hop)])
        fade = crossfade(spec.hop)
        self._fades = np.stack([1.0 - fade, fade])
        self.reset()

    def reset(self) -> None:
        """Start again at phase 0; the first hop holds frame 0."""
        self._phase = 0.0
        self._f0: Array | None = None
        self._amplitudes: Array = np.zeros(self.n_harmonics, np.float32)

    def process(self, *, amplitude: Array, distribution: Array, f0_hz: Array) -> Array:
        """Render harmonics.

        Args:
            amplitude: `[frames, 1]`, sum of the amplitudes of the harmonics, linear.
            distribution: `[frames, n_harmonics]`, share of each; zero above the Nyquist frequency.
            f0_hz: `[frames, 1]`, fundamental frequency in Hz.

        Returns:
            float32 `[frames * hop]`.
        """
        frames = len(f0_hz)
        check_shape("amplitude", amplitude, (frames, 1))
        check_shape("distribution", distribution, (frames, self.n_harmonics))
        check_shape("f0_hz", f0_hz, (frames, 1))
        amplitudes = np.asarray(amplitude, np.float32) * np.asarray(distribution, np.float32)
        f0 = np.asarray(f0_hz, np.float64)[:, 0]
        step = max(1, SAMPLES_AT_ONCE // self.spec.hop)
        if frames <= step:
            return self._render(f0, amplitudes)
        starts = range(0, frames, step)
        return np.concatenate([self._render(f0[i : i + step], amplitudes[i : i + step]) for i in starts])

    def _render(self, f0: Array, amplitudes: Array) -> Array:
        if self._f0 is None:
            self._f0, self._amplitudes = f0[:1].copy(), amplitudes[0]
        before = np.concatenate((self._f0, f0[:-1]))
        advance = self.advance(before, f0)
        ends = np.cumsum(advance) + self._phase
        amplitudes_before = np.concatenate((self._amplitudes[None], amplitudes[:-1]))
        self._phase, self._f0, self._amplitudes = float(ends[-1]) % 1.0, f0[-1:].copy(), amplitudes[-1]
        return self.hops(before, f0, ends - advance, amplitudes_before, amplitudes).reshape(-1)

    def advance(self, f0_before_hz: Array, f0_hz: Array) -> Array:
        """Cycles that hops `[hops]` between these frequencies move on by."""
        return np.asarray((f0_before_hz + f0_hz) * (self.spec.hop / (2.0 * self.spec.sample_rate)))

    def hops(
        self, f0_before_hz: Array, f0_hz: Array, phase_cycles: Array, before: Array, amplitudes: Array
    ) -> Array:
        """Render hops that need not follow each other, as those of several voices; nothing is remembered.

        Args:
            f0_before_hz: `[hops]`, float64, Hz, at the frame before each hop.
            f0_hz: `[hops]`, at its end.
            phase_cycles: `[hops]`, at its first sample.
            before: `[hops, n_harmonics]`, amplitudes at the frame before.
            amplitudes: `[hops, n_harmonics]`, at its end.

        Returns:
            float32 `[hops, hop]`.
        """
        turns = np.array((f0_before_hz, f0_hz - f0_before_hz, phase_cycles)).T @ self._motion
        table = np.zeros((len(f0_hz), 2, self._rows * self._columns), np.float32)
        table[:, 0, 1 : self.n_harmonics + 1] = before
        table[:, 1, 1 : self.n_harmonics + 1] = amplitudes
        sines = self._sum(turns, table)
        sines *= self._fades
        return np.asarray(sines[:, 0] + sines[:, 1])

    def _sum(self, turns: Array, table: Array) -> Array:
        """Sum the harmonics of amplitudes `[hops, 2, rows * columns]` at phases `[hops, hop]` in 2^-32 cycle.

        Returns:
            float32 `[hops, 2, hop]`: the harmonics of each hop by the amplitudes of its two frames.
        """
        hops, rows, columns, hop = len(table), self._rows, self._columns, self.spec.hop
        # Integer multiples of the phase wrap and stay exact, where float32 would multiply its rounding error
        # by the number of the harmonic.
        wrapped = turns.astype(np.int64).astype(np.uint32)
        angle = (wrapped[:, None, :] * self._multiples).view(np.int32).astype(np.float32)
        angle *= np.float32(2.0 * np.pi / _CYCLE)
        sin_cos = np.empty((hops, rows + columns, 2, hop), np.float32)
        np.sin(angle, out=sin_cos[:, :, 0])
        np.cos(angle, out=sin_cos[:, :, 1])
        by_row = table.reshape(hops, 2 * rows, columns)
        inner = np.matmul(by_row, sin_cos[:, :columns].reshape(hops, columns, 2 * hop))
        inner = inner.reshape(hops, 2, rows, 2, hop)
        inner *= sin_cos[:, None, columns:, ::-1]  # sin(a + b) = sin a cos b + cos a sin b
        return np.asarray(inner.sum(axis=(2, 3)))
