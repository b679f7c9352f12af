"""Call a signature of a model file so many times, with constant inputs: what `count.py` counts.

python calls.py MODEL.tflite SIGNATURE CALLS
"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

VALUES = {"f0_hz": 220.0, "loudness_db": -20.0, "f0_scaled": 0.45, "loudness_scaled": 0.75}
PLAYER = (220.0, 0.45, 0.75)  # the first columns of the input of `voice`; gains of 1 follow

if __name__ == "__main__":
    path, signature, calls = sys.argv[1:]
    run = Interpreter(model_path=path, num_threads=1).get_signature_runner(signature)
    inputs = {
        name: np.full(
            details["shape"], VALUES.get(name, 0.01 if name.endswith("_noise") else 0.0), np.float32
        )
        for name, details in run.get_input_details().items()
    }
    if "player" in inputs:
        inputs["player"][:] = 1.0
        inputs["player"][0, : len(PLAYER)] = PLAYER
    for _ in range(int(calls)):
        out = run(**inputs)
        inputs |= {name: value for name, value in out.items() if name in inputs}
