"""A harmonic oscillator as a layer."""

from typing import Any, ClassVar

import tensorflow as tf

from ddsp_tf.layers.checks import check_integer
from ddsp_tf.layers.processor import Processor, Tensors, processor_type
from ddsp_tf.ops.oscillators import HarmonicState, harmonic_oscillator, nyquist_fade
from ddsp_tf.ops.scaling import exp_sigmoid


@processor_type
class Harmonic(Processor):
    """Sum of sinusoids at whole multiples of a fundamental frequency.

    Reference: J. Engel, L. Hantrakul, C. Gu, A. Roberts, "DDSP: Differentiable Digital Signal
    Processing", ICLR 2020, section 3.2.

    Args:
        n_harmonics: Integer in 1 to 1000, harmonics including the fundamental.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.

    Example:
        >>> import numpy as np
        >>> layer = Harmonic(n_harmonics=20, sample_rate=16000, hop=64)
        >>> audio = layer({
        ...     "amplitude": np.zeros([1, 250, 1], "float32"),
        ...     "distribution": np.zeros([1, 250, 20], "float32"),
        ...     "f0_hz": np.full([1, 250, 1], 440.0, "float32"),
        ... })
        >>> audio.shape
        TensorShape([1, 16000])

    Input: `amplitude` `[batch, frames, 1]` and `distribution` `[batch, frames, n_harmonics]`, both raw
    network outputs, and `f0_hz` `[batch, frames, 1]` in Hz.

    Controls: `amplitude` `[batch, frames, 1]` linear, 0 to 2, the sum over all harmonics;
    `distribution` `[batch, frames, n_harmonics]`, 0 to 1, sums to 1, zero from Nyquist on; `f0_hz`.
    At an `f0_hz` of 0 the wave stands still, at a negative one it runs backwards, and from Nyquist on, either
    way, all is silent.

    Output: audio `[batch, frames * hop]`.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    level_controls: ClassVar[tuple[str, ...]] = ("amplitude",)

    def __init__(self, n_harmonics: int, sample_rate: int, hop: int, **kwargs: Any) -> None:
        super().__init__(sample_rate, hop, **kwargs)
        self.n_harmonics = check_integer("Harmonic", "n_harmonics", n_harmonics, 1, 1000)

    @property
    def input_sizes(self) -> dict[str, int | None]:
        """Channels of each raw input by name."""
        return {"amplitude": 1, "distribution": self.n_harmonics, "f0_hz": 1}

    def get_controls(  # type: ignore[override]
        self, amplitude: tf.Tensor, distribution: tf.Tensor, f0_hz: tf.Tensor
    ) -> Tensors:
        """Scale raw outputs; fade out harmonics towards Nyquist; normalise the distribution."""
        sounding = exp_sigmoid(distribution) * nyquist_fade(f0_hz, self.n_harmonics, self.spec.sample_rate)
        # Where even the fundamental is above Nyquist the distribution is zero, not undefined.
        total = tf.maximum(tf.reduce_sum(sounding, axis=-1, keepdims=True), 1e-7)
        return {
            "f0_hz": f0_hz,  # first, so that it is named if it is no number: the distribution is none then
            "amplitude": exp_sigmoid(amplitude),
            "distribution": sounding / total,
        }

    def render_block(
        self, controls: Tensors, state: HarmonicState | None = None
    ) -> tuple[tf.Tensor, HarmonicState]:
        """Render one block; the state holds phase and the last frame."""
        amplitudes = controls["amplitude"] * controls["distribution"]
        return harmonic_oscillator(controls["f0_hz"], amplitudes, self.spec, state)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "n_harmonics": self.n_harmonics}
