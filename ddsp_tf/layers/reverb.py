"""A learned room, as a layer."""

from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from ddsp_tf.layers.checks import check_integer
from ddsp_tf.layers.processor import AUDIO, ControlSize, Processor, Tensors, processor_type
from ddsp_tf.ops.convolution import convolve_causal

EARLY_S = 0.1
"""In which the early part of the envelope falls by 60 dB, seconds: the body of an instrument, and the first
reflections."""

FULL_RATE = 16_000.0
"""Sample rate at which the envelope begins at 1, Hz."""

_LATE = 0.001
"""Height of the late part of the envelope, which falls by 60 dB over the whole response. Under Adam every
weight moves at the same rate, however little it matters: so many free taps would learn what the processors
before the room should, if they were not slower than these."""


@processor_type
class Reverb(Processor):
    """Convolution with one impulse response that is learned with everything else.

    The direct path is fixed: tap 0 is 1. Every other tap is a weight times an envelope of two parts: an early
    one, 1 that falls by 60 dB in 0.1 s, and a late one, 0.001 that falls by 60 dB over the length of the
    response, both times the root of 16 kHz over the sample rate, so that more taps a second do not make
    louder echoes. So resonances and first reflections are learned within some hundred steps, and a hall in
    long runs; if they learned faster, thousands of late taps would take over what the processors before the
    room should learn.

    Reference: J. Engel et al., "DDSP: Differentiable Digital Signal Processing", ICLR 2020, on reverberation
    as one long learned impulse response; the envelope is an addition.

    Args:
        length_samples: Integer in 2 to 1,000,000, taps of the impulse response.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.

    Input: `audio` `[batch, samples]`; optionally `impulse_response` `[batch, length_samples]`, a response for
    each example, tap 0 the direct path, which takes the place of the learned one: that then gets no gradient.

    Controls: `audio`; `impulse_response` `[length_samples]`, or `[batch, length_samples]` if it was given,
    tap 0 the direct path.

    Output: audio `[batch, samples]`: the input and its echoes, without delay.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    optional_inputs: ClassVar[tuple[str, ...]] = ("impulse_response",)

    def __init__(self, length_samples: int, sample_rate: int, hop: int, **kwargs: Any) -> None:
        super().__init__(sample_rate, hop, **kwargs)
        self.length_samples = check_integer("Reverb", "length_samples", length_samples, 2, 1_000_000)

    @property
    def input_sizes(self) -> dict[str, ControlSize]:
        """Channels of each raw input by name, and the shape of a response."""
        shape = (self.length_samples,)
        return {"audio": AUDIO, **dict.fromkeys(self.optional_inputs, shape)}

    @property
    def control_sizes(self) -> dict[str, ControlSize]:
        """Channels of each control by name, and the shape of the impulse response."""
        return {"audio": AUDIO, "impulse_response": (self.length_samples,)}

    @property
    def optional_controls(self) -> tuple[str, ...]:
        """None: without a response of its own an example has that of the layer."""
        return ()

    @property
    def tail_samples(self) -> int:
        """How long the room rings on."""
        return self.length_samples - 1

    def build(self, input_shape: Any) -> None:
        """Create the taps after the direct path."""
        self.taps = self.add_weight(shape=(self.length_samples - 1,), initializer="zeros", name="taps")
        self.built = True

    @property
    def impulse_response(self) -> tf.Tensor:
        """The whole impulse response, `[length_samples]`."""
        if not self.built:  # controls may be asked for before the first call
            self.build(None)
        place = np.arange(1, self.length_samples)
        early = 10.0 ** (-3.0 * place / (EARLY_S * self.spec.sample_rate))
        late = _LATE * 10.0 ** (-3.0 * place / self.length_samples)
        density = np.sqrt(FULL_RATE / self.spec.sample_rate)
        envelope = tf.constant(density * (early + late), tf.float32)
        return tf.concat([tf.ones([1]), tf.convert_to_tensor(self.taps) * envelope], axis=0)

    def get_controls(  # type: ignore[override]
        self, audio: tf.Tensor, impulse_response: tf.Tensor | None = None
    ) -> Tensors:
        """Add the impulse response to the audio, unless there is one."""
        if not self.built:  # controls may be asked for before the first call
            self.build(None)
        response = self.impulse_response if impulse_response is None else impulse_response
        return {"audio": audio, "impulse_response": response}

    def render_block(self, controls: Tensors, state: tf.Tensor | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        """Render one block; the state is the input's history, `[batch, length_samples - 1]`."""
        response = controls["impulse_response"]
        if response.shape.rank == 2:
            response = tf.ensure_shape(response, [None, self.length_samples])
        return convolve_causal(controls["audio"], response, state)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "length_samples": self.length_samples}
