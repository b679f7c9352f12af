"""White noise through a filter that changes from frame to frame."""

import numpy as np

from ddsp_edge.fourier import fft_size, hann
from ddsp_edge.frames import FrameSpec
from ddsp_edge.synthesis.processor import SAMPLES_AT_ONCE, check_shape
from ddsp_edge.units import Array

# Multiplications of one matrix product. OpenBLAS spreads larger ones over threads (interface/gemm.c), which
# wait for each other while spinning: on a busy machine a product of 50 us then takes 1 ms.
_PRODUCTS_AT_ONCE = 65_536 * 4


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
        self._step = max(1, min(SAMPLES_AT_ONCE // spec.hop, _PRODUCTS_AT_ONCE // self._spectrum.size))
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
        check_shape("magnitudes", magnitudes, (frames, self.n_bands))
        if noise is None:
            noise = white_noise(self._rng, (frames * hop,))
        check_shape("noise", noise, (frames * hop,))
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
