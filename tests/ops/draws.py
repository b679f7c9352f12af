"""Valid arguments of the public operations, at random: sizes, which optional ones there are, and numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ddsp_tf.frames import FrameSpec
from ddsp_tf.ops import HISTORY_MARGIN, HarmonicState, SinusoidState, WavetableState

Draw = Callable[[np.random.Generator], dict[str, Any]]


def spec(rng: np.random.Generator) -> FrameSpec:
    return FrameSpec(16_000, int(rng.choice([1, 5, 16])))


def sizes(rng: np.random.Generator, *most: int) -> list[int]:
    return [int(rng.integers(1, n + 1)) for n in most]


def harmonic(rng: np.random.Generator) -> dict[str, Any]:
    batch, frames, harmonics = sizes(rng, 3, 5, 12)
    state = (rng.uniform(50, 900, batch), rng.normal(size=[batch, harmonics]), rng.uniform(0, 1, batch))
    return {
        "f0_hz": rng.uniform(50, 900, [batch, frames, 1]),
        "amplitudes": rng.normal(size=[batch, frames, harmonics]),
        "spec": spec(rng),
        "state": HarmonicState(*state) if rng.integers(2) else None,
    }


def sinusoids(rng: np.random.Generator) -> dict[str, Any]:
    batch, frames, count = sizes(rng, 3, 5, 7)
    shape = [batch, count]
    state = (rng.uniform(50, 900, shape), rng.normal(size=shape), rng.uniform(0, 1, shape))
    return {
        "frequencies_hz": rng.uniform(50, 3000, [batch, frames, count]),
        "amplitudes": rng.normal(size=[batch, frames, count]),
        "spec": spec(rng),
        "state": SinusoidState(*state) if rng.integers(2) else None,
    }


def wavetable(rng: np.random.Generator) -> dict[str, Any]:
    batch, frames, points = sizes(rng, 3, 5, 20)
    state = (rng.uniform(50, 900, batch), rng.normal(size=[batch, points]), rng.uniform(0, 1, batch))
    return {
        "f0_hz": rng.uniform(50, 900, [batch, frames, 1]),
        "tables": rng.normal(size=[batch, frames, points]),
        "spec": spec(rng),
        "interpolation": str(rng.choice(["linear", "cubic"])),
        "state": WavetableState(*state) if rng.integers(2) else None,
    }


def phase(rng: np.random.Generator) -> dict[str, Any]:
    batch, frames = sizes(rng, 3, 5)
    return {
        "f0_hz": rng.uniform(50, 900, [batch, frames]),
        "previous_f0_hz": rng.uniform(50, 900, [batch, frames]),
        "start_cycles": rng.uniform(0, 1, [batch]),
        "spec": spec(rng),
    }


def tables(rng: np.random.Generator) -> dict[str, Any]:
    batch, frames, count = sizes(rng, 3, 4, 3)
    size = int(rng.integers(4, 13))
    return {
        "tables": rng.normal(size=[*([batch] if rng.integers(2) else []), count, size]),
        "mix": rng.uniform(size=[batch, frames, count]),
        "gains": rng.uniform(size=[batch, frames, (size - 1) // 2]),
        "oversampling": int(rng.integers(1, 4)),
    }


def causal(rng: np.random.Generator) -> dict[str, Any]:
    batch, samples, taps = sizes(rng, 3, 40, 9)
    return {
        "audio": rng.normal(size=[batch, samples]),
        "impulse_response": rng.normal(size=[*([batch] if rng.integers(2) else []), taps]),
        "history": rng.normal(size=[batch, taps - 1]) if rng.integers(2) else None,
    }


def by_frames(name: str, least: int) -> Draw:
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        batch, frames, hop = sizes(rng, 3, 5, 9)
        size = least + int(rng.integers(8))
        tail = size - 1 if name == "impulse_responses" else 2 * size - 3
        return {
            "audio": rng.normal(size=[batch, frames * hop]),
            name: rng.normal(size=[batch, frames, size]),
            "hop": hop,
            "tail": rng.normal(size=[batch, tail]) if rng.integers(2) else None,
        }

    return draw


def delay(rng: np.random.Generator) -> dict[str, Any]:
    batch, samples = sizes(rng, 3, 40)
    longest = int(rng.integers(2, 12))
    # Away from whole numbers, where the slope by the delay jumps, and beyond both ends of the line.
    whole = rng.integers(-1, longest + 2, [batch, samples])
    return {
        "audio": rng.normal(size=[batch, samples]),
        "delay_samples": whole + rng.uniform(0.2, 0.8, [batch, samples]),
        "max_delay_samples": longest,
        "history": rng.normal(size=[batch, longest + HISTORY_MARGIN]) if rng.integers(2) else None,
        "interpolation": str(rng.choice(["linear", "cubic"])),
    }


def cutoff(rng: np.random.Generator) -> dict[str, Any]:
    batch, frames, half = sizes(rng, 3, 4, 9)
    shape = [(1,), (batch, 1), (batch, frames, 1)][rng.integers(3)]
    return {"cutoff_hz": rng.uniform(10, 7900, shape), "sample_rate": 16_000, "taps": 2 * half + 1}


def frames(*more: str) -> Draw:
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        batch, frames, channels = sizes(rng, 3, 6, 3)
        given: dict[str, Any] = {"frames": rng.normal(size=[batch, frames, channels])}
        given |= {name: int(rng.integers(1, 20)) for name in more}
        return {**given, "method": str(rng.choice(["nearest", "linear", "cubic", "window"]))}

    return draw


def crossfade(rng: np.random.Generator) -> dict[str, Any]:
    batch, frames, hop = sizes(rng, 3, 6, 9)
    before = rng.normal(size=[batch]) if rng.integers(2) else None
    return {"frames": rng.normal(size=[batch, frames]), "before": before, "hop": hop}


def previous(rng: np.random.Generator) -> dict[str, Any]:
    batch, frames, channels = sizes(rng, 3, 6, 3)
    before = rng.normal(size=[batch, channels]) if rng.integers(2) else None
    return {"frames": rng.normal(size=[batch, frames, channels]), "before": before}


def to_harmonic(rng: np.random.Generator) -> dict[str, Any]:
    batch, frames, count, harmonics = sizes(rng, 3, 4, 6, 5)
    f0_hz = rng.uniform(80, 400, [batch, frames, 1])
    # Away from the middles between harmonics, where the nearest is a matter of rounding.
    ratio = rng.integers(0, harmonics + 2, [batch, frames, count]) + rng.uniform(
        -0.4, 0.4, [batch, frames, count]
    )
    return {
        "amplitudes": rng.uniform(0.1, 1, [batch, frames, count]),
        "frequencies_hz": ratio * f0_hz,
        "f0_hz": f0_hz,
        "n_harmonics": harmonics,
    }


def to_harmonic_by_distance(rng: np.random.Generator) -> dict[str, Any]:
    return {**to_harmonic(rng), "width": float(rng.uniform(0.1, 1.0))}


def to_sinusoidal(rng: np.random.Generator) -> dict[str, Any]:
    batch, frames, harmonics = sizes(rng, 3, 4, 6)
    return {
        "amplitude": rng.uniform(0, 1, [batch, frames, 1]),
        "distribution": rng.uniform(0, 1, [batch, frames, harmonics]),
        "f0_hz": rng.uniform(80, 400, [batch, frames, 1]),
    }


def parts(**more: int) -> Draw:
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        shape = [(), (3,), (2, 3)][rng.integers(3)]
        angle, magnitude = rng.uniform(-np.pi, np.pi, shape), rng.uniform(0.5, 0.99, shape)
        real, imaginary = np.asarray(magnitude * np.cos(angle)), np.asarray(magnitude * np.sin(angle))
        return {"real": real, "imaginary": imaginary, **more}

    return draw


def audio(**more: Any) -> Draw:
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        batch, samples = sizes(rng, 3, 300)
        return {"audio": rng.normal(size=[batch, samples]), **{k: v(rng) for k, v in more.items()}}

    return draw


def transform(rng: np.random.Generator) -> dict[str, Any]:
    batch, windows = int(rng.integers(1, 4)), int(rng.integers(2, 7))
    hop, parts = int(rng.integers(3, 17)), 2
    values = rng.normal(size=[2, batch, windows, parts * hop // 2 + 1])
    values[1][..., [0, -1]] = 0.0  # a real signal's spectra are real at both ends
    longest = (windows - parts + 1) * hop
    n_samples = int(rng.integers(longest + 1))
    return {
        "spectra": values[0] + 1j * values[1],
        "fft_size": parts * hop,
        "hop": hop,
        "n_samples": n_samples,
    }


def numbers(low: float, high: float, name: str) -> Draw:
    """Numbers in a range, in any shape."""
    shapes = [(), (3,), (2, 3), (2, 1, 4)]
    return lambda rng: {name: np.asarray(rng.uniform(low, high, shapes[rng.integers(4)]))}
