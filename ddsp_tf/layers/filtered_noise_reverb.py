"""A room of filtered noise, as a layer."""

from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from ddsp_tf.layers.checks import check_integer, check_number
from ddsp_tf.layers.exp_decay_reverb import noise_of_seed
from ddsp_tf.layers.processor import processor_type
from ddsp_tf.layers.reverb import Reverb
from ddsp_tf.ops.convolution import convolve_frames
from ddsp_tf.ops.filters import impulse_responses_from_magnitudes
from ddsp_tf.ops.scaling import exp_sigmoid


@processor_type
class FilteredNoiseReverb(Reverb):
    """Convolution with noise whose spectrum is learned for each part of its decay.

    The impulse response is cut into `n_frames` equal parts; each is white noise through a linear-phase
    filter of its own, so high frequencies can die away faster than low ones, as they do in air and on
    walls. Tap 0 is 1, the direct path. The noise is drawn once from the seed and saved with the weights;
    the filters' delay is taken back. An untrained response falls by 60 dB over its length.

    Reference: filtered noise after J. Engel et al., "DDSP: Differentiable Digital Signal Processing", ICLR
    2020, section 3.4.

    Args:
        length_samples: Integer in 2 to 1,000,000, taps of the impulse response.
        n_frames: Integer in 1 to 10,000, parts of the response.
        n_bands: Integer in 2 to 4097, frequencies from 0 to Nyquist at which each filter is given.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame of the signal; it has nothing to do with the parts of the response.
        initial_bias: Float in -20 to 20, added to the raw magnitudes.
        seed: Integer >= 0, of the noise.

    Input: `audio` `[batch, samples]`.

    Controls: `audio`; `impulse_response` `[length_samples]`, tap 0 the direct path.

    Output: audio `[batch, samples]`: the input and its reverberation, without delay.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    optional_inputs: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        length_samples: int,
        n_frames: int,
        n_bands: int,
        sample_rate: int,
        hop: int,
        initial_bias: float = -2.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(length_samples, sample_rate, hop, **kwargs)
        self.n_frames = check_integer("FilteredNoiseReverb", "n_frames", n_frames, 1, 10_000)
        self.n_bands = check_integer("FilteredNoiseReverb", "n_bands", n_bands, 2, 4097)
        self.initial_bias = check_number("FilteredNoiseReverb", "initial_bias", initial_bias, -20, 20)
        self.seed = check_integer("FilteredNoiseReverb", "seed", seed, 0, 2**31 - 1)
        self._part_samples = -(-length_samples // n_frames)

    def build(self, input_shape: Any) -> None:
        """Create the raw magnitudes of each part, and the noise."""
        # exp_sigmoid falls by 20 dB a unit where it is small.
        decline = -3.0 * np.arange(self.n_frames)[:, np.newaxis] / self.n_frames
        self.raw_magnitudes = self.add_weight(
            shape=(self.n_frames, self.n_bands),
            initializer=lambda shape, dtype: tf.constant(np.broadcast_to(decline, shape), dtype),
            name="raw_magnitudes",
        )
        self.noise = self.add_weight(
            shape=(self.n_frames * self._part_samples,),
            initializer=lambda shape, dtype: tf.constant(noise_of_seed(self.seed, shape[0]), dtype),
            trainable=False,
            name="noise",
        )
        self.built = True

    @property
    def magnitudes(self) -> tf.Tensor:
        """Gains of the filters, linear, 0 to 2, `[n_frames, n_bands]`."""
        if not self.built:
            self.build(None)
        return exp_sigmoid(tf.convert_to_tensor(self.raw_magnitudes) + self.initial_bias)

    @property
    def impulse_response(self) -> tf.Tensor:
        """The whole impulse response, `[length_samples]`."""
        responses = impulse_responses_from_magnitudes(self.magnitudes)[tf.newaxis]
        noise = tf.convert_to_tensor(self.noise)[tf.newaxis]
        filtered = tf.concat(convolve_frames(noise, responses, self._part_samples), axis=1)[0]
        delay = self.n_bands - 1
        wet = filtered[delay : delay + self.length_samples - 1]
        return tf.ensure_shape(tf.concat([tf.ones([1]), wet], axis=0), [self.length_samples])

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "n_frames": self.n_frames,
            "n_bands": self.n_bands,
            "initial_bias": self.initial_bias,
            "seed": self.seed,
        }
