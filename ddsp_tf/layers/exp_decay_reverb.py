"""A room of two numbers, as a layer."""

import math
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from ddsp_tf.layers.checks import check_integer, check_number
from ddsp_tf.layers.processor import processor_type
from ddsp_tf.layers.reverb import Reverb

DECAY_60_DB = math.log(1000.0)
"""Nepers in 60 dB, the fall that defines a reverberation time."""


@processor_type
class ExpDecayReverb(Reverb):
    """Convolution with exponentially decaying noise, of which gain and decay are learned.

    The impulse response is 1 at tap 0, the direct path, and `gain * exp(-decay * t) * noise` after it: what
    a diffuse room sounds like (J. A. Moorer, "About This Reverberation Business", Computer Music Journal 3,
    1979). With two numbers to learn it needs little data and cannot learn anything but a room. The noise is
    drawn once from the seed and saved with the weights. Gain and decay are learned as logarithms.

    Args:
        length_samples: Integer in 2 to 1,000,000, taps of the impulse response.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        initial_gain: Float in 1e-6 to 10, RMS of the response right after the direct path.
        initial_decay_ms: Float in 0.1 to 100,000, time in which the response falls by 60 dB; None: its
            length.
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
        sample_rate: int,
        hop: int,
        initial_gain: float = 0.01,
        initial_decay_ms: float | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(length_samples, sample_rate, hop, **kwargs)
        self.initial_gain = check_number("ExpDecayReverb", "initial_gain", initial_gain, 1e-6, 10.0)
        self.initial_decay_ms = (
            None
            if initial_decay_ms is None
            else check_number("ExpDecayReverb", "initial_decay_ms", initial_decay_ms, 0.1, 100_000.0)
        )
        self.seed = check_integer("ExpDecayReverb", "seed", seed, 0, 2**31 - 1)

    def build(self, input_shape: Any) -> None:
        """Create the logarithms of gain and decay, and the noise."""
        length_ms = 1000.0 * self.length_samples / self.spec.sample_rate
        decay = DECAY_60_DB * 1000.0 / (self.initial_decay_ms or length_ms)
        self.log_gain = self._scalar("log_gain", math.log(self.initial_gain))
        self.log_decay = self._scalar("log_decay", math.log(decay))
        self.noise = self.add_weight(
            shape=(self.length_samples - 1,),
            initializer=lambda shape, dtype: tf.constant(noise_of_seed(self.seed, shape[0]), dtype),
            trainable=False,
            name="noise",
        )
        self.built = True

    def _scalar(self, name: str, value: float) -> keras.Variable:
        return self.add_weight(shape=(), initializer=keras.initializers.Constant(value), name=name)

    @property
    def impulse_response(self) -> tf.Tensor:
        """The whole impulse response, `[length_samples]`."""
        if not self.built:  # controls may be asked for before the first call
            self.build(None)
        seconds = np.arange(1, self.length_samples) / self.spec.sample_rate
        decay_per_second = tf.exp(tf.convert_to_tensor(self.log_decay))
        exponent = tf.convert_to_tensor(self.log_gain) - decay_per_second * tf.constant(seconds, tf.float32)
        return tf.concat([tf.ones([1]), tf.exp(exponent) * tf.convert_to_tensor(self.noise)], axis=0)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "initial_gain": self.initial_gain,
            "initial_decay_ms": self.initial_decay_ms,
            "seed": self.seed,
        }


def noise_of_seed(seed: int, length: int) -> np.ndarray:
    """Gaussian white noise of RMS 1, float64 `[length]`."""
    return np.random.default_rng(seed).standard_normal(length)
