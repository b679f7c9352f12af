"""Every processor in every kind, ready to be tested: what a new processor joins."""

import keras
import numpy as np

from ddsp_tf.layers import (
    Add,
    Crop,
    ExpDecayReverb,
    FilteredNoise,
    FilteredNoiseReverb,
    FIRFilter,
    Harmonic,
    Mix,
    ModDelay,
    Reverb,
    Room,
    SignalLayer,
    Sinusoidal,
    SpectralMask,
    TensorToAudio,
    Wavetable,
)
from ddsp_tf.layers import processor as registry
from tests.selection import slow_but

SAW = [1.0 - 2.0 * i / 64 for i in range(64)]


def _trained_reverb(sample_rate, hop):
    layer = Reverb(50, sample_rate, hop)
    layer.build(None)
    layer.taps.assign(np.random.default_rng(5).normal(size=49).astype("float32"))
    return layer


def _trained_room(sample_rate, hop):
    layer = Room(50, sample_rate, hop, seed=2)
    layer.build(None)
    rng = np.random.default_rng(5)
    layer.taps.assign(0.01 * rng.normal(size=layer.taps.shape))
    layer.levels.assign(0.2 + 0.1 * rng.normal(size=layer.levels.shape))
    layer.times.assign(-1.0 + 0.1 * rng.normal(size=layer.times.shape))  # 60 dB in 3 ms: the slope is seen
    return layer


def _with(layer, *names):
    """A layer that is tested with optional inputs; weights that they replace do not train."""
    layer.tested_with = names
    layer.trainable = False
    return layer


CASES = {
    "add": lambda sr, hop: Add(sr, hop, n_inputs=3),
    "crop": lambda sr, hop: Crop(3, sr, hop),
    "exp decay reverb": lambda sr, hop: ExpDecayReverb(50, sr, hop, initial_gain=0.1),
    "filtered noise": lambda sr, hop: FilteredNoise(9, sr, hop, initial_bias=0.0, seed=1),
    "filtered noise reverb": lambda sr, hop: FilteredNoiseReverb(50, 10, 5, sr, hop, initial_bias=0.0),
    "FIR filter": lambda sr, hop: FIRFilter(9, sr, hop),
    "harmonic": lambda sr, hop: Harmonic(12, sr, hop),
    "mix": lambda sr, hop: Mix(sr, hop),
    "chorus": lambda sr, hop: ModDelay(sr, hop, 15.0, 10.0),
    "flanger": lambda sr, hop: ModDelay(sr, hop, 2.5, 2.3, interpolation="cubic"),
    "vibrato": lambda sr, hop: ModDelay(sr, hop, 5.0, 4.0, interpolation="cubic", add_dry=False),
    "reverb": _trained_reverb,
    "room": _trained_room,
    "sinusoidal": lambda sr, hop: Sinusoidal(5, sr, hop),
    "sinusoidal sigmoid": lambda sr, hop: Sinusoidal(5, sr, hop, frequency_head="sigmoid"),
    "sinusoidal softmax": lambda sr, hop: Sinusoidal(
        3, sr, hop, frequency_head="softmax", n_bins=7, low_hz=50.0, high_hz=4000.0
    ),
    "spectral mask": lambda sr, hop: SpectralMask(sr, hop),
    "spectral mask of 4": lambda sr, hop: SpectralMask(sr, hop, hops_per_window=4),
    "tensor to audio": lambda sr, hop: TensorToAudio(sr, hop),
    "fixed wavetable": lambda sr, hop: Wavetable(sr, hop, tables=SAW, learned=False),
    "learned wavetable": lambda sr, hop: Wavetable(sr, hop, table_size=31, interpolation="linear", seed=1),
    "mixed wavetables": lambda sr, hop: Wavetable(sr, hop, 3, 30, oversampling=3, seed=1),
    "harmonic, shifted": lambda sr, hop: _with(Harmonic(12, sr, hop), "harmonic_shifts"),
    "reverb of each example": lambda sr, hop: _with(Reverb(50, sr, hop), "impulse_response"),
    "wavetables of each example": lambda sr, hop: _with(Wavetable(sr, hop, 3, 30, seed=1), "tables"),
    "signal layer": lambda sr, hop: SignalLayer(keras.layers.Activation("tanh"), sr, hop),
}


def shipped_types():
    """Names of the processors that the package has; tests register some of their own."""
    return {name for name, cls in registry._types.items() if cls.__module__.startswith("ddsp_tf.")}


def types_of_cases(cases=CASES):
    """Names of the processors among cases."""
    return {type(make(16000, 64)).__name__ for make in cases.values()}


VARIANTS = (
    "harmonic, shifted",
    "flanger",
    "vibrato",
    "sinusoidal sigmoid",
    "sinusoidal softmax",
    "spectral mask of 4",
    "learned wavetable",
    "mixed wavetables",
    "wavetables of each example",
    "reverb of each example",
)
"""Cases that are not the only ones of their processor."""
ONE_EACH = slow_but([name for name in CASES if name not in VARIANTS], CASES)
"""Parameters of a test: one case of each processor, and the others where slow tests are asked for."""
