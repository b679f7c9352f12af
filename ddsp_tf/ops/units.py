"""Unit conversions on tensors: level, scales of pitch and of hearing.

All take numbers, lists, arrays or tensors of any shape, element by element, and return tensors: float64 of
float64, float32 of integers. Anything else is refused by a `DdspError`. Frequencies are 0 Hz and up. The
numpy definitions that a device shares are in `ddsp_tf.units`.
"""

import math

import tensorflow as tf

from ddsp_tf.arguments import check_choice, check_number
from ddsp_tf.ops.arguments import as_floats
from ddsp_tf.units import LOUDNESS_FLOOR_DB

_LN2 = math.log(2.0)
_LN10 = math.log(10.0)
_A0_HZ = 27.5

# Slaney's mel scale: linear up to 1 kHz, 15 mel, then 27 mel to a factor of 6.4.
_SLANEY_HZ_PER_MEL = 200.0 / 3.0
_SLANEY_BREAK_HZ = 1000.0
_SLANEY_BREAK_MEL = _SLANEY_BREAK_HZ / _SLANEY_HZ_PER_MEL
_SLANEY_LOG_STEP = math.log(6.4) / 27.0

_MEL_SCALES = ("slaney", "htk")
_HTK_MEL = 2595.0 / math.log(10.0)
_HTK_HZ = 700.0

_ERB_RATE = 21.4 / math.log(10.0)
_ERB_PER_HZ = 0.00437


def amplitude_to_db(amplitude: tf.Tensor, floor_db: float = LOUDNESS_FLOOR_DB) -> tf.Tensor:
    """Convert linear amplitude, of either sign, to dB re 1, never below `floor_db`, which has no gradient."""
    amplitude = as_floats("amplitude_to_db", "amplitude", amplitude)
    floor_db = check_number("amplitude_to_db", "floor_db", floor_db, -math.inf, math.inf)
    return 2.0 * power_to_db(tf.abs(amplitude), floor_db / 2.0)


def db_to_amplitude(level_db: tf.Tensor) -> tf.Tensor:
    """Convert dB re 1 to linear amplitude."""
    level_db = as_floats("db_to_amplitude", "level_db", level_db)
    return tf.exp((_LN10 / 20.0) * level_db)


def power_to_db(power: tf.Tensor, floor_db: float = LOUDNESS_FLOOR_DB) -> tf.Tensor:
    """Convert power, 0 and up, to dB re 1, never below `floor_db`, which has no gradient."""
    power = as_floats("power_to_db", "power", power)
    floor_db = check_number("power_to_db", "floor_db", floor_db, -math.inf, math.inf)
    return (10.0 / _LN10) * tf.math.log(tf.maximum(power, 10.0 ** (floor_db / 10.0)))


def db_to_power(level_db: tf.Tensor) -> tf.Tensor:
    """Convert dB re 1 to power."""
    level_db = as_floats("db_to_power", "level_db", level_db)
    return tf.exp((_LN10 / 10.0) * level_db)


def hz_to_midi(f0_hz: tf.Tensor) -> tf.Tensor:
    """Convert frequency in Hz to fractional MIDI notes (A4 = 440 Hz = 69).

    Frequencies of 0 and below, which mean 'no pitch', give note 0, without a gradient.
    """
    f0_hz = as_floats("hz_to_midi", "f0_hz", f0_hz)
    pitched = f0_hz > 0.0
    midi = 69.0 + (12.0 / _LN2) * tf.math.log(tf.where(pitched, f0_hz, 440.0) / 440.0)
    return tf.where(pitched, midi, 0.0)


def midi_to_hz(midi: tf.Tensor) -> tf.Tensor:
    """Convert fractional MIDI notes to frequency in Hz (A4 = 69 = 440 Hz)."""
    midi = as_floats("midi_to_hz", "midi", midi)
    return 440.0 * tf.exp((_LN2 / 12.0) * (midi - 69.0))


def hz_to_octaves(frequency_hz: tf.Tensor) -> tf.Tensor:
    """Convert frequency in Hz, above 0, to octaves above A0 = 27.5 Hz (A4 = 440 Hz = 4)."""
    frequency_hz = as_floats("hz_to_octaves", "frequency_hz", frequency_hz)
    return tf.math.log(frequency_hz / _A0_HZ) / _LN2


def octaves_to_hz(octaves: tf.Tensor) -> tf.Tensor:
    """Convert octaves above A0 = 27.5 Hz to frequency in Hz."""
    octaves = as_floats("octaves_to_hz", "octaves", octaves)
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
    frequency_hz = as_floats("hz_to_mel", "frequency_hz", frequency_hz)
    check_choice("hz_to_mel", "scale", scale, _MEL_SCALES)
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
    mel = as_floats("mel_to_hz", "mel", mel)
    check_choice("mel_to_hz", "scale", scale, _MEL_SCALES)
    if scale == "htk":
        return _HTK_HZ * tf.math.expm1(mel / _HTK_MEL)
    above = tf.maximum(mel - _SLANEY_BREAK_MEL, 0.0)
    return tf.where(
        mel < _SLANEY_BREAK_MEL,
        mel * _SLANEY_HZ_PER_MEL,
        _SLANEY_BREAK_HZ * tf.exp(_SLANEY_LOG_STEP * above),
    )


def hz_to_bark(frequency_hz: tf.Tensor) -> tf.Tensor:
    """Convert frequency in Hz to critical-band rate in Bark.

    H. Traunmüller, "Analytical expressions for the tonotopic sensory scale", JASA 88(1), 1990: `26.81 f /
    (1960 + f) - 0.53`, with his corrections below 2 Bark and above 20.1 Bark.
    """
    frequency_hz = as_floats("hz_to_bark", "frequency_hz", frequency_hz)
    bark = 26.81 * frequency_hz / (1960.0 + frequency_hz) - 0.53
    return bark + 0.15 * tf.nn.relu(2.0 - bark) + 0.22 * tf.nn.relu(bark - 20.1)


def bark_to_hz(bark: tf.Tensor) -> tf.Tensor:
    """Convert critical-band rate in Bark, below 27.6, to frequency in Hz; the inverse of `hz_to_bark`."""
    bark = as_floats("bark_to_hz", "bark", bark)
    # Each correction stretches by a factor beyond a point that it leaves in place.
    bark = bark - (0.15 / 0.85) * tf.nn.relu(2.0 - bark) - (0.22 / 1.22) * tf.nn.relu(bark - 20.1)
    return 1960.0 * (bark + 0.53) / (26.28 - bark)


def hz_to_erb_rate(frequency_hz: tf.Tensor) -> tf.Tensor:
    """Convert frequency in Hz to the number of equivalent rectangular bandwidths below it.

    B. R. Glasberg, B. C. J. Moore, "Derivation of auditory filter shapes from notched-noise data", Hearing
    Research 47, 1990: `21.4 log10(0.00437 f + 1)`.
    """
    frequency_hz = as_floats("hz_to_erb_rate", "frequency_hz", frequency_hz)
    return _ERB_RATE * tf.math.log1p(_ERB_PER_HZ * frequency_hz)


def erb_rate_to_hz(erb_rate: tf.Tensor) -> tf.Tensor:
    """Convert ERB-rate to frequency in Hz; the inverse of `hz_to_erb_rate`."""
    erb_rate = as_floats("erb_rate_to_hz", "erb_rate", erb_rate)
    return tf.math.expm1(erb_rate / _ERB_RATE) / _ERB_PER_HZ


def erb_bandwidth_hz(frequency_hz: tf.Tensor) -> tf.Tensor:
    """Equivalent rectangular bandwidth in Hz of the auditory filter at a frequency in Hz.

    Glasberg and Moore 1990: `24.7 (0.00437 f + 1)`.
    """
    frequency_hz = as_floats("erb_bandwidth_hz", "frequency_hz", frequency_hz)
    return 24.7 * (_ERB_PER_HZ * frequency_hz + 1.0)
