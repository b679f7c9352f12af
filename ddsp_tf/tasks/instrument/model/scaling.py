"""Features in physical units to what a network takes, in TensorFlow; as `ddsp_edge.units` in numpy."""

import math

import tensorflow as tf

from ddsp_edge.further import FURTHER
from ddsp_tf.units import LOUDNESS_FLOOR_DB, MIDI_MAX


def scale_f0(f0_hz: tf.Tensor) -> tf.Tensor:
    """Map fundamental frequency in Hz to MIDI note / 127, in [0, 1]; 0 Hz and below to 0."""
    midi = 69.0 + (12.0 / math.log(2.0)) * tf.math.log(tf.maximum(f0_hz, 1e-3) / 440.0)
    return tf.clip_by_value(midi / MIDI_MAX, 0.0, 1.0)


def unscale_f0(f0_scaled: tf.Tensor) -> tf.Tensor:
    """The inverse of `scale_f0` inside its range, Hz."""
    return 440.0 * tf.exp((f0_scaled * MIDI_MAX - 69.0) * (math.log(2.0) / 12.0))


def unscale_loudness(loudness_scaled: tf.Tensor) -> tf.Tensor:
    """The inverse of `scale_loudness` inside its range, dB."""
    return (loudness_scaled - 1.0) * -LOUDNESS_FLOOR_DB


def scale_loudness(loudness_db: tf.Tensor) -> tf.Tensor:
    """Map loudness in dB to [0, 1.25]: -80 dB to 0, 0 dB to 1."""
    return tf.clip_by_value(loudness_db / -LOUDNESS_FLOOR_DB + 1.0, 0.0, 1.25)


def scale_further(name: str, values: tf.Tensor) -> tf.Tensor:
    """Map a further feature to the network's input, as `ddsp_edge.further.Further.scale`."""
    feature = FURTHER[name]
    return tf.clip_by_value(values / feature.unit, feature.low, feature.high)
