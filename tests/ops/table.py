"""All public operations: how to draw arguments, what their axes are, and which numbers they refuse."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.ops import draws
from tests.ops.draws import Draw

WHOLE = (0, -1, 2.5, "3", None, True)
"""What no positive integer is."""
ABOVE_ZERO = (0.0, -1.0, float("nan"), float("inf"), "3", True)
"""What no number above 0 is; None may be a default."""
FINITE = (float("nan"), float("inf"), "3", True)

NOT_FUNCTIONS = {"HISTORY_MARGIN", "MAX_BANDS", "HarmonicState", "SinusoidState", "WavetableState"}


@dataclass(frozen=True)
class Case:
    """One operation.

    Attributes:
        draw: Valid arguments by name, at random.
        axes: Of each argument that is a tensor; a name stands for any size, `"..."` for any axes.
        refused: For other arguments what they must not be.
        gradients: Arguments that a gradient reaches.
        tolerance: Of float32, as a share of the largest value.
        double: Whether float64 stays float64.
        whole: Whether all tensors may be integers of any size from -3 to 3.
    """

    draw: Draw
    axes: Mapping[str, tuple[Any, ...]]
    refused: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    gradients: tuple[str, ...] = ()
    tolerance: float = 1e-5
    double: bool = True
    whole: bool = True


def _pointwise(low: float, high: float, name: str, **more: Any) -> Case:
    return Case(draws.numbers(low, high, name), {name: ("any",)}, gradients=(name,), **more)


_BANK = {"sample_rate": lambda rng: 16_000, "fft_size": lambda rng: 64, "hop": lambda rng: 16}
_SQUASH = {"max_value": ABOVE_ZERO, "exponent": (1.0, 0.0, float("nan"), "3"), "threshold": (-1.0, *FINITE)}
_RANGE = {"low_hz": ABOVE_ZERO, "high_hz": (10.0, float("inf"), "3")}
_BFC = ("batch", "frames", "channels")

OPS: dict[str, Case] = {
    "amplitude_to_db": _pointwise(1e-3, 2.0, "amplitude", whole=False),
    "bark_to_hz": _pointwise(0.0, 24.0, "bark"),
    "db_to_amplitude": _pointwise(-80.0, 10.0, "level_db"),
    "db_to_power": _pointwise(-80.0, 10.0, "level_db"),
    "erb_bandwidth_hz": _pointwise(0.0, 9000.0, "frequency_hz"),
    "erb_rate_to_hz": _pointwise(0.0, 35.0, "erb_rate"),
    "hz_to_bark": _pointwise(20.0, 9000.0, "frequency_hz", whole=False),
    "hz_to_erb_rate": _pointwise(0.0, 9000.0, "frequency_hz", whole=False),
    "hz_to_mel": _pointwise(20.0, 9000.0, "frequency_hz", whole=False),
    "hz_to_midi": _pointwise(20.0, 9000.0, "f0_hz", whole=False),
    "hz_to_octaves": _pointwise(20.0, 9000.0, "frequency_hz", whole=False),
    "mel_to_hz": _pointwise(0.0, 60.0, "mel"),
    "midi_to_hz": _pointwise(0.0, 127.0, "midi"),
    "octaves_to_hz": _pointwise(-1.0, 9.0, "octaves"),
    "power_to_db": _pointwise(1e-3, 2.0, "power", whole=False),
    "exp_sigmoid": Case(draws.numbers(-6.0, 6.0, "x"), {"x": ("any",)}, _SQUASH, ("x",)),
    "inverse_exp_sigmoid": Case(
        draws.numbers(0.05, 1.8, "y"), {"y": ("any",)}, _SQUASH, ("y",), 1e-4, whole=False
    ),
    "signed_exp_sigmoid": Case(
        draws.numbers(-6.0, 6.0, "x"),
        {"x": ("any",)},
        {k: _SQUASH[k] for k in ("max_value", "exponent")},
        ("x",),
    ),
    "sigmoid_between": Case(
        lambda rng: {**draws.numbers(-6.0, 6.0, "x")(rng), "low": -1.0, "high": 3},
        {"x": ("any",)},
        {"low": (3.0, *FINITE), "high": (-1.0, *FINITE)},
        ("x",),
    ),
    "fft_size": Case(lambda rng: {"at_least": int(rng.integers(1, 3000))}, {}, {"at_least": WHOLE}),
    "harmonics_of_table": Case(
        lambda rng: {"table_size": int(rng.integers(3, 99))}, {}, {"table_size": (*WHOLE, 2)}
    ),
    "resampling_delay": Case(lambda rng: {"method": "cubic"}, {}, {"method": ("lineer", None, 3)}),
    "crossfade_window": Case(lambda rng: {"hop": int(rng.integers(1, 99))}, {}, {"hop": WHOLE}),
    "crossfade": Case(
        draws.crossfade,
        {"frames": ("batch", "frames"), "before": ("batch",)},
        {"hop": WHOLE},
        ("frames", "before"),
    ),
    "previous_frames": Case(
        draws.previous, {"frames": _BFC, "before": ("batch", "channels")}, {}, ("frames", "before")
    ),
    "frames_to_samples": Case(
        draws.frames("hop"), {"frames": _BFC}, {"hop": WHOLE, "method": ("lineer", None)}, ("frames",)
    ),
    "resample": Case(
        draws.frames("n_samples"),
        {"frames": _BFC},
        {"n_samples": WHOLE, "method": ("lineer", None)},
        ("frames",),
    ),
    "stream_frames_to_samples": Case(
        draws.frames("hop"), {"frames": _BFC}, {"hop": WHOLE, "method": ("lineer", None)}, ("frames",)
    ),
    "convolve_causal": Case(
        draws.causal,
        {
            "audio": ("batch", "samples"),
            "impulse_response": ("batch", "taps"),
            "history": ("batch", "taps - 1"),
        },
        {},
        ("audio", "impulse_response", "history"),
    ),
    "convolve_frames": Case(
        draws.by_frames("impulse_responses", 1),
        {
            "audio": ("batch", "frames * hop"),
            "impulse_responses": ("batch", "frames", "taps"),
            "tail": ("batch", "taps - 1"),
        },
        {"hop": WHOLE},
        ("audio", "impulse_responses", "tail"),
    ),
    "filter_frames": Case(
        draws.by_frames("magnitudes", 2),
        {
            "audio": ("batch", "frames * hop"),
            "magnitudes": ("batch", "frames", "bands"),
            "tail": ("batch", "2 bands - 3"),
        },
        {"hop": WHOLE},
        ("audio", "magnitudes", "tail"),
        double=False,
    ),
    "fractional_delay": Case(
        draws.delay,
        {
            "audio": ("batch", "samples"),
            "delay_samples": ("batch", "samples"),
            "history": ("batch", "max_delay_samples + 2"),
        },
        {"max_delay_samples": WHOLE, "interpolation": ("lineer", None)},
        ("audio", "delay_samples", "history"),
        1e-4,
    ),
    "impulse_responses_from_magnitudes": Case(
        lambda rng: {"magnitudes": rng.normal(size=[*draws.sizes(rng, 3, 4), int(rng.integers(2, 12))])},
        {"magnitudes": ("...", "bands")},
        {},
        ("magnitudes",),
    ),
    "lowpass_impulse_response": Case(
        draws.cutoff,
        {"cutoff_hz": ("...", 1)},
        {"sample_rate": WHOLE, "taps": (*WHOLE, 1, 4)},
        ("cutoff_hz",),
        whole=False,
    ),
    "highpass_impulse_response": Case(
        draws.cutoff,
        {"cutoff_hz": ("...", 1)},
        {"sample_rate": WHOLE, "taps": (*WHOLE, 1, 4)},
        ("cutoff_hz",),
        whole=False,
    ),
    "nyquist_fade": Case(
        lambda rng: {
            "f0_hz": rng.uniform(-4000, 4000, [*draws.sizes(rng, 3, 4), 1]),
            "n_harmonics": int(rng.integers(2, 9)),
            "sample_rate": 16_000,
        },
        {"f0_hz": ("...", 1)},
        {"n_harmonics": WHOLE, "sample_rate": WHOLE},
        ("f0_hz",),
        1e-4,  # a fiftieth of the band is 1
    ),
    "fundamental_phase": Case(
        draws.phase,
        {"f0_hz": ("batch", "frames"), "previous_f0_hz": ("batch", "frames"), "start_cycles": ("batch",)},
        {"spec": (64, None)},
        ("f0_hz", "previous_f0_hz", "start_cycles"),
    ),
    "harmonic_oscillator": Case(
        draws.harmonic,
        {"f0_hz": ("batch", "frames", 1), "amplitudes": ("batch", "frames", "harmonics")},
        {"spec": (64, None), "state": (1, "state", (1, 2), np.zeros(3))},
        ("f0_hz", "amplitudes"),
        2e-5,
        double=False,
    ),
    "sinusoidal_oscillator": Case(
        draws.sinusoids,
        {"frequencies_hz": ("batch", "frames", "sinusoids"), "amplitudes": ("batch", "frames", "sinusoids")},
        {"spec": (64, None), "state": (1, "state", (1, 2), np.zeros(3))},
        ("frequencies_hz", "amplitudes"),
        2e-5,
        double=False,
    ),
    "wavetable_oscillator": Case(
        draws.wavetable,
        {"f0_hz": ("batch", "frames", 1), "tables": ("batch", "frames", "points")},
        {"spec": (64, None), "state": (1, "state", (1, 2)), "interpolation": ("lineer", None)},
        ("tables",),
        1e-4,
        double=False,
    ),
    "tables_from_harmonics": Case(
        draws.tables,
        {
            "tables": ("batch", "tables", "table_size"),
            "mix": ("batch", "frames", "tables"),
            "gains": ("batch", "frames", "below table_size / 2"),
        },
        {"oversampling": WHOLE},
        ("tables", "mix", "gains"),
    ),
    "damped_sinusoids": Case(
        draws.parts(n_samples=9),
        {"real": ("...",), "imaginary": ("...",)},
        {"n_samples": WHOLE},
        ("real", "imaginary"),
        whole=False,
    ),
    "inside_unit_circle": Case(
        draws.parts(), {"real": ("...",), "imaginary": ("...",)}, {}, ("real", "imaginary"), whole=False
    ),
    "surrogate_frequency_hz": Case(
        draws.parts(sample_rate=16_000),
        {"real": ("...",), "imaginary": ("...",)},
        {"sample_rate": WHOLE},
        ("real", "imaginary"),
    ),
    "frequencies_sigmoid": Case(
        lambda rng: {**draws.numbers(-5.0, 5.0, "raw")(rng), "low_hz": 20, "high_hz": 8000.0},
        {"raw": ("any",)},
        _RANGE,
        ("raw",),
    ),
    "frequencies_softmax": Case(
        lambda rng: {"raw": rng.normal(size=[*draws.sizes(rng, 3, 4), 5]), "low_hz": 20.0, "high_hz": 8000},
        {"raw": ("...", "bins")},
        _RANGE,
        ("raw",),
    ),
    "harmonic_to_sinusoidal": Case(
        draws.to_sinusoidal,
        {"amplitude": ("...", 1), "distribution": ("...", "harmonics"), "f0_hz": ("...", 1)},
        {},
        ("amplitude", "distribution", "f0_hz"),
    ),
    "sinusoidal_to_harmonic": Case(
        draws.to_harmonic,
        {"amplitudes": ("...", "sinusoids"), "frequencies_hz": ("...", "sinusoids"), "f0_hz": ("...", 1)},
        {"n_harmonics": WHOLE, "width": ABOVE_ZERO},
        ("amplitudes",),
        whole=False,
    ),
    "sinusoidal_to_harmonic by distance": Case(
        draws.to_harmonic_by_distance,
        {"amplitudes": ("...", "sinusoids"), "frequencies_hz": ("...", "sinusoids"), "f0_hz": ("...", 1)},
        {"width": ABOVE_ZERO},
        ("amplitudes", "frequencies_hz", "f0_hz"),
        1e-4,
        whole=False,
    ),
    "magnitude_spectrogram": Case(
        draws.audio(fft_size=lambda rng: 64, hop=lambda rng: int(rng.choice([8, 16, 32, 64]))),
        {"audio": ("batch", "samples")},
        {"fft_size": (*WHOLE, 1), "hop": (*WHOLE, 24, 128)},
        ("audio",),
        double=False,
    ),
    "stft": Case(
        draws.audio(fft_size=lambda rng: 64, hop=lambda rng: int(rng.choice([8, 16, 32]))),
        {"audio": ("batch", "samples")},
        {"fft_size": WHOLE, "hop": (*WHOLE, 24, 64)},
        double=False,
    ),
    "inverse_stft": Case(
        draws.transform,
        {"spectra": ("batch", "windows", "fft_size / 2 + 1")},
        {"fft_size": WHOLE, "hop": WHOLE, "n_samples": (-1, 10_000, 2.5, None)},
        double=False,
        whole=False,
    ),
    "mel_filterbank": Case(
        lambda rng: {"n_mels": int(rng.integers(1, 20)), "fft_size": 512, "sample_rate": 16_000},
        {},
        {
            "n_mels": WHOLE,
            "fft_size": (*WHOLE, 1),
            "sample_rate": WHOLE,
            "low_hz": (-1.0, 8000.0, "3", None),
            "high_hz": (0.0, 9000.0, "3", [1.0]),
        },
    ),
    "mel_spectrogram": Case(
        draws.audio(**_BANK, n_mels=lambda rng: 3),
        {"audio": ("batch", "samples")},
        {"sample_rate": WHOLE, "fft_size": WHOLE, "hop": (*WHOLE, 24), "n_mels": WHOLE, "high_hz": (9000.0,)},
        ("audio",),
        double=False,
    ),
    "mfcc": Case(
        draws.audio(**_BANK, n_mels=lambda rng: 4, n_mfcc=lambda rng: int(rng.integers(1, 5))),
        {"audio": ("batch", "samples")},
        {
            "sample_rate": WHOLE,
            "fft_size": WHOLE,
            "hop": (*WHOLE, 24),
            "n_mels": WHOLE,
            "n_mfcc": (*WHOLE, 5),
        },
        ("audio",),
        1e-4,
        double=False,
    ),
    "rms": Case(
        lambda rng: {
            "audio": rng.normal(size=[2, int(rng.integers(20, 200))]),
            "spec": draws.spec(rng),
            "window_samples": int(rng.integers(1, 40)),
        },
        {"audio": ("batch", "samples")},
        {"spec": (64, None), "window_samples": WHOLE},
        ("audio",),
        double=False,
    ),
    "white_noise": Case(
        lambda rng: {"batch": int(rng.integers(1, 4)), "n_samples": int(rng.integers(1, 50)), "seed": [1, 2]},
        {},
        {
            "batch": (-1, 2.5, "3", None),
            "n_samples": (-1, 2.5, "3", None),
            "seed": (1, [1], [1.0, 2.0], None),
        },
    ),
}
