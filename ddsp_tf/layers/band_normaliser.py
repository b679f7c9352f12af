"""Powers in bands, freed of level and colour: what the network hears."""

import math
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.ops.linear_recurrence import linear_recurrence

MEAN_SECONDS = 1.0
"""Time constant of the running mean of each band, unless another is asked for."""
SMOOTH_SECONDS = 0.04
"""Time constant of what the floor is the lowest of: single powers of noise scatter by 6 dB."""
RISE_DB_PER_SECOND = 6.0
"""How fast the floor rises where nothing is as low: faster than rooms change, slower than vowels end."""
_CEILING = 40.0  # above any logarithm of a power; a floor whose state is 0 begins here
_SCALE = 0.25  # brings differences of natural logarithms near to 1

State = dict[str, tf.Tensor]


@keras.saving.register_keras_serializable(package="ddsp_tf")
class BandNormaliser(keras.layers.Layer):
    """Log powers of bands re a running mean, and re their noise floor.

    With powers `x` of a band, `a = exp(-1 / (frame_rate * mean_seconds))` and a mean whose beginning is
    corrected (Kingma and Ba, "Adam", ICLR 2015, section 3):

        mean' = a mean + (1 - a) x,   weight' = a weight + (1 - a),   out_1 = (x - mean' / weight') / 4

    A faster mean `s` of the same kind is followed by a floor from below:

        floor' = min(s, floor + rise),   out_2 = (x - floor') / 4

    The running mean is that of each band, and then a factor that stays is nothing to either, be it that of
    all bands (the level) or of each (the colour). Or it is one, of the mean of all bands: then a colour is
    heard in the first half, and only the level is not. All states begin at zero.

    Args:
        bands: Integer, channels.
        frame_rate: Float, frames a second.
        by_band: Boolean, whether the running mean is that of each band.
        mean_seconds: Float > 0, time constant of the running mean.

    Input: natural logarithms of powers, `[batch, frames, bands]`. Output: `[batch, frames, 2 * bands]`, and
    the state, see `state_sizes`.
    """

    def __init__(
        self,
        bands: int,
        frame_rate: float,
        by_band: bool = True,
        mean_seconds: float = MEAN_SECONDS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bands, self.frame_rate, self.by_band = bands, frame_rate, by_band
        self.mean_seconds = mean_seconds
        self._slow = math.exp(-1.0 / (frame_rate * mean_seconds))
        self._fast = math.exp(-1.0 / (frame_rate * SMOOTH_SECONDS))
        self._rise = RISE_DB_PER_SECOND / frame_rate * math.log(10.0) / 10.0

    @property
    def state_sizes(self) -> dict[str, int]:
        """Width of each state by name."""
        return {
            "mean": self.bands if self.by_band else 1,
            "smooth": self.bands,
            "floor": self.bands,
            "weights": 2,
        }

    def build(self, input_shape: Any) -> None:
        """There are no weights."""
        self.built = True

    def call(self, log_power: tf.Tensor, state: State | None = None) -> tuple[tf.Tensor, State]:
        """Normalise frames that follow each other."""
        batch, frames = tf.shape(log_power)[0], tf.shape(log_power)[1]
        if state is None:
            state = {name: tf.zeros([batch, size]) for name, size in self.state_sizes.items()}
        number = tf.range(1, frames + 1)
        steps = tf.cast(number, tf.float32)[tf.newaxis, :, tf.newaxis]
        slow_weight, fast_weight = tf.split(state["weights"][:, tf.newaxis], 2, axis=2)
        slow_weights = _weights(slow_weight, steps * math.log(self._slow))
        fast_weights = _weights(fast_weight, steps * math.log(self._fast))
        means = _running(self._level(log_power), self._slow, state["mean"])
        smooths = _running(log_power, self._fast, state["smooth"])
        lowest = _running_minimum(smooths / fast_weights - self._rise * steps)
        before = state["floor"][:, tf.newaxis] + _CEILING
        floors = tf.minimum(lowest, before) + self._rise * steps
        # Within the first frame of a stream `before` rises too, and is above everything all the same.
        after = {
            "mean": means[:, -1],
            "smooth": smooths[:, -1],
            "floor": floors[:, -1] - _CEILING,
            "weights": tf.concat([slow_weights, fast_weights], axis=2)[:, -1],
        }
        return self._scaled(log_power, means / slow_weights, floors), after

    def step(self, log_power: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        """Normalise one frame, `[batch, bands]`."""
        slow, fast = self._slow, self._fast
        slow_weight, fast_weight = tf.split(state["weights"], 2, axis=1)
        slow_weight = slow * slow_weight + (1.0 - slow)
        fast_weight = fast * fast_weight + (1.0 - fast)
        mean = slow * state["mean"] + (1.0 - slow) * self._level(log_power)
        smooth = fast * state["smooth"] + (1.0 - fast) * log_power
        floor = tf.minimum(smooth / fast_weight, state["floor"] + (_CEILING + self._rise))
        after = {
            "mean": mean,
            "smooth": smooth,
            "floor": floor - _CEILING,
            "weights": tf.concat([slow_weight, fast_weight], axis=1),
        }
        return self._scaled(log_power, mean / slow_weight, floor), after

    def _level(self, log_power: tf.Tensor) -> tf.Tensor:
        """What the running mean is of."""
        return log_power if self.by_band else tf.reduce_mean(log_power, axis=-1, keepdims=True)

    def _scaled(self, log_power: tf.Tensor, mean: tf.Tensor, floor: tf.Tensor) -> tf.Tensor:
        return tf.concat([log_power - mean, log_power - floor], axis=-1) * _SCALE

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "bands": self.bands,
            "frame_rate": self.frame_rate,
            "by_band": self.by_band,
            "mean_seconds": self.mean_seconds,
        }


def _running(values: tf.Tensor, keep: float, state: tf.Tensor) -> tf.Tensor:
    """`h' = keep h + (1 - keep) x`, `[batch, frames, bands]`."""
    return linear_recurrence(tf.zeros_like(values) + keep, (1.0 - keep) * values, state)


def _weights(before: tf.Tensor, log_keep: tf.Tensor) -> tf.Tensor:
    """`1 - (1 - before) exp(log_keep)`, exact where both are near zero and means are quotients of little."""
    return before * tf.exp(log_keep) - tf.math.expm1(log_keep)


def _running_minimum(values: tf.Tensor) -> tf.Tensor:
    """The lowest of all frames so far, `[batch, frames, bands]`, by doubling."""
    frames = tf.shape(values)[1]

    def double(reach: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        earlier = tf.pad(found[:, : frames - reach], [[0, 0], [reach, 0], [0, 0]], constant_values=1e30)
        return reach * 2, tf.ensure_shape(tf.minimum(found, earlier), values.shape)

    return tf.while_loop(lambda reach, _: reach < frames, double, [tf.constant(1), values])[1]
