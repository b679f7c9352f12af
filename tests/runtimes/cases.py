"""What is played on what."""

RUNTIMES = {
    "ai-edge-litert 1.0": ["ai-edge-litert==1.0.1", "numpy==1.26.4"],
    "ai-edge-litert 1.4": ["ai-edge-litert==1.4.0"],
    "ai-edge-litert 2.0": ["ai-edge-litert==2.0.3"],
    "tflite-runtime 2.14": ["tflite-runtime==2.14.0", "numpy==1.26.4"],
}
"""What is installed in front of the newest runtime, which `constraints.txt` names. The first release and
tflite-runtime were built for numpy 1."""

EXPORTS: dict[str, dict[str, str]] = {
    "default": {},
    "runtime-2.14": {"runtime": "2.14"},
    "int8-weights": {"quantize": "int8-weights"},
    "float16": {"quantize": "float16"},
    "float32": {"quantize": "float32"},
}
"""Arguments of `ddsp_export.export.export`, by the name of the file."""
