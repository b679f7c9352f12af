"""The operations that work element by element, in float64 numpy."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def amplitude_to_db(amplitude):
    return np.maximum(20 * np.log10(np.abs(amplitude)), -80.0)


def power_to_db(power):
    return np.maximum(10 * np.log10(power), -80.0)


def db_to_amplitude(level_db):
    return 10 ** (level_db / 20)


def db_to_power(level_db):
    return 10 ** (level_db / 10)


def hz_to_midi(f0_hz):
    return 69 + 12 * np.log2(f0_hz / 440)


def midi_to_hz(midi):
    return 440 * 2 ** ((midi - 69) / 12)


def hz_to_octaves(frequency_hz):
    return np.log2(frequency_hz / 27.5)


def octaves_to_hz(octaves):
    return 27.5 * 2**octaves


def hz_to_mel(frequency_hz):
    """Slaney's: 3 mel for 200 Hz up to 1 kHz, then 27 mel for a factor of 6.4."""
    log = 15 + 27 * np.log(np.maximum(frequency_hz, 1000) / 1000) / np.log(6.4)
    return np.where(frequency_hz < 1000, 3 * frequency_hz / 200, log)


def mel_to_hz(mel):
    return np.where(mel < 15, 200 * mel / 3, 1000 * 6.4 ** ((mel - 15) / 27))


def hz_to_bark(frequency_hz):
    """Traunmüller 1990, with the corrections at both ends."""
    z = 26.81 / (1 + 1960 / frequency_hz) - 0.53
    return np.where(z < 2, z + 0.15 * (2 - z), np.where(z > 20.1, z + 0.22 * (z - 20.1), z))


def bark_to_hz(bark):
    z = np.where(bark < 2, (bark - 0.3) / 0.85, np.where(bark > 20.1, (bark + 4.422) / 1.22, bark))
    return 1960 / (26.81 / (z + 0.53) - 1)


def hz_to_erb_rate(frequency_hz):
    return 21.4 * np.log10(1 + 0.00437 * frequency_hz)


def erb_rate_to_hz(erb_rate):
    return (10 ** (erb_rate / 21.4) - 1) / 0.00437


def erb_bandwidth_hz(frequency_hz):
    return 24.7 * (0.00437 * frequency_hz + 1)


def exp_sigmoid(x):
    return 2 * sigmoid(x) ** np.log(10) + 1e-7


def inverse_exp_sigmoid(y):
    share = ((y - 1e-7) / 2) ** (1 / np.log(10))
    return np.log(share / (1 - share))


def signed_exp_sigmoid(x):
    return 2 * np.sinh(np.log(10) * np.tanh(x / 2)) / np.sinh(np.log(10))


def sigmoid_between(x, low, high):
    return low + (high - low) * sigmoid(x)


def resampling_delay(method):
    return 1 if method == "cubic" else 0
