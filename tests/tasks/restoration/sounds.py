"""Voices, noises and rooms that a test can make in a moment."""

from pathlib import Path

import numpy as np
import soundfile
import yaml

RATE = 16_000


def voice(seconds: float, seed: int) -> np.ndarray:
    """Vowels of one speaker with pauses: harmonics under formants that jump."""
    rng = np.random.default_rng(seed)
    n = int(seconds * RATE)
    time = np.arange(n) / RATE
    f0 = rng.uniform(90.0, 250.0) * (1.0 + 0.1 * np.sin(2.0 * np.pi * rng.uniform(0.3, 1.0) * time))
    phase = 2.0 * np.pi * np.cumsum(f0) / RATE
    sound = np.zeros(n)
    syllables = np.repeat(rng.random(int(seconds * 5) + 1) < 0.7, RATE // 5)[:n]
    smooth = np.convolve(syllables, np.hanning(800) / 400.0, "same")
    for start in range(0, n, RATE // 5):
        part = slice(start, start + RATE // 5)
        formants = rng.uniform([300.0, 900.0, 2200.0], [800.0, 2000.0, 3000.0])
        for k in range(1, 20):
            hz = k * float(f0[start])
            gain = sum(np.exp(-(((hz - f) / 150.0) ** 2)) for f in formants) + 0.02
            sound[part] += gain * np.sin(k * phase[part])
    return (0.2 * sound * smooth / (np.abs(sound).max() + 1e-9)).astype(np.float32)


def noise(seconds: float, seed: int) -> np.ndarray:
    """Noise of some colour."""
    rng = np.random.default_rng(seed)
    white = np.fft.rfft(rng.standard_normal(int(seconds * RATE)))
    coloured = np.fft.irfft(white / (1.0 + np.arange(len(white)) / rng.uniform(100.0, 30_000.0)))
    return (0.1 * coloured / np.abs(coloured).max()).astype(np.float32)


def room(seed: int) -> np.ndarray:
    """An impulse response of 0.3 s."""
    rng = np.random.default_rng(seed)
    n = int(0.3 * RATE)
    response = 0.05 * rng.standard_normal(n) * np.exp(-np.arange(n) / 900.0)
    response[80] = 0.9
    return response.astype(np.float32)


def write_sources(folder: Path, seconds: float = 5.0) -> list[str]:
    """Write four speakers of two recordings, three noises and two rooms; return options of `prepare`."""
    for group in ("clean", "noise", "rooms"):
        (folder / group).mkdir(parents=True)
    for speaker in range(4):
        for take in range(2):
            path = folder / "clean" / f"speaker-{speaker}-{take}.wav"
            soundfile.write(path, voice(seconds, 10 * speaker + take), RATE)
    for number in range(3):
        soundfile.write(folder / "noise" / f"noise-{number}.wav", noise(seconds, number), RATE)
    for number in range(2):
        soundfile.write(folder / "rooms" / f"room-{number}.wav", room(number), RATE)
    return [word for group in ("clean", "noise", "rooms") for word in (f"--{group}", str(folder / group))]


def settings(**training: object) -> dict:
    """The smallest configuration that learns something."""
    return {
        "task": "restoration",
        "name": "tiny voice",
        "sample_rate": RATE,
        "frame_rate": 125,
        "data": {"passage_seconds": 5.0, "validation_share": 0.25, "together": "clean/(speaker-[0-9]+)"},
        "network": {"dense_units": 24, "units": 32, "channels": 4},
        "training": {
            "steps": 40,
            "steps_per_epoch": 20,
            "batch_size": 4,
            "clip_seconds": 1.0,
            "learning_rate": 0.01,
            "gradient_norm": 1.0,
            **training,
        },
    }


def write_config(path: Path, **training: object) -> Path:
    """Write it as YAML."""
    path.write_text(yaml.safe_dump(settings(**training)), encoding="utf-8")
    return path
