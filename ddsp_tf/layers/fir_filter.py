"""A time-varying filter, as a layer."""

from typing import Any

import tensorflow as tf

from ddsp_tf.layers.checks import check_integer, check_number
from ddsp_tf.layers.processor import AUDIO, Processor, Tensors, processor_type
from ddsp_tf.ops.frame_filters import MAX_BANDS, filter_frames
from ddsp_tf.ops.scaling import exp_sigmoid


@processor_type
class FIRFilter(Processor):
    """A linear-phase FIR filter that changes every frame, on a signal.

    Hop `i` of the signal is filtered with the magnitudes of frame `i`; tails overlap and add. The filter is
    causal: everything sounds `latency_samples` late. With all magnitudes 1 it is a pure delay.

    There is no fade from filter to filter but the overlap of their tails. A flat filter is one tap, so a
    change of its gain is a step from one hop to the next, and a large one clicks. Gains that move slowly put
    sidebands around a tone at multiples of the frame rate: with a tremolo of 2 Hz at 48 kHz and a hop of 480
    they stand at -60, -46 and -40 dB for a depth of 0.1, 0.5 and 1, with a hop of 120 at 13 dB less.

    Reference: J. Engel et al., "DDSP: Differentiable Digital Signal Processing", ICLR 2020, section 3.4.

    Args:
        n_bands: Integer in 2 to 1025, frequencies from 0 to Nyquist at which the filter is given.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        initial_bias: Float in -20 to 20, added to raw magnitudes. The default gives an untrained network a
            gain of about 1.

    Input: `audio` `[batch, frames * hop]`; `magnitudes` `[batch, frames, n_bands]`, raw network outputs.

    Controls: `audio`; `magnitudes` `[batch, frames, n_bands]`, linear gain, 0 to 2.

    Output: audio `[batch, frames * hop]`.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    def __init__(
        self, n_bands: int, sample_rate: int, hop: int, initial_bias: float = 1.046, **kwargs: Any
    ) -> None:
        super().__init__(sample_rate, hop, **kwargs)
        self.n_bands = check_integer("FIRFilter", "n_bands", n_bands, 2, MAX_BANDS)
        self.initial_bias = check_number("FIRFilter", "initial_bias", initial_bias, -20, 20)

    @property
    def input_sizes(self) -> dict[str, int | None]:
        """Channels of each raw input by name."""
        return {"audio": AUDIO, "magnitudes": self.n_bands}

    @property
    def latency_samples(self) -> int:
        """How much later than the input the output sounds."""
        return self.n_bands - 1

    @property
    def tail_samples(self) -> int:
        """How long the filters ring on."""
        return 2 * self.n_bands - 3

    def get_controls(self, audio: tf.Tensor, magnitudes: tf.Tensor) -> Tensors:  # type: ignore[override]
        """Scale raw magnitudes to gains."""
        return {"audio": audio, "magnitudes": exp_sigmoid(magnitudes + self.initial_bias)}

    def render_block(self, controls: Tensors, state: tf.Tensor | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        """Render one block; the state is the tail of the filters, `[batch, 2 * n_bands - 3]`."""
        return filter_frames(controls["audio"], controls["magnitudes"], self.spec.hop, state)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "n_bands": self.n_bands, "initial_bias": self.initial_bias}
