"""A learned room that is as live as the recording, as a layer."""

import math
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from ddsp_tf.layers.checks import check_integer
from ddsp_tf.layers.exp_decay_reverb import DECAY_60_DB, noise_of_seed
from ddsp_tf.layers.processor import processor_type
from ddsp_tf.layers.reverb import EARLY_S, FULL_RATE, Reverb

LOWEST_BAND_HZ = 125.0
"""Centre of the lowest band; the others are an octave apart."""

_EARLY_ENDS_S = 0.2  # where the early part has fallen by 120 dB
_LEVEL = 0.003  # of the late part before it is trained, RMS after the direct path at 16 kHz: 23 dB below it
_DECAY_S = 0.5  # in which it then falls by 60 dB
_SPEED = 5.0
"""How much faster than other weights levels and decays move: under Adam a weight moves by about 2 in a
training of 1500 steps, and from a dry room to a hall it is 6 nepers."""
_LARGEST = 60_000.0  # what half precision can hold


@processor_type
class Room(Reverb):
    """Convolution with early echoes that are free, and late ones that fall at a level and rate of their band.

    The impulse response is 1 at tap 0, the direct path. After it comes the sum of two parts: an early one,
    free taps under an envelope that falls by 60 dB in 0.1 s, as those of `Reverb`; and a late one, noise in
    bands an octave wide, in each of which level and reverberation time are learned:

        late[t] = sum over bands b of  level_b 10^(-3 t / time_b) noise_b[t]

    so two numbers a band decide how live the room is, within some hundred steps, and a dry recording lets the
    whole late part die. The noise is drawn from the seed and then learned too: it begins as any diffuse room
    and becomes the one that was recorded. All its taps are scaled by their band's level, so that where there
    is no room they count for nothing, and cannot take over what the processors before should learn.

    Taps are numbers of half precision: training rounds them as files for devices store them.

    Reference: the late part after J. A. Moorer, "About This Reverberation Business", Computer Music Journal
    3, 1979, in bands as J.-M. Jot has it, "An Analysis/Synthesis Approach to Real-Time Artificial
    Reverberation", ICASSP 1992; that the noise is learned is an addition.

    Args:
        length_samples: Integer in 2 to 1,000,000, taps of the impulse response.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        seed: Integer >= 0, of the noise before it is trained.

    Input: `audio` `[batch, samples]`.

    Controls: `audio`; `impulse_response` `[length_samples]`, tap 0 the direct path.

    Output: audio `[batch, samples]`: the input and its echoes, without delay.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    optional_inputs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, length_samples: int, sample_rate: int, hop: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(length_samples, sample_rate, hop, **kwargs)
        self.seed = check_integer("Room", "seed", seed, 0, 2**31 - 1)
        self._early_samples = min(length_samples - 1, round(_EARLY_ENDS_S * sample_rate))
        # So that echoes of more taps a second are not louder.
        self._density = math.sqrt(FULL_RATE / sample_rate)

    @property
    def n_bands(self) -> int:
        """How many bands the late part has: octaves from 125 Hz to Nyquist."""
        return 1 + max(0, math.floor(math.log2(self.spec.sample_rate / 2.0 / LOWEST_BAND_HZ)))

    def build(self, input_shape: Any) -> None:
        """Create the early taps, the noise, and level and time of each band, as logarithms."""
        echoes, bands = self.length_samples - 1, self.n_bands
        self.taps = self.add_weight(shape=(self._early_samples,), initializer="zeros", name="taps")
        self.noise = self.add_weight(
            shape=(echoes,),
            initializer=lambda shape, dtype: tf.constant(noise_of_seed(self.seed, shape[0]), dtype),
            name="noise",
        )
        self.levels = self.add_weight(shape=(bands,), initializer="zeros", name="levels")
        self.times = self.add_weight(shape=(bands,), initializer="zeros", name="times")
        self.built = True

    @property
    def band_levels(self) -> tf.Tensor:
        """RMS of the late part right after the direct path, were all bands as this one, `[n_bands]`."""
        return self._density * _LEVEL * tf.exp(_SPEED * tf.convert_to_tensor(self.levels))

    @property
    def band_seconds(self) -> tf.Tensor:
        """Reverberation time, in which the late part falls by 60 dB, `[n_bands]`."""
        return _DECAY_S * tf.exp(_SPEED * tf.convert_to_tensor(self.times))

    @property
    def impulse_response(self) -> tf.Tensor:
        """The whole impulse response, `[length_samples]`, of numbers of half precision."""
        if not self.built:  # controls may be asked for before the first call
            self.build(None)
        echoes = tf.clip_by_value(self._early() + self._late(), -_LARGEST, _LARGEST)
        rounded = tf.cast(tf.cast(echoes, tf.float16), tf.float32)
        echoes += tf.stop_gradient(rounded - echoes)
        return tf.concat([tf.ones([1]), echoes], axis=0)

    def _early(self) -> tf.Tensor:
        place = np.arange(1, self._early_samples + 1)
        envelope = self._density * 10.0 ** (-3.0 * place / (EARLY_S * self.spec.sample_rate))
        taps = tf.convert_to_tensor(self.taps) * tf.constant(envelope, tf.float32)
        return tf.pad(taps, [[0, self.length_samples - 1 - self._early_samples]])

    def _late(self) -> tf.Tensor:
        seconds = np.arange(1, self.length_samples) / self.spec.sample_rate
        fall = tf.constant(DECAY_60_DB * seconds, tf.float32) / self.band_seconds[:, tf.newaxis]
        return tf.reduce_sum(self.band_levels[:, tf.newaxis] * tf.exp(-fall) * self._bands_of_noise(), axis=0)

    def _bands_of_noise(self) -> tf.Tensor:
        """The noise by band, `[n_bands, length_samples - 1]`; added up it is the noise."""
        echoes = self.length_samples - 1
        size = 1 << (echoes - 1).bit_length()
        octaves = np.log2(
            np.maximum(np.fft.rfftfreq(size, 1.0 / self.spec.sample_rate), 1e-3) / LOWEST_BAND_HZ
        )
        place = np.clip(octaves, 0.0, self.n_bands - 1.0)
        shares = np.maximum(0.0, 1.0 - np.abs(place - np.arange(self.n_bands)[:, np.newaxis]))
        spectrum = tf.signal.rfft(tf.convert_to_tensor(self.noise), [size])
        by_band = spectrum * tf.constant(shares, tf.complex64)
        return tf.signal.irfft(by_band, [size])[:, :echoes]

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "seed": self.seed}
