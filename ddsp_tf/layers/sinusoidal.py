"""A bank of sinusoids with free frequencies, as a layer."""

from typing import Any, ClassVar

import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers.checks import check_choice, check_integer, check_number
from ddsp_tf.layers.processor import ControlSize, Processor, Tensors, processor_type
from ddsp_tf.ops.frequencies import frequencies_sigmoid, frequencies_softmax
from ddsp_tf.ops.oscillators import nyquist_fade
from ddsp_tf.ops.scaling import exp_sigmoid
from ddsp_tf.ops.sinusoids import SinusoidState, sinusoidal_oscillator

HEADS = (None, "sigmoid", "softmax")


@processor_type
class Sinusoidal(Processor):
    """Sum of sinusoids, each with a frequency and an amplitude of its own: bells, plates, voices in chords.

    Reference: J. Engel, R. Swavely, L. Hantrakul, A. Roberts, C. Hawthorne, "Self-supervised Pitch Detection
    by Inverse Audio Synthesis", ICML 2020 workshop on self-supervision in audio and speech.

    Args:
        n_sinusoids: Integer in 1 to 1000.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        frequency_head: How frequencies come from a network. None takes them in Hz; `"sigmoid"` maps one
            raw output a sinusoid to `low_hz` to `high_hz`, evenly in pitch; `"softmax"` takes `n_bins` raw
            outputs a sinusoid and gives their mean pitch over a grid from `low_hz` to `high_hz`.
        low_hz: Float > 0, Hz, lowest frequency of a head.
        high_hz: Float > `low_hz`, at most Nyquist, Hz, highest frequency of a head; None is Nyquist.
        n_bins: Integer in 2 to 4096, pitches on the grid of `"softmax"`.

    Input: `amplitudes` `[batch, frames, n_sinusoids]`, raw network outputs; without a head `frequencies_hz`
    `[batch, frames, n_sinusoids]` in Hz, else `frequencies`, raw, `[batch, frames, n_sinusoids]` or, for
    `"softmax"`, `[batch, frames, n_sinusoids * n_bins]`, the bins of one sinusoid side by side.

    Controls: `amplitudes` `[batch, frames, n_sinusoids]` linear, each 0 to 2, zero from Nyquist on;
    `frequencies_hz` `[batch, frames, n_sinusoids]`. At a frequency of 0 a sine stands still, at a
    negative one it runs backwards.

    Output: audio `[batch, frames * hop]`.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    level_controls: ClassVar[tuple[str, ...]] = ("amplitudes",)

    def __init__(
        self,
        n_sinusoids: int,
        sample_rate: int,
        hop: int,
        frequency_head: str | None = None,
        low_hz: float = 20.0,
        high_hz: float | None = None,
        n_bins: int = 64,
        **kwargs: Any,
    ) -> None:
        super().__init__(sample_rate, hop, **kwargs)
        self.n_sinusoids = check_integer("Sinusoidal", "n_sinusoids", n_sinusoids, 1, 1000)
        self.n_bins = check_integer("Sinusoidal", "n_bins", n_bins, 2, 4096)
        self.frequency_head = check_choice("Sinusoidal", "frequency_head", frequency_head, HEADS)
        nyquist = sample_rate / 2
        self.low_hz = check_number("Sinusoidal", "low_hz", low_hz, 0, nyquist)
        self.high_hz = None if high_hz is None else check_number("Sinusoidal", "high_hz", high_hz, 0, nyquist)
        self._range_hz = (self.low_hz, nyquist if self.high_hz is None else self.high_hz)
        if not 0.0 < self._range_hz[0] < self._range_hz[1]:
            raise DdspError(
                f"Sinusoidal: low_hz and high_hz must be above 0, rising, and at most {nyquist} Hz. "
                f"Received: low_hz={low_hz!r}, high_hz={high_hz!r}"
            )

    @property
    def input_sizes(self) -> dict[str, int | None]:
        """Channels of each raw input by name."""
        if self.frequency_head is None:
            return {"amplitudes": self.n_sinusoids, "frequencies_hz": self.n_sinusoids}
        bins = self.n_bins if self.frequency_head == "softmax" else 1
        return {"amplitudes": self.n_sinusoids, "frequencies": self.n_sinusoids * bins}

    @property
    def control_sizes(self) -> dict[str, ControlSize]:
        """Channels of each control by name."""
        return {"amplitudes": self.n_sinusoids, "frequencies_hz": self.n_sinusoids}

    def get_controls(self, **inputs: tf.Tensor) -> Tensors:
        """Scale raw outputs; fade out sinusoids towards Nyquist, each by the definition for harmonics."""
        if self.frequency_head is None:
            frequencies_hz = inputs["frequencies_hz"]
        elif self.frequency_head == "sigmoid":
            frequencies_hz = frequencies_sigmoid(inputs["frequencies"], *self._range_hz)
        else:
            raw = inputs["frequencies"]
            raw = tf.reshape(raw, [tf.shape(raw)[0], -1, self.n_sinusoids, self.n_bins])
            frequencies_hz = frequencies_softmax(raw, *self._range_hz)
        fade = nyquist_fade(frequencies_hz, 1, self.spec.sample_rate)
        amplitudes = exp_sigmoid(inputs["amplitudes"]) * fade
        # Frequencies first, so that they are named if they are no numbers: amplitudes are none then.
        return {"frequencies_hz": frequencies_hz, "amplitudes": amplitudes}

    def render_block(
        self, controls: Tensors, state: SinusoidState | None = None
    ) -> tuple[tf.Tensor, SinusoidState]:
        """Render one block; the state holds phases and the last frame."""
        return sinusoidal_oscillator(controls["frequencies_hz"], controls["amplitudes"], self.spec, state)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "n_sinusoids": self.n_sinusoids,
            "frequency_head": self.frequency_head,
            "low_hz": self.low_hz,
            "high_hz": self.high_hz,
            "n_bins": self.n_bins,
        }
