"""A signal through a filter that changes from frame to frame."""

from ddsp_edge.frames import FrameSpec
from ddsp_edge.synthesis.filtered_noise import FilteredNoise
from ddsp_edge.units import Array


class FIRFilter:
    """A linear-phase filter that changes every frame, on a signal.

    Each hop goes through the filter of its frame, the one that `FilteredNoise` puts noise through, and what
    rings on is added to the hops that follow. Everything sounds `group_delay_samples` late.

    Args:
        spec: The frame grid.
        n_bands: Integer >= 2, number of frequencies from 0 to Nyquist at which the filter is given.
    """

    def __init__(self, spec: FrameSpec, n_bands: int) -> None:
        self.spec, self.n_bands = spec, n_bands
        self._filter = FilteredNoise(spec, n_bands, seed=0)
        self.group_delay_samples = self._filter.group_delay_samples

    def reset(self) -> None:
        """Silence the tail."""
        self._filter.reset()

    def process(self, *, audio: Array, magnitudes: Array) -> Array:
        """Filter a signal.

        Args:
            audio: `[frames * hop]`.
            magnitudes: `[frames, n_bands]`, amplitude response from 0 to Nyquist.

        Returns:
            float32 `[frames * hop]`.
        """
        return self._filter.process(magnitudes=magnitudes, noise=audio)
