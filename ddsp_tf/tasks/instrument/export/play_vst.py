"""Play a file as DDSP-VST does, in a process that cannot import TensorFlow.

    python -m ddsp_tf.tasks.instrument.export.play_vst MODEL.tflite GIVEN.npz RESULT.npz

GIVEN holds `f0_scaled` and `pw_scaled` `[frames]`; RESULT gets the outputs `[frames, channels]` by the names
of their tensors. Tensors are looked for by name and checked for shape, as the plug-in does; the metadata is
read from the zip at the end.
"""

import json
import sys
import zipfile
from typing import Any

from ddsp_tf.tasks.instrument.export.play import BLOCKED

INPUTS: dict[str, list[int]] = {"call_f0_scaled:0": [1], "call_pw_scaled:0": [1], "call_state:0": [512]}
AMPLITUDE = "StatefulPartitionedCall:0"
OUTPUTS: dict[str, list[int]] = {
    AMPLITUDE: [],  # or [1], as in files of the web trainer
    "StatefulPartitionedCall:1": [60],
    "StatefulPartitionedCall:2": [65],
    "StatefulPartitionedCall:3": [512],
}
METADATA = (
    "mean_min_pitch_note",
    "mean_max_pitch_note",
    "mean_min_pitch_note_hz",
    "mean_max_pitch_note_hz",
    "mean_min_power_note",
    "mean_max_power_note",
    "version",
    "export_time",
    "num_harmonics",
    "num_noise_amps",
    "frame_rate",
    "frame_size",
    "sample_rate",
)


def main(model: str, given: str, result: str) -> None:
    """Play the features of `given` through `model` and write what came out to `result`."""
    for name in BLOCKED:
        sys.modules[name] = None  # type: ignore[assignment]  # this is how Python is told 'not here'

    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    with zipfile.ZipFile(model) as archive:
        metadata = json.loads(archive.read("metadata.json"))
    missing = [name for name in METADATA if name not in metadata]
    if missing:
        sys.exit(f"metadata.json lacks {', '.join(missing)}")
    interpreter = Interpreter(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    inputs = find(interpreter.get_input_details(), INPUTS)
    outputs = find(interpreter.get_output_details(), OUTPUTS)
    values = np.load(given)
    state = np.zeros(INPUTS["call_state:0"], np.float32)
    rows: dict[str, list[Any]] = {name: [] for name in OUTPUTS}
    for f0, power in zip(values["f0_scaled"], values["pw_scaled"], strict=True):
        interpreter.set_tensor(inputs["call_f0_scaled:0"], np.array([f0], np.float32))
        interpreter.set_tensor(inputs["call_pw_scaled:0"], np.array([power], np.float32))
        interpreter.set_tensor(inputs["call_state:0"], state)
        interpreter.invoke()
        for name, index in outputs.items():
            rows[name].append(interpreter.get_tensor(index).reshape(-1))
        state = rows["StatefulPartitionedCall:3"][-1]
    measured: dict[str, Any] = {name: np.array(row) for name, row in rows.items()}
    np.savez(result, **measured)


def find(details: list[dict[str, Any]], wanted: dict[str, list[int]]) -> dict[str, int]:
    """Numbers of tensors by name; ends the process if one is missing or has another shape or type."""
    have = {d["name"]: d for d in details}
    if set(have) != set(wanted):
        sys.exit(f"tensors are {', '.join(sorted(have))}, not {', '.join(sorted(wanted))}")
    for name, shape in wanted.items():
        shapes = (shape, [1]) if name == AMPLITUDE else (shape,)
        if list(have[name]["shape"]) not in shapes or have[name]["dtype"].__name__ != "float32":
            sys.exit(f"{name} is {have[name]['dtype'].__name__} {list(have[name]['shape'])}, not {shape}")
    return {name: int(have[name]["index"]) for name in wanted}


if __name__ == "__main__":
    main(*sys.argv[1:])
