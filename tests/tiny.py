"""The smallest instrument that is one: its configuration, its sound, and how tests play it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ddsp_edge.units import Array

RATE, FRAME_RATE, HOP = 16_000, 125, 128
STEPS, PER_EPOCH = 6, 2
NOTES_HZ = (220.0, 246.94, 261.63, 293.66, 329.63, 246.94, 196.0, 220.0)
PARTIALS = (1.0, 0.5, 0.25, 0.12)  # amplitudes, of the instrument that the recording is of


def settings(**changes: Any) -> dict[str, Any]:
    """The configuration as plain data; a change is a section's keys, or a top-level value."""
    harmonic = {"amplitude": "amplitude", "distribution": "distribution", "f0_hz": "f0_hz"}
    values: dict[str, Any] = {
        "name": "tiny",
        "sample_rate": RATE,
        "frame_rate": FRAME_RATE,
        "data": {"f0": "pyin", "f0_min_hz": 150.0, "f0_max_hz": 500.0, "passage_seconds": 2.0},
        "model": {
            "decoder": {"type": "GruDecoder", "units": 8, "layer_units": 8, "layers": 1},
            "processors": {
                "inputs": ["f0_hz", "amplitude", "distribution", "magnitudes"],
                "nodes": [
                    {
                        "name": "harmonic",
                        "type": "Harmonic",
                        "config": {"n_harmonics": 5},
                        "inputs": harmonic,
                    },
                    {
                        "name": "noise",
                        "type": "FilteredNoise",
                        "config": {"n_bands": 9},
                        "inputs": {"magnitudes": "magnitudes"},
                    },
                    {"name": "dry", "type": "Add", "inputs": {"audio_0": "harmonic", "audio_1": "noise"}},
                    {
                        "name": "reverb",
                        "type": "Reverb",
                        "config": {"length_samples": 300},
                        "inputs": {"audio": "dry"},
                    },
                ],
            },
        },
        "loss": {"fft_sizes": [256, 64]},
        "training": {
            "steps": STEPS,
            "steps_per_epoch": PER_EPOCH,
            "batch_size": 2,
            "clip_seconds": 0.5,
            "learning_rate": 0.01,
        },
    }
    for key, change in changes.items():
        values[key] = {**values.get(key, {}), **change} if isinstance(change, Mapping) else change
    return values


def without_noise() -> dict[str, Any]:
    """The configuration of an instrument whose sound is a function of its features alone."""
    nodes = settings()["model"]["processors"]["nodes"]
    kept = [
        nodes[0],
        {
            "name": "reverb",
            "type": "Reverb",
            "config": {"length_samples": 300},
            "inputs": {"audio": "harmonic"},
        },
    ]
    decoder = settings()["model"]["decoder"]
    processors = {"inputs": ["f0_hz", "amplitude", "distribution"], "nodes": kept}
    return settings(model={"decoder": decoder, "processors": processors})


def config(**changes: Any) -> Any:
    """The configuration, checked."""
    from ddsp_tf.config import Config

    return Config.from_dict(settings(**changes))


def write_config(path: Path, values: dict[str, Any] | None = None) -> Path:
    """Write a configuration as YAML."""
    import yaml

    path.write_text(yaml.safe_dump(values or settings()), encoding="utf-8")
    return path


def phrase(seconds: float, rate: int = RATE) -> Array:
    """Notes of one second with vibrato, of harmonics that are known, float64 `[n]`."""
    t = np.arange(round(seconds * rate)) / rate
    note = np.floor(t).astype(int) % len(NOTES_HZ)
    f0_hz = np.take(NOTES_HZ, note) * 2.0 ** (0.02 * np.sin(2.0 * np.pi * 5.5 * t))
    phase = 2.0 * np.pi * np.cumsum(f0_hz) / rate
    level = np.minimum(1.0, 20.0 * (t % 1.0)) * np.minimum(1.0, 20.0 * (1.0 - t % 1.0))
    tone = sum(a * np.sin((k + 1) * phase) for k, a in enumerate(PARTIALS))
    hiss = 0.02 * np.random.default_rng(0).uniform(-1.0, 1.0, len(t))
    return np.asarray(level * (0.25 * tone + hiss))


def swelling_phrase(seconds: float, rate: int = RATE, partials: int = 16) -> Array:
    """Notes whose overtones come and go, whatever the pitch and the loudness, and whose ends are breath."""
    t = np.arange(round(seconds * rate)) / rate
    note = np.floor(1.7 * t).astype(int) % len(NOTES_HZ)
    phase = 2.0 * np.pi * np.cumsum(np.take(NOTES_HZ, note)) / rate
    share = 0.55 + 0.3 * np.sin(2.0 * np.pi * 0.37 * t)  # of the amplitude of a partial that the next one has
    tone = sum(share**k * np.sin((k + 1) * phase) for k in range(partials))
    tone = tone * np.sqrt(1.0 - share**2)  # as loud, be it bright or dull
    level = 0.25 * 10.0 ** (0.4 * np.sin(2.0 * np.pi * 0.11 * t))
    hiss = np.random.default_rng(0).uniform(-1.0, 1.0, len(t))
    return np.asarray(np.where(1.7 * t % 1.0 < 0.85, level * tone + 0.002 * hiss, 0.02 * hiss))


def write_phrase(path: Path, seconds: float, rate: int = RATE) -> Path:
    """Write `phrase` as a sound file."""
    soundfile.write(path, phrase(seconds, rate), rate)
    return path


def features(frames: int, batch: int = 1, seed: int = 0) -> dict[str, Any]:
    """Smooth random features of a phrase, float32 `[batch, frames, 1]` each."""
    rng = np.random.default_rng(seed)

    def walk(low: float, high: float) -> Array:
        steps = np.cumsum(rng.normal(size=[batch, frames, 1]), axis=1)
        return (low + (high - low) * (0.5 + 0.5 * np.sin(0.2 * steps))).astype(np.float32)

    return {"f0_hz": walk(180.0, 400.0), "loudness_db": walk(-60.0, -10.0)}
