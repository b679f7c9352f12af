"""A harmonic oscillator as a layer."""

from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from ddsp_tf.layers.checks import check_integer
from ddsp_tf.layers.processor import Processor, Tensors, processor_type
from ddsp_tf.ops.oscillators import HarmonicState, harmonic_oscillator, nyquist_fade
from ddsp_tf.ops.scaling import exp_sigmoid
from ddsp_tf.ops.sinusoids import SinusoidState, sinusoidal_oscillator


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
    network outputs, and `f0_hz` `[batch, frames, 1]` in Hz; optionally `harmonic_shifts` `[batch, frames,
    n_harmonics]`, by which share of itself each partial is higher than its harmonic: partial `k` sounds at
    `k f0_hz (1 + shift)`, as those of stiff strings and bells do.

    Controls: `amplitude` `[batch, frames, 1]` linear, 0 to 2, the sum over all harmonics;
    `distribution` `[batch, frames, n_harmonics]`, 0 to 1, sums to 1, zero from Nyquist on; `f0_hz`;
    `harmonic_shifts` if they were given, as they are.
    At an `f0_hz` of 0 the wave stands still, at a negative one it runs backwards, and from Nyquist on, either
    way, all is silent.

    Output: audio `[batch, frames * hop]`.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    optional_inputs: ClassVar[tuple[str, ...]] = ("harmonic_shifts",)
    level_controls: ClassVar[tuple[str, ...]] = ("amplitude",)

    def __init__(self, n_harmonics: int, sample_rate: int, hop: int, **kwargs: Any) -> None:
        super().__init__(sample_rate, hop, **kwargs)
        self.n_harmonics = check_integer("Harmonic", "n_harmonics", n_harmonics, 1, 1000)

    @property
    def input_sizes(self) -> dict[str, int | None]:
        """Channels of each raw input by name."""
        return {
            "amplitude": 1,
            "distribution": self.n_harmonics,
            "f0_hz": 1,
            "harmonic_shifts": self.n_harmonics,
        }

    def get_controls(  # type: ignore[override]
        self,
        amplitude: tf.Tensor,
        distribution: tf.Tensor,
        f0_hz: tf.Tensor,
        harmonic_shifts: tf.Tensor | None = None,
    ) -> Tensors:
        """Scale raw outputs; fade out harmonics towards Nyquist; normalise the distribution."""
        if harmonic_shifts is None:
            fade = nyquist_fade(f0_hz, self.n_harmonics, self.spec.sample_rate)
        else:
            partials_hz = tf.cast(self._partials_hz(f0_hz, harmonic_shifts), tf.float32)
            fade = nyquist_fade(partials_hz, 1, self.spec.sample_rate)
        sounding = exp_sigmoid(distribution) * fade
        # Where even the fundamental is above Nyquist the distribution is zero, not undefined.
        total = tf.maximum(tf.reduce_sum(sounding, axis=-1, keepdims=True), 1e-7)
        shifts = {} if harmonic_shifts is None else {"harmonic_shifts": harmonic_shifts}
        return {
            "f0_hz": f0_hz,  # first, so that it is named if it is no number: the distribution is none then
            **shifts,
            "amplitude": exp_sigmoid(amplitude),
            "distribution": sounding / total,
        }

    def _partials_hz(self, f0_hz: tf.Tensor, harmonic_shifts: tf.Tensor) -> tf.Tensor:
        """Frequencies of shifted harmonics, float64 `[batch, frames, n_harmonics]`, Hz.

        Rounded to float32 they would be out of phase by a tenth of a cycle after some minutes.
        """
        numbers = tf.constant(np.arange(1, self.n_harmonics + 1), tf.float64)
        return tf.cast(f0_hz, tf.float64) * numbers * (1.0 + tf.cast(harmonic_shifts, tf.float64))

    def render_block(
        self, controls: Tensors, state: Any = None
    ) -> tuple[tf.Tensor, HarmonicState | SinusoidState]:
        """Render one block; the state holds phase and the last frame, of each partial if they are shifted."""
        amplitudes = controls["amplitude"] * controls["distribution"]
        shifts = controls.get("harmonic_shifts")
        if shifts is None:
            return harmonic_oscillator(controls["f0_hz"], amplitudes, self.spec, state)
        frequencies_hz = self._partials_hz(controls["f0_hz"], shifts)
        return sinusoidal_oscillator(frequencies_hz, amplitudes, self.spec, state)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "n_harmonics": self.n_harmonics}
