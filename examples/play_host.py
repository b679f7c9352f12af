"""The smallest host: the signature `play` of a model file, after docs/model-file.md alone.

Network and synthesizer are one call: pitch and loudness in, sound out. Nothing of this project is imported.

    python examples/play_host.py INSTRUMENT.tflite OUT.wav
"""

import json
import sys
import wave
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter


class Host:
    """An instrument that gives one hop of sound for each frame."""

    def __init__(self, path: str | Path, seed: int = 0) -> None:
        with zipfile.ZipFile(path) as archive:
            self.card: dict[str, Any] = json.loads(archive.read("metadata.json"))
        if not self.card.get("synthesis_state_shapes"):
            sys.exit(f"{path} has no signature play: export it without --no-play")
        flatbuffer = Path(path).read_bytes()[: self.card["model_bytes"]]
        self._play = Interpreter(model_content=flatbuffer, num_threads=1).get_signature_runner("play")
        shapes = {**self.card["state_shapes"], **self.card["synthesis_state_shapes"]}
        self._states = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        self._noises = [name for name in self._play.get_input_details() if name.endswith("_noise")]
        self._random = np.random.default_rng(seed)

    def frame(self, f0_hz: float, loudness_db: float) -> Any:
        """Play one frame; returns `hop` samples, float32."""
        features = {"f0_hz": f0_hz, "loudness_db": loudness_db}
        inputs = {name: np.full([1, 1], value, np.float32) for name, value in features.items()}
        for name in self._noises:
            inputs[name] = self._random.uniform(-1.0, 1.0, [1, self.card["hop"]]).astype(np.float32)
        out = self._play(**inputs, **self._states)
        self._states = {name: out[name] for name in self._states}
        return out["audio"][0]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python examples/play_host.py INSTRUMENT.tflite OUT.wav")
    host = Host(sys.argv[1])
    rate, middle, level = host.card["sample_rate"], host.card["f0_hz_range"], host.card["loudness_db_range"]
    frames = 3 * rate // host.card["hop"]
    loudness = np.linspace(level["low"], level["high"], frames)
    audio = np.concatenate([host.frame(middle["median"], db) for db in loudness])
    with wave.open(sys.argv[2], "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(audio, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())
