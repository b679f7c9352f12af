"""Unit conversions on tensors: level, scales of pitch and of hearing.

All take and return float tensors of any shape, element by element. Frequencies are 0 Hz and up. The numpy
definitions that a device shares are in `ddsp_tf.units`.
"""

import math

import tensorflow as tf

from ddsp_tf.errors import DdspError, did_you_mean
from ddsp_tf.units import LOUDNESS_FLOOR_DB

_LN2 = math.log(2.0)
_LN10 = math.log(10.0)
_A0_HZ = 27.5

# Slaney's mel scale: linear up to 1 kHz, 15 mel, then 27 mel to a factor of 6.4.
_SLANEY_HZ_PER_MEL = 200.0 / 3.0
_SLANEY_BREAK_HZ = 1000.0
_SLANEY_BREAK_MEL = _SLANEY_BREAK_HZ / _SLANEY_HZ_PER_MEL
_SLANEY_LOG_STEP = math.log(6.4) / 27.0

_HTK_MEL = 2595.0 / math.log(10.0)
_HTK_HZ = 700.0

_ERB_RATE = 21.4 / math.log(10.0)
_ERB_PER_HZ = 0.00437


def amplitude_to_db(amplitude: tf.Tensor, floor_db: float = LOUDNESS_FLOOR_DB) -> tf.Tensor:
    """Convert linear amplitude, of either sign, to dB re 1, never below `floor_db`, which has no gradient."""
    return 2.0 * power_to_db(tf.abs(amplitude), floor_db / 2.0)


def db_to_amplitude(level_db: tf.Tensor) -> tf.Tensor:
    """Convert dB re 1 to linear amplitude."""
    return tf.exp((_LN10 / 20.0) * level_db)


def power_to_db(power: tf.Tensor, floor_db: float = LOUDNESS_FLOOR_DB) -> tf.Tensor:
    """Convert power, 0 and up, to dB re 1, never below `floor_db`, which has no gradient."""
    return (10.0 / _LN10) * tf.math.log(tf.maximum(power, 10.0 ** (floor_db / 10.0)))


def db_to_power(level_db: tf.Tensor) -> tf.Tensor:
    """Convert dB re 1 to power."""
    return tf.exp((_LN10 / 10.0) * level_db)


def hz_to_midi(f0_hz: tf.Tensor) -> tf.Tensor:
    """Convert frequency in Hz to fractional MIDI notes (A4 = 440 Hz = 69).

    Frequencies of 0 and below, which mean 'no pitch', give note 0, without a gradient.
    """
    pitched = f0_hz > 0.0
    midi = 69.0 + (12.0 / _LN2) * tf.math.log(tf.where(pitched, f0_hz, 440.0) / 440.0)
    return tf.where(pitched, midi, 0.0)


def midi_to_hz(midi: tf.Tensor) -> tf.Tensor:
    """Convert fractional MIDI notes to frequency in Hz (A4 = 69 = 440 Hz)."""
    return 440.0 * tf.exp((_LN2 / 12.0) * (midi - 69.0))


def hz_to_octaves(frequency_hz: tf.Tensor) -> tf.Tensor:
    """Convert frequency in Hz, above 0, to octaves above A0 = 27.5 Hz (A4 = 440 Hz = 4)."""
    return tf.math.log(frequency_hz / _A0_HZ) / _LN2


def octaves_to_hz(octaves: tf.Tensor) -> tf.Tensor:
    """Convert octaves above A0 = 27.5 Hz to frequency in Hz."""
    return _A0_HZ * tf.exp(_LN2 * octaves)


def hz_to_mel(frequency_hz: tf.Tensor, scale: str = "slaney") -> tf.Tensor:
    """Convert frequency in Hz to mel.

    Args:
        frequency_hz: Hz, 0 and up.
        scale: `"slaney"`, M. Slaney, "Auditory Toolbox", Interval Research 1998-010: `3 f / 200` up to
            1 kHz, logarithmic above; or `"htk"`, S. Young et al., "The HTK Book", `2595 log10(1 + f / 700)`.
            They differ by a factor of about 66: 1 kHz is 15 mel in the one and 1000 in the other.

    Returns:
        Mel.

    Raises:
        DdspError: If there is no such scale.
    """
    _check_scale(scale)
    if scale == "htk":
        return _HTK_MEL * tf.math.log1p(frequency_hz / _HTK_HZ)
    above = tf.maximum(frequency_hz, _SLANEY_BREAK_HZ) / _SLANEY_BREAK_HZ
    return tf.where(
        frequency_hz < _SLANEY_BREAK_HZ,
        frequency_hz / _SLANEY_HZ_PER_MEL,
        _SLANEY_BREAK_MEL + tf.math.log(above) / _SLANEY_LOG_STEP,
    )


def mel_to_hz(mel: tf.Tensor, scale: str = "slaney") -> tf.Tensor:
    """Convert mel to frequency in Hz; the inverse of `hz_to_mel`.

    Raises:
        DdspError: If there is no such scale.
    """
    _check_scale(scale)
    if scale == "htk":
        return _HTK_HZ * tf.math.expm1(mel / _HTK_MEL)
    above = tf.maximum(mel - _SLANEY_BREAK_MEL, 0.0)
    return tf.where(
        mel < _SLANEY_BREAK_MEL,
        mel * _SLANEY_HZ_PER_MEL,
        _SLANEY_BREAK_HZ * tf.exp(_SLANEY_LOG_STEP * above),
    )


def _check_scale(scale: str) -> None:
    if scale not in ("slaney", "htk"):
        hint = did_you_mean(scale, ["slaney", "htk"])
        raise DdspError(f"scale must be 'slaney' or 'htk'. Received: scale={scale!r}.{hint}")


def hz_to_bark(frequency_hz: tf.Tensor) -> tf.Tensor:
    """Convert frequency in Hz to critical-band rate in Bark.

    H. Traunmüller, "Analytical expressions for the tonotopic sensory scale", JASA 88(1), 1990: `26.81 f /
    (1960 + f) - 0.53`, with his corrections below 2 Bark and above 20.1 Bark.
    """
    bark = 26.81 * frequency_hz / (1960.0 + frequency_hz) - 0.53
    return bark + 0.15 * tf.nn.relu(2.0 - bark) + 0.22 * tf.nn.relu(bark - 20.1)


def bark_to_hz(bark: tf.Tensor) -> tf.Tensor:
    """Convert critical-band rate in Bark, below 27.6, to frequency in Hz; the inverse of `hz_to_bark`."""
    # Each correction stretches by a factor beyond a point that it leaves in place.
    bark = bark - (0.15 / 0.85) * tf.nn.relu(2.0 - bark) - (0.22 / 1.22) * tf.nn.relu(bark - 20.1)
    return 1960.0 * (bark + 0.53) / (26.28 - bark)


def hz_to_erb_rate(frequency_hz: tf.Tensor) -> tf.Tensor:
    """Convert frequency in Hz to the number of equivalent rectangular bandwidths below it.

    B. R. Glasberg, B. C. J. Moore, "Derivation of auditory filter shapes from notched-noise data", Hearing
    Research 47, 1990: `21.4 log10(0.00437 f + 1)`.
    """
    return _ERB_RATE * tf.math.log1p(_ERB_PER_HZ * frequency_hz)


def erb_rate_to_hz(erb_rate: tf.Tensor) -> tf.Tensor:
    """Convert ERB-rate to frequency in Hz; the inverse of `hz_to_erb_rate`."""
    return tf.math.expm1(erb_rate / _ERB_RATE) / _ERB_PER_HZ


def erb_bandwidth_hz(frequency_hz: tf.Tensor) -> tf.Tensor:
    """Equivalent rectangular bandwidth in Hz of the auditory filter at a frequency in Hz.

    Glasberg and Moore 1990: `24.7 (0.00437 f + 1)`.
    """
    return 24.7 * (_ERB_PER_HZ * frequency_hz + 1.0)
