"""A host from scratch: play a model file with numpy and LiteRT, after docs/model-file.md alone.

Nothing of this project is imported. It is written to be read, not to be fast, and plays a whole
sequence at once; `ddsp_edge` is the one to use.

    python examples/minimal_host.py INSTRUMENT.tflite OUT.wav
"""

import json
import sys
import wave
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

Array = np.ndarray


def load(path: str | Path) -> tuple[Any, dict[str, Any], dict[str, Array]]:
    """Read a model file: the runner of its signature `step`, its card and its arrays."""
    with zipfile.ZipFile(path) as archive:
        card = json.loads(archive.read("metadata.json"))
        arrays = {}
        for name, shape in card["arrays"].items():
            half = f"{name}.f16" in archive.namelist()
            data = archive.read(f"{name}.f16" if half else f"{name}.f32")
            arrays[name] = np.frombuffer(data, "<f2" if half else "<f4").astype(np.float32).reshape(shape)
    flatbuffer = Path(path).read_bytes()[: card["model_bytes"]]
    return Interpreter(model_content=flatbuffer).get_signature_runner("step"), card, arrays


def predict(runner: Any, card: dict[str, Any], f0_hz: Array, loudness_db: Array) -> dict[str, Array]:
    """Run the network frame by frame; return the controls `[frames, channels]` by name."""
    f0_scaled = np.clip((69.0 + 12.0 * np.log2(f0_hz / 440.0)) / 127.0, 0.0, 1.0).astype(np.float32)
    loudness_scaled = np.clip(loudness_db / 80.0 + 1.0, 0.0, 1.25).astype(np.float32)
    states = {name: np.zeros(shape, np.float32) for name, shape in card["state_shapes"].items()}
    frames = []
    for f0, loudness in zip(f0_scaled, loudness_scaled, strict=True):
        out = runner(f0_scaled=f0.reshape(1, 1), loudness_scaled=loudness.reshape(1, 1), **states)
        states = {name: out.pop(name) for name in states}
        frames.append(out)
    controls = {name: np.concatenate([frame[name] for frame in frames]) for name in frames[0]}
    return {"f0_hz": f0_hz[:, None], **controls}


def harmonic(amplitude: Array, distribution: Array, f0_hz: Array, rate: int, hop: int) -> Array:
    """Render harmonics: frequency linear, amplitudes along a raised cosine, from frame to frame."""
    f0, amplitudes = f0_hz[:, 0].astype(np.float64), (amplitude * distribution).astype(np.float64)
    f0_before = np.concatenate([f0[:1], f0[:-1]])
    before = np.concatenate([amplitudes[:1], amplitudes[:-1]])
    ends = np.cumsum(hop * (f0_before + f0) / (2 * rate))
    starts = np.concatenate([[0.0], ends[:-1]])
    n = np.arange(hop)
    k = np.arange(1, amplitudes.shape[1] + 1)
    w = 0.5 - 0.5 * np.cos(np.pi * n / hop)
    out = []
    for i in range(len(f0)):
        cycles = starts[i] + (f0_before[i] * n + (f0[i] - f0_before[i]) * n**2 / (2 * hop)) / rate
        sines = np.sin(2 * np.pi * (k * cycles[:, None] % 1.0))
        out.append((1 - w) * (sines @ before[i]) + w * (sines @ amplitudes[i]))
    return np.concatenate(out)


def filtered_noise(magnitudes: Array, noise: Array, hop: int) -> Array:
    """Filter each hop of noise by the magnitudes of its frame; the tails overlap and add."""
    taps = 2 * (magnitudes.shape[1] - 1)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(taps) / taps)
    out = np.zeros(len(noise) + taps)
    for i, response in enumerate(magnitudes):
        impulse = np.roll(np.fft.irfft(response, taps), taps // 2) * window
        out[i * hop : (i + 1) * hop + taps - 1] += np.convolve(noise[i * hop : (i + 1) * hop], impulse)
    return out[: len(noise)]


def convolve(audio: Array, response: Array) -> Array:
    """Convolve with an impulse response, as long as the input and without delay."""
    size = len(audio) + len(response)
    return np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(response, size), size)[: len(audio)]


def mix(audio_0: Array, audio_1: Array, level: Array, hop: int) -> Array:
    """Crossfade two signals by a level that moves along a raised cosine."""
    now = level[:, 0]
    before = np.concatenate([now[:1], now[:-1]])
    w = 0.5 - 0.5 * np.cos(np.pi * np.arange(hop) / hop)
    gain = (before[:, None] + (now - before)[:, None] * w).reshape(-1)
    return gain * audio_0 + (1 - gain) * audio_1


def synthesize(
    card: dict[str, Any], arrays: dict[str, Array], controls: dict[str, Array], noise: dict[str, Array]
) -> Array:
    """Run the nodes of the card in their order; `noise` is white, in [-1, 1), by node."""
    rate, hop = card["sample_rate"], card["hop"]
    signals: dict[str, Array] = {}
    for node in card["synthesizer"]["nodes"]:
        name, config = node["name"], node["config"]
        given = {
            key: signals[source] if source in signals else controls[source]
            for key, source in node["inputs"].items()
        }
        if node["type"] == "Harmonic":
            signals[name] = harmonic(**given, rate=rate, hop=hop)
        elif node["type"] == "FilteredNoise":
            signals[name] = filtered_noise(**given, noise=noise[name], hop=hop)
        elif node["type"] == "Reverb":
            signals[name] = convolve(given["audio"], arrays[config["impulse_response"]])
        elif node["type"] == "Mix":
            signals[name] = mix(**given, hop=hop)
        else:  # Add
            signals[name] = np.sum(list(given.values()), axis=0)
    return signals[card["synthesizer"]["output"]]


def main(instrument: str, out: str) -> None:
    """Play a crescendo of three seconds on the instrument's middle note."""
    runner, card, arrays = load(instrument)
    rate, hop = card["sample_rate"], card["hop"]
    frames = 3 * rate // hop
    f0_hz = np.full(frames, card["f0_hz_range"]["median"])
    loudness_db = np.linspace(card["loudness_db_range"]["low"], card["loudness_db_range"]["high"], frames)
    controls = predict(runner, card, f0_hz, loudness_db)
    rng = np.random.default_rng(0)
    noise = {node["name"]: rng.uniform(-1.0, 1.0, frames * hop) for node in card["synthesizer"]["nodes"]}
    audio = synthesize(card, arrays, controls, noise)
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(audio, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python examples/minimal_host.py INSTRUMENT.tflite OUT.wav")
    main(*sys.argv[1:])
