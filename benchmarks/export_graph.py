"""The synthesizer inside a model file: its bytes, and CPU time a hop on one thread.

python benchmarks/export_graph.py

Needs no dataset: controls are constant, and neither size nor time depends on them.
"""

import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from ddsp_export.graph import SynthesizerGraph
from ddsp_export.half import halved
from ddsp_tf.frames import FrameSpec

CASES = ((16_000, 64, 100), (16_000, 128, 60), (16_000, 320, 60), (48_000, 192, 100))
BANDS = 65
ROUNDS, CALLS = 9, 400


def nodes(harmonics: int, room: bool) -> dict[str, Any]:
    """Harmonics and noise, with a room or without."""
    controls = {"amplitude": "amplitude", "distribution": "distribution", "f0_hz": "f0_hz"}
    made: list[dict[str, Any]] = [
        {"name": "harmonic", "type": "Harmonic", "config": {"n_harmonics": harmonics}, "inputs": controls},
        {
            "name": "noise",
            "type": "FilteredNoise",
            "config": {"n_bands": BANDS},
            "inputs": {"magnitudes": "magnitudes"},
        },
        {
            "name": "dry",
            "type": "Add",
            "config": {},
            "inputs": {"audio_0": "harmonic", "audio_1": "noise"},
        },
    ]
    if room:
        config = {"impulse_response": "response"}
        made.append({"name": "room", "type": "Reverb", "config": config, "inputs": {"audio": "dry"}})
    return {"nodes": made, "output": made[-1]["name"]}


def convert(spec: FrameSpec, harmonics: int, room: bool) -> bytes:
    """The flatbuffer of one hop."""
    response = np.random.default_rng(0).normal(size=spec.sample_rate) / np.sqrt(spec.sample_rate)
    response *= 10.0 ** (-3.0 * np.arange(spec.sample_rate) / spec.sample_rate)
    response[0] = 1.0
    graph = SynthesizerGraph(spec, nodes(harmonics, room), {"response": response})
    controls = {"f0_hz": 1, "amplitude": 1, "distribution": harmonics, "magnitudes": BANDS}
    sizes = {**controls, **graph.noises, **graph.states}

    @tf.function(
        input_signature=[tf.TensorSpec([1, size], tf.float32, name=name) for name, size in sizes.items()]
    )
    def synthesize(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        given = dict(zip(sizes, tensors, strict=True))
        audio, states = graph.run(given, given)
        return {"audio": audio, **states}

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(tf.Module(), folder, signatures={"synthesize": synthesize})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["synthesize"])
        return halved(bytes(converter.convert()))


def timer(flatbuffer: bytes) -> Callable[[], float]:
    """A function that gives the mean CPU time of a call in microseconds."""
    interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
    interpreter.allocate_tensors()
    for details in interpreter.get_input_details():
        value = 220.0 if details["name"].endswith("f0_hz:0") else 0.01
        interpreter.set_tensor(details["index"], np.full(details["shape"], value, np.float32))

    def run() -> float:
        began = time.process_time()
        for _ in range(CALLS):
            interpreter.invoke()
        return 1e6 * (time.process_time() - began) / CALLS

    return run


def main() -> None:
    """Print size and time of all cases; the least of several rounds, which other work disturbs least."""
    cases = {
        (*case, room): convert(FrameSpec(*case[:2]), case[2], room)
        for case in CASES
        for room in (False, True)
    }
    timers = {case: timer(flatbuffer) for case, flatbuffer in cases.items()}
    best = dict.fromkeys(cases, np.inf)
    for _ in range(ROUNDS):
        for case, run in timers.items():
            best[case] = min(best[case], run())
    for (rate, hop, harmonics, room), flatbuffer in cases.items():
        us = best[rate, hop, harmonics, room]
        where = "room of 1 s" if room else "no room"
        print(
            f"{rate} Hz, hop {hop}, {harmonics} harmonics, {where}: {len(flatbuffer) / 1e3:.0f} kB, "
            f"{us:.1f} us a hop, {1e6 * hop / rate / us:.0f} times real time"
        )


if __name__ == "__main__":
    main()
