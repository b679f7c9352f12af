"""Play the tiny instrument, and keep what came out. Run on x86-64:

python -m tests.device.data.make_reference
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ddsp_edge import Instrument
from ddsp_edge.live import KeySettings
from ddsp_edge.live.voices import VoiceBank

HERE = Path(__file__).parent
REFERENCE = HERE / "tiny-reference.npz"
FRAMES = 100


def play(path: str | Path) -> dict[str, Any]:
    """Features, noise, controls and sound of a short phrase: the device's synthesizer, `play` and `voice`."""
    instrument = Instrument(path)
    card, hop = instrument.card, instrument.spec.hop
    f0_hz = np.float32(300.0) * np.exp2(np.sin(np.arange(FRAMES) / 10.0) / 6.0).astype(np.float32)
    loudness_db = (-25.0 + 15.0 * np.sin(np.arange(FRAMES) / 20.0)).astype(np.float32)
    noise = np.random.default_rng(0).uniform(-1.0, 1.0, [FRAMES, hop]).astype(np.float32)
    controls = instrument.controls(f0_hz, loudness_db)
    audio = instrument.render({**controls, "noise_noise": noise.ravel()})

    run = Interpreter(model_path=str(path), num_threads=1).get_signature_runner("play")
    shapes = {**card.state_shapes, **card.synthesis_state_shapes}
    states = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    hops = []
    for i in range(FRAMES):
        features = {"f0_hz": f0_hz[i].reshape(1, 1), "loudness_db": loudness_db[i].reshape(1, 1)}
        out = run(**features, noise_noise=noise[i : i + 1], **states)
        states = {name: out[name] for name in states}
        hops.append(out["audio"][0])
    return {
        "f0_hz": f0_hz,
        "noise": noise,
        "audio": audio,
        "audio_by_play": np.concatenate(hops),
        "audio_by_voices": VoiceBank(path, 1, seed=0, backend="graph").play(
            f0_hz, loudness_db, KeySettings()
        ),
        **{f"control_{name}": values for name, values in controls.items() if name != "f0_hz"},
    }


if __name__ == "__main__":
    if len(sys.argv) != 1:
        sys.exit("usage: python -m tests.device.data.make_reference")
    np.savez_compressed(REFERENCE, **play(HERE / "tiny-instrument.tflite"))
