"""The sound of a voice: flat harmonics through a filter, and noise through another."""

from collections.abc import Mapping

import numpy as np

from ddsp_edge.frames import FrameSpec
from ddsp_edge.synthesis.filtered_noise import FilteredNoise
from ddsp_edge.synthesis.fir_filter import FIRFilter
from ddsp_edge.synthesis.harmonic import Harmonic
from ddsp_edge.units import Array
from ddsp_edge.voice.card import VoiceFacts


class VoiceSynthesizer:
    """Render controls, frame after frame.

    Args:
        spec: The frame grid.
        facts: Of the voice.
        seed: Seed of the noise; None for another noise every time.

    Attributes:
        latency_samples: By how much later than its frame everything sounds.
    """

    def __init__(self, spec: FrameSpec, facts: VoiceFacts, seed: int | None = None) -> None:
        self._source = Harmonic(spec, facts.n_harmonics)
        self._voiced = FIRFilter(spec, facts.n_bands)
        self._noise = FilteredNoise(spec, facts.n_bands, seed)
        self.latency_samples = self._voiced.group_delay_samples

    def reset(self) -> None:
        """Forget everything: the next frame is frame 0."""
        for processor in (self._source, self._voiced, self._noise):
            processor.reset()

    def render(self, f0_hz: Array, controls: Mapping[str, Array], noise: Array | None = None) -> Array:
        """Render frames.

        Args:
            f0_hz: `[frames, 1]`.
            controls: `amplitude`, `distribution`, `harmonic_magnitudes`, `noise_magnitudes`,
                `[frames, channels]` each.
            noise: `[frames * hop]` in -1 to 1; drawn from the seed when absent.

        Returns:
            float32 `[frames * hop]`.
        """
        source = self._source.process(
            amplitude=controls["amplitude"], distribution=controls["distribution"], f0_hz=f0_hz
        )
        voiced = self._voiced.process(audio=source, magnitudes=controls["harmonic_magnitudes"])
        return np.asarray(
            voiced + self._noise.process(magnitudes=controls["noise_magnitudes"], noise=noise), np.float32
        )
