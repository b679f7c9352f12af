"""Signal processors: controls in, samples out, hop by hop, in numpy.

Every processor carries what the next hop needs, so that streaming any number of frames a call gives
the samples of doing them all at once. Audio is float32; phase is float64, because a float32 phase has
drifted by 0.14 cycle after ten minutes.
"""

from collections.abc import Callable
from functools import reduce
from typing import Protocol

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.loudness import hann
from ddsp_edge.units import Array

_SAMPLES_AT_ONCE = 16_384  # of one pass of an oscillator: its tables stay in the cache
# Multiplications of one matrix product. OpenBLAS spreads larger ones over threads (interface/gemm.c), which
# wait for each other while spinning: on a busy machine a product of 50 us then takes 1 ms.
_PRODUCTS_AT_ONCE = 65_536 * 4
_CYCLE = 2.0**32  # of a phase in 32-bit integers, which wrap by themselves


class Processor(Protocol):
    """What a node of a synthesizer does."""

    def reset(self) -> None:
        """Forget everything: the next frame is frame 0."""

    @property
    def process(self) -> Callable[..., Array]:
        """Return the float32 samples `[frames * hop]` of `frames` >= 1 frames of controls, by keyword."""


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
        _check("amplitude", amplitude, (frames, 1))
        _check("distribution", distribution, (frames, self.n_harmonics))
        _check("f0_hz", f0_hz, (frames, 1))
        amplitudes = np.asarray(amplitude, np.float32) * np.asarray(distribution, np.float32)
        f0 = np.asarray(f0_hz, np.float64)[:, 0]
        step = max(1, _SAMPLES_AT_ONCE // self.spec.hop)
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


def white_noise(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw white noise, uniform in [-1, 1), float32 of the shape."""
    noise = random.random(shape, np.float32)
    noise += noise
    noise -= np.float32(1)
    return noise


class FilteredNoise:
    """White noise through a filter that changes from frame to frame.

    The impulse response of frame `i` is `fftshift(irfft(magnitudes_i)) * hann`: linear phase, as long
    as twice the number of bands, with its centre at `group_delay_samples`. Each hop of noise goes through
    the filter of its frame, and what rings on is added to the hops that follow.

    Args:
        spec: The frame grid.
        n_bands: Integer >= 2, number of frequencies from 0 to Nyquist at which the filter is given.
        seed: Seed of the noise; None for another noise every time.
    """

    def __init__(self, spec: FrameSpec, n_bands: int, seed: int | None = None) -> None:
        self.spec = spec
        self.n_bands = n_bands
        self.seed = seed
        taps = 2 * (n_bands - 1)
        self.group_delay_samples = taps // 2
        self._size = fft_size(spec.hop + taps - 1)
        self._segments = -(-(spec.hop + taps - 1) // spec.hop)
        # From magnitudes to the spectrum of the padded impulse response everything is linear: one matrix.
        # It is complex, real and imaginary parts side by side: the magnitudes need not be.
        response = np.fft.fftshift(np.fft.irfft(np.eye(n_bands), taps), axes=1) * hann(taps)
        self._spectrum = np.fft.rfft(response, self._size).astype(np.complex64).view(np.float32)
        self._step = max(1, min(_SAMPLES_AT_ONCE // spec.hop, _PRODUCTS_AT_ONCE // self._spectrum.size))
        self.reset()

    def reset(self) -> None:
        """Silence the tail and begin the noise again."""
        self._rng = np.random.default_rng(self.seed)
        self._tail: Array = np.zeros((self._segments - 1, self.spec.hop), np.float32)

    def process(self, *, magnitudes: Array, noise: Array | None = None) -> Array:
        """Filter noise.

        Args:
            magnitudes: `[frames, n_bands]`, amplitude response from 0 to Nyquist.
            noise: `[frames * hop]` in [-1, 1); drawn from the seed when absent.

        Returns:
            float32 `[frames * hop]`.
        """
        frames, hop = len(magnitudes), self.spec.hop
        _check("magnitudes", magnitudes, (frames, self.n_bands))
        if noise is None:
            noise = white_noise(self._rng, (frames * hop,))
        _check("noise", noise, (frames * hop,))
        rows = np.asarray(noise, np.float32).reshape(frames, hop)
        filters = np.asarray(magnitudes, np.float32)
        step = self._step
        if frames <= step:
            return self._filter(rows, filters)
        starts = range(0, frames, step)
        return np.concatenate([self._filter(rows[i : i + step], filters[i : i + step]) for i in starts])

    def _filter(self, noise: Array, magnitudes: Array) -> Array:
        audio, self._tail = _overlap_add(self.pieces(noise, magnitudes), self._tail)
        return audio

    @property
    def tail_shape(self) -> tuple[int, int]:
        """Hops that ring on after a hop, and samples of each."""
        return self._segments - 1, self.spec.hop

    def pieces(self, noise: Array, magnitudes: Array) -> Array:
        """Filter hops of noise `[hops, hop]`, each by its magnitudes `[hops, n_bands]`.

        Returns:
            float32 `[hops, size]`: each hop, and what rings on from it.
        """
        spectra = np.fft.rfft(noise, self._size)
        spectra *= (magnitudes @ self._spectrum).view(np.complex64)
        return np.asarray(np.fft.irfft(spectra, self._size))


class Add:
    """Sum of its inputs, which may have any name."""

    def reset(self) -> None:
        """Nothing to forget."""

    def process(self, **audio: Array) -> Array:
        """Sum signals `[frames * hop]`."""
        return np.asarray(reduce(np.add, audio.values()), np.float32)


class Mix:
    """Crossfade of two signals: `level * audio_0 + (1 - level) * audio_1`.

    Args:
        spec: The frame grid.
    """

    def __init__(self, spec: FrameSpec) -> None:
        self.spec = spec
        self._window = crossfade(spec.hop)
        self.reset()

    def reset(self) -> None:
        """The first hop holds the level of frame 0."""
        self._level: Array | None = None

    def process(self, *, audio_0: Array, audio_1: Array, level: Array) -> Array:
        """Mix signals `[frames * hop]` by a level `[frames, 1]` in 0..1, which moves by a raised cosine."""
        _check("level", level, (len(level), 1))
        _check("audio_0", audio_0, (len(level) * self.spec.hop,))
        _check("audio_1", audio_1, (len(level) * self.spec.hop,))
        level = np.asarray(level, np.float32)
        before = np.concatenate([level[:1] if self._level is None else self._level, level[:-1]])
        self._level = level[-1:].copy()
        gain = (before + self._window * (level - before)).reshape(-1)
        return np.asarray(audio_1 + gain * (audio_0 - audio_1), np.float32)


def _overlap_add(pieces: Array, tail: Array) -> tuple[Array, Array]:
    """Add pieces that begin a hop after each other and ring on.

    Args:
        pieces: `[frames, size]`.
        tail: `[hops, hop]`, what rang on from the frames before; the pieces are at most a hop longer.

    Returns:
        Audio `[frames * hop]`, and what rings on from it, `[hops, hop]`.
    """
    frames, (hops, hop) = len(pieces), tail.shape
    out = np.zeros((frames + hops, hop), np.float32)
    out[:hops] = tail
    for i in range(hops + 1):
        part = pieces[:, i * hop : (i + 1) * hop]
        out[i : i + frames, : part.shape[1]] += part
    return out[:frames].reshape(-1), out[frames:].copy()


def crossfade(hop: int) -> Array:
    """Raised cosine `[hop]` from 0 up to, not including, 1: the weight of the frame a hop moves to."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.arange(hop) / hop), np.float32)


def fft_size(n: int) -> int:
    """Smallest `2^a * m >= n` with `m` in 1, 3, 5: sizes whose transforms are fast."""
    return min(m << max(0, (-(-n // m) - 1).bit_length()) for m in (1, 3, 5) if m <= max(n, 1))


def _check(name: str, value: Array, shape: tuple[int, ...]) -> None:
    if value.shape != shape:
        raise DdspError(f"{name} must have shape {list(shape)}. Received shape: {list(value.shape)}")
