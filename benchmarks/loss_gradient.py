"""How much of the spectral loss's gradient is rounding, for digital sines and for sound with noise in it.

    python benchmarks/loss_gradient.py

Between the harmonics of a digital sine lies nothing but the rounding of float32. The logarithm makes as much
of a difference there as of one at a harmonic, and its slope, 1 / (S + epsilon), is largest there. The table
compares the gradient in float32, as training has it, with the same in float64, at values of `epsilon`, and
with noise of a level under both sounds. One second at 16 kHz, five harmonics, a rendering that is 1 dB too
loud and 2 cents sharp; sizes 2048 to 64, both weights 1.

By `level` and `pitch` is the error of the slope by the amplitude and by the frequency of the tone, as a share
of that slope; by `samples` that of the gradient by all samples, as a share of its norm: what is added to it
where nothing sounds reaches other parameters, such as those of noise.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import tensorflow as tf

from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.losses.spectral import FFT_SIZES

RATE = 16_000
EPSILONS = (1e-7, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
PLAYED_HZ = 220.25
NOISE_DB = (None, -100.0, -80.0, -60.0)


def tone(f0_hz: float, level: float) -> np.ndarray:
    """Five harmonics, float64 `[1, samples]`."""
    t = np.arange(RATE) / RATE
    return level * sum(np.sin(2.0 * np.pi * k * f0_hz * t) / k for k in range(1, 6))[np.newaxis]


def exact_gradient(target: np.ndarray, prediction: np.ndarray, epsilon: float) -> np.ndarray:
    """The gradient by the prediction, all in float64, by the definition."""
    audio = tf.constant(prediction)
    with tf.GradientTape() as tape:
        tape.watch(audio)
        loss = tf.zeros([], tf.float64)
        for size in FFT_SIZES:
            wanted, got = (_magnitudes(x, size) for x in (tf.constant(target), audio))
            loss += tf.reduce_mean(tf.abs(got - wanted))
            loss += tf.reduce_mean(tf.abs(tf.math.log((got + epsilon) / (wanted + epsilon))))
    return tape.gradient(loss, audio).numpy()


def _magnitudes(audio: tf.Tensor, size: int) -> tf.Tensor:
    hop = size // 4
    padded = tf.pad(audio, [[0, 0], [size - hop, size - hop + (-audio.shape[1]) % hop]])
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
    spectra = tf.signal.rfft(tf.signal.frame(padded, size, hop) * window)
    power = tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))
    return tf.sqrt(tf.maximum(power, 1e-20))


def gradient(target: np.ndarray, prediction: np.ndarray, epsilon: float) -> np.ndarray:
    """The gradient as training has it."""
    audio = tf.constant(prediction, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(audio)
        loss = MultiScaleSpectralLoss(epsilon=epsilon)(tf.constant(target, tf.float32), audio)
    return tape.gradient(loss, audio).numpy().astype(np.float64)


def main() -> None:
    """Print the table."""
    noises = np.random.default_rng(0).standard_normal([2, 1, RATE])
    t = np.arange(RATE) / RATE
    ways = {
        "level": tone(PLAYED_HZ, 1.0),
        "pitch": 0.337 * sum(2.0 * np.pi * t * np.cos(2.0 * np.pi * k * PLAYED_HZ * t) for k in range(1, 6)),
    }
    kinds = ["digital sines" if level is None else f"noise at {level:g} dB" for level in NOISE_DB]
    print("| epsilon | " + " | ".join(f"{kind}: {', '.join((*ways, 'samples'))}" for kind in kinds) + " |")
    print("|" + "---|" * (len(kinds) + 1))
    for epsilon in EPSILONS:
        cells = []
        for level in NOISE_DB:
            under = 0.0 if level is None else 10.0 ** (level / 20.0)
            sounds = tone(220.0, 0.3) + under * noises[0], tone(PLAYED_HZ, 0.337) + under * noises[1]
            # What float32 can hold of the sounds is the same for both.
            target, prediction = (x.astype(np.float32).astype(np.float64) for x in sounds)
            want, got = (f(target, prediction, epsilon) for f in (exact_gradient, gradient))
            errors = [abs(np.sum((got - want) * way) / np.sum(want * way)) for way in ways.values()]
            errors.append(np.linalg.norm(got - want) / np.linalg.norm(want))
            cells.append(", ".join(f"{100.0 * error:.2g} %" for error in errors))
        print(f"| {epsilon:g} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
