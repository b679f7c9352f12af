"""Signal processors: controls in, samples out, hop by hop, in numpy.

Every processor carries what the next hop needs, so that streaming any number of frames a call gives
the samples of doing them all at once. Audio is float32; phase is float64, because a float32 phase has
drifted by 0.14 cycle after ten minutes.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.loudness import hann
from ddsp_edge.units import Array

_SAMPLES_AT_ONCE = 16_384  # of one pass of an oscillator: its tables stay in the cache


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
        n = np.arange(spec.hop)
        self._ramp = n / spec.sample_rate
        self._bend = n**2 / (2.0 * spec.hop * spec.sample_rate)
        self._window = crossfade(spec.hop)
        self.reset()

    def reset(self) -> None:
        """Start again at phase 0; the first hop holds frame 0."""
        self._phase = 0.0
        self._f0: float | None = None
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
        if self._f0 is None:
            self._f0, self._amplitudes = float(f0[0]), amplitudes[0]
        step = max(1, _SAMPLES_AT_ONCE // self.spec.hop)
        if frames <= step:
            return self._render(f0, amplitudes)
        starts = range(0, frames, step)
        return np.concatenate([self._render(f0[i : i + step], amplitudes[i : i + step]) for i in starts])

    def _render(self, f0: Array, amplitudes: Array) -> Array:
        before = np.empty_like(f0)
        before[0], before[1:] = self._f0, f0[:-1]
        advance = (before + f0) * (self.spec.hop / (2.0 * self.spec.sample_rate))
        ends = np.cumsum(advance) + self._phase
        phase = before[:, None] * self._ramp
        phase += (f0 - before)[:, None] * self._bend
        phase += (ends - advance)[:, None]

        table = np.zeros((len(f0), 2, self._rows * self._columns), np.float32)
        used = table[:, :, 1 : self.n_harmonics + 1]
        used[0, 0], used[1:, 0], used[:, 1] = self._amplitudes, amplitudes[:-1], amplitudes
        self._phase, self._f0, self._amplitudes = float(ends[-1] % 1.0), float(f0[-1]), amplitudes[-1]

        sines = self._sum(phase, table)
        audio = sines[:, 1] - sines[:, 0]
        audio *= self._window
        audio += sines[:, 0]
        return audio.reshape(-1)

    def _sum(self, phase_cycles: Array, table: Array) -> Array:
        """Sum the harmonics of amplitudes `[hops, 2, rows * columns]` at phases `[hops, hop]`.

        Returns:
            float32 `[hops, 2, hop]`: the harmonics of each hop by the amplitudes of its two frames.
        """
        hops, rows, columns, hop = len(table), self._rows, self._columns, self.spec.hop
        # A cycle is 2^32: integer multiples of the phase wrap by themselves and stay exact, where float32
        # would multiply its rounding error by the number of the harmonic.
        turns = (phase_cycles * 2.0**32).astype(np.int64).astype(np.uint32)
        angle = (turns[:, None, :] * self._multiples).view(np.int32).astype(np.float32)
        angle *= np.float32(2.0 * np.pi / 2.0**32)
        sin_cos = np.empty((hops, rows + columns, 2, hop), np.float32)
        np.sin(angle, out=sin_cos[:, :, 0])
        np.cos(angle, out=sin_cos[:, :, 1])
        by_row = table.reshape(hops, 2 * rows, columns)
        inner = np.matmul(by_row, sin_cos[:, :columns].reshape(hops, columns, 2 * hop))
        inner = inner.reshape(hops, 2, rows, 2, hop)
        inner *= sin_cos[:, None, columns:, ::-1]  # sin(a + b) = sin a cos b + cos a sin b
        return np.asarray(inner.sum(axis=(2, 3)))


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
        response = np.fft.fftshift(np.fft.irfft(np.eye(n_bands), taps), axes=1) * hann(taps)
        spectrum = np.fft.rfft(response, self._size)
        self._spectrum = np.concatenate([spectrum.real, spectrum.imag], axis=1).astype(np.float32)
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
            noise = self._rng.random(frames * hop, np.float32) * np.float32(2) - np.float32(1)
        _check("noise", noise, (frames * hop,))
        step = max(1, _SAMPLES_AT_ONCE // hop)
        rows = np.asarray(noise, np.float32).reshape(frames, hop)
        filters = np.asarray(magnitudes, np.float32)
        if frames <= step:
            return self._filter(rows, filters)
        starts = range(0, frames, step)
        return np.concatenate([self._filter(rows[i : i + step], filters[i : i + step]) for i in starts])

    def _filter(self, noise: Array, magnitudes: Array) -> Array:
        frames, hop = noise.shape
        spectrum = np.fft.rfft(noise, self._size)
        response = magnitudes @ self._spectrum
        bins = spectrum.shape[1]
        response = response[:, :bins] + np.complex64(1j) * response[:, bins:]
        ringing = np.fft.irfft(spectrum * response, self._size)
        rows = np.zeros((frames, self._segments * hop), np.float32)
        width = min(self._size, rows.shape[1])
        rows[:, :width] = ringing[:, :width]
        pieces = rows.reshape(frames, self._segments, hop)
        out = np.concatenate([self._tail, np.zeros((frames, hop), np.float32)])
        for segment in range(self._segments):
            out[segment : segment + frames] += pieces[:, segment]
        self._tail = out[frames:].copy()
        return out[:frames].reshape(-1)


class Reverb:
    """Linear convolution with a whole impulse response, without delay.

    Uniformly partitioned in the frequency domain (Stockham 1966; one partition a hop): a hop comes out as
    soon as it is in, at the cost of one complex product for each partition.

    Args:
        spec: The frame grid.
        impulse_response: `[taps]`; tap 0 is the dry path.
    """

    def __init__(self, spec: FrameSpec, impulse_response: npt.ArrayLike) -> None:
        response = np.asarray(impulse_response, np.float32)
        if response.ndim != 1 or not len(response):
            raise DdspError(f"impulse_response must have one dimension. Received shape: {response.shape}")
        self.spec = spec
        self.tail_samples = len(response) - 1
        hop = spec.hop
        self._parts = -(-len(response) // hop)
        padded = np.zeros(self._parts * hop, np.float32)
        padded[: len(response)] = response
        # Frequency by frequency, the last partition first: the order in which the line below keeps the
        # spectra of the past hops, so that a hop is one dot product for each frequency.
        spectra = np.fft.rfft(padded.reshape(self._parts, hop), 2 * hop)
        self._response = np.ascontiguousarray(spectra[::-1].T)[:, :, None]
        self.reset()

    def reset(self) -> None:
        """Silence the room."""
        # Longer than the partitions, so that the line moves back only once in that many hops.
        length = self._parts + max(64, self._parts)
        self._line: Array = np.zeros((self.spec.hop + 1, length), np.complex64)
        self._end = self._parts - 1
        self._last: Array = np.zeros(self.spec.hop, np.float32)

    def process(self, *, audio: Array) -> Array:
        """Convolve samples `[frames * hop]`; return as many, float32."""
        hop = self.spec.hop
        if audio.ndim != 1 or len(audio) % hop:
            raise DdspError(f"audio must hold whole hops of {hop} samples. Received shape: {audio.shape}")
        hops = np.asarray(audio, np.float32).reshape(-1, hop)
        pairs = np.concatenate([np.concatenate([self._last[None], hops[:-1]]), hops], axis=1)
        self._last = hops[-1].copy()
        spectra = np.fft.rfft(pairs)
        for i in range(len(spectra)):
            if self._end == self._line.shape[1]:
                keep = self._parts - 1
                self._line[:, :keep] = self._line[:, self._end - keep :]
                self._end = keep
            self._line[:, self._end] = spectra[i]
            self._end += 1
            past = self._line[:, None, self._end - self._parts : self._end]
            spectra[i] = np.matmul(past, self._response)[:, 0, 0]
        return np.asarray(np.fft.irfft(spectra, 2 * hop)[:, hop:], np.float32).reshape(-1)


class Add:
    """Sum of its inputs, which may have any name."""

    def reset(self) -> None:
        """Nothing to forget."""

    def process(self, **audio: Array) -> Array:
        """Sum signals `[frames * hop]`."""
        return np.asarray(np.sum(list(audio.values()), axis=0), np.float32)


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


def crossfade(hop: int) -> Array:
    """Raised cosine `[hop]` from 0 up to, not including, 1: the weight of the frame a hop moves to."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.arange(hop) / hop), np.float32)


def fft_size(n: int) -> int:
    """Smallest `2^a * m >= n` with `m` in 1, 3, 5: sizes whose transforms are fast."""
    return min(m << max(0, (-(-n // m) - 1).bit_length()) for m in (1, 3, 5) if m <= max(n, 1))


def _check(name: str, value: Array, shape: tuple[int, ...]) -> None:
    if value.shape != shape:
        raise DdspError(f"{name} must have shape {list(shape)}. Received shape: {list(value.shape)}")
