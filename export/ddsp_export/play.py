"""Play a model file as a device does, in a process that cannot import TensorFlow.

    python -m ddsp_export.play MODEL.tflite FEATURES.npz RESULT.npz

FEATURES holds `f0_hz` and `loudness_db` `[frames]` and, for each noise node, `NODE_noise` `[frames * hop]`.
RESULT gets the controls, the audio of one piece, the audio of one hop after the other, and timings.
"""

import sys
import time
from typing import Any

BLOCKED = ("tensorflow", "keras", "tf_keras", "librosa", "scipy", "jax", "torch")


def main(model: str, features: str, result: str) -> None:
    """Play `features` through `model` and write what came out to `result`."""
    for name in BLOCKED:
        sys.modules[name] = None  # type: ignore[assignment]  # this is how Python is told 'not here'

    import numpy as np

    from ddsp_edge.instrument import Instrument

    given = dict(np.load(features))
    instrument = Instrument(model, seed=0)
    started = time.process_time()
    controls = instrument.controls(given["f0_hz"], given["loudness_db"])
    network_seconds = time.process_time() - started
    noise = {name: given[name] for name in given if name not in ("f0_hz", "loudness_db")}

    hop = instrument.spec.hop
    frames = len(given["f0_hz"])
    audio = instrument.render({**controls, **noise})
    instrument.synthesizer.reset()
    hops = [
        instrument.render(
            {
                **{name: values[i : i + 1] for name, values in controls.items()},
                **{name: values[i * hop : (i + 1) * hop] for name, values in noise.items()},
            }
        )
        for i in range(frames)
    ]
    instrument.reset()
    started = time.process_time()
    for i in range(frames):
        instrument.process(given["f0_hz"][i : i + 1], given["loudness_db"][i : i + 1])
    live_seconds = time.process_time() - started
    loaded = sorted(name for name in BLOCKED if sys.modules.get(name) is not None)
    measured: dict[str, Any] = {
        "audio": audio,
        "audio_by_hops": np.concatenate(hops),
        "network_seconds": network_seconds,
        "live_seconds": live_seconds,
        "loaded": np.array(loaded, dtype=str),
        **{f"control_{name}": values for name, values in controls.items()},
    }
    np.savez(result, **measured)


if __name__ == "__main__":
    main(*sys.argv[1:])
