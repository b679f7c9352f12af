"""Export for DDSP-VST: a run in, one verified file for the plug-in out."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.units import Array, scale_f0
from ddsp_export.apart import play_apart
from ddsp_export.candidate import candidate_for, check_out
from ddsp_export.operators import check_operators
from ddsp_export.quantize import quantize_weights
from ddsp_export.runtimes import check_vst_quantization
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.instrument.excerpts import load_excerpts
from ddsp_tf.tasks.instrument.export.describe import load_to_export
from ddsp_tf.tasks.instrument.export.gate import CONTROL_BOUNDS, GATE_SECONDS
from ddsp_tf.tasks.instrument.export.vst import (
    OUTPUTS,
    PowerMap,
    check_fits,
    convert_vst_apart,
    describe_for_vst,
    expected_by_vst,
    measure_power_map,
)

METADATA_NAME = "metadata.json"


def export_vst(
    run: Path,
    out: Path,
    quantize: str = "float32",
    *,
    instrument: str | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Export the model of a run for DDSP-VST, verified against Keras before the file gets its name.

    Args:
        run: The run folder, of a model with the sizes of `configs/ddsp_vst.yaml`. Its room is left out.
        out: Where to; ends in `.tflite`.
        quantize: `"float32"` or `"float16"`.
        instrument: Of a model of several: which, or which mix.
        progress: Called with a few words before each stage.

    Returns:
        The metadata written; what was measured is under `["ddsp_tf"]["quality"]`.

    Raises:
        DdspError: If the plug-in has no room for the model, or the file does not pass; no file is left then.
    """
    check_vst_quantization(quantize)
    check_out(out)
    model = load_to_export(run, instrument)
    check_fits(model)
    excerpts = load_excerpts(run)
    power_map = PowerMap(0.0, 0.0) if model.level == "power" else measure_power_map(excerpts)
    with candidate_for(out) as candidate:
        progress("converting to TFLite")
        flatbuffer = convert_vst_apart(run, power_map.offset_db, power_map.slope_db, instrument=instrument)
        flatbuffer = quantize_weights(flatbuffer, quantize)
        operators = check_operators(flatbuffer)
        frames = max(model.spec.frames_for(GATE_SECONDS), len(excerpts.f0_hz))
        f0_scaled = np.resize(scale_f0(excerpts.f0_hz), frames).astype(np.float32)
        pw_scaled = np.resize(excerpts.power_db / 80.0 + 1.0, frames).astype(np.float32)
        expected = expected_by_vst(model, power_map, f0_scaled, pw_scaled)
        metadata = describe_for_vst(model, excerpts, power_map)
        _write(candidate, flatbuffer, metadata)
        progress("playing it as the plug-in does, without TensorFlow, and comparing")
        played = _play(candidate, f0_scaled, pw_scaled)
        error = max(float(np.abs(played[name] - value).max()) for name, value in expected.items())
        if not error <= CONTROL_BOUNDS[quantize]:
            raise DdspError(
                f"the controls differ from Keras by {error:.3g}; at most {CONTROL_BOUNDS[quantize]:g} is "
                "allowed"
            )
        metadata["ddsp_tf"]["quantization"] = quantize
        metadata["ddsp_tf"]["quality"] = {
            "seconds_verified": model.spec.seconds(frames),
            "control_error_max": error,
            "operators": operators,
        }
        _write(candidate, flatbuffer, metadata)
        _play(candidate, f0_scaled[:1], pw_scaled[:1])
    return metadata


def _write(path: Path, flatbuffer: bytes, metadata: dict[str, Any]) -> None:
    path.write_bytes(flatbuffer)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(METADATA_NAME, json.dumps(metadata, indent=1, allow_nan=False))


def _play(path: Path, f0_scaled: Array, pw_scaled: Array) -> dict[str, Array]:
    """Outputs `[frames, channels]` by the keys of `OUTPUTS`, from a process without TensorFlow."""
    given = {"f0_scaled": f0_scaled, "pw_scaled": pw_scaled}
    played = play_apart(
        "ddsp_tf.tasks.instrument.export.play_vst",
        path,
        given,
        "the file does not play as DDSP-VST plays it without TensorFlow",
    )
    return {name: played[OUTPUTS[name]] for name in OUTPUTS}
