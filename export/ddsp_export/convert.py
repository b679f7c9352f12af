"""Keras model to TFLite flatbuffer: builtin operators only.

    python -m ddsp_export.convert RUN OUT.tflite [--options JSON] [--calibration FILE]
        [--float-operators NAME ...]

is what `convert_apart` runs: the converter is C++ that may abort, and must not take the caller with it.
The options are those of the run's task. The calibration file holds inputs of `step`, `[frames, ...]` by name;
with it all values become 8-bit integers, but for those of operators that are to stay float.
"""

import argparse
import json
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.children import module_command
from ddsp_edge.units import Array
from ddsp_export.apart import run_apart
from ddsp_export.exportable import STEP
from ddsp_export.half import halved
from ddsp_export.operators import check_operators, check_ports, is_kind, tidy
from ddsp_tf.errors import DdspError

TIMEOUT_S = 1800
CHILD = module_command("ddsp_export.convert")


def convert_apart(
    run: Path,
    options: Mapping[str, Any],
    calibration: Mapping[str, Array] | None = None,
    float_operators: Sequence[str] = (),
) -> bytes:
    """Convert the model of a run as `convert` does, in a process of its own.

    Args:
        run: The run folder.
        options: Of its task, plain data.
        calibration: None for float32, or inputs of `step` by name, `[frames, ...]`.
        float_operators: Kinds and names of operators that stay float32 in a model of integers.

    Returns:
        The flatbuffer.

    Raises:
        DdspError: If it cannot be converted to builtin operators, or the converter dies.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.tflite"
        command = [*CHILD, str(run), str(out), f"--options={json.dumps(dict(options))}"]
        if float_operators:
            command += ["--float-operators", *float_operators]
        if calibration is not None:
            path = Path(folder) / "calibration.npz"
            values: dict[str, Any] = dict(calibration)
            np.savez(path, **values)
            command += ["--calibration", str(path)]
        run_apart("the converter", command, TIMEOUT_S)
        return out.read_bytes()


def convert(
    model: Any,
    signatures: Mapping[str, Any],
    states: Mapping[str, list[int]],
    calibration: Mapping[str, Array] | None = None,
    float_operators: Sequence[str] = (),
) -> bytes:
    """Convert the signatures of a model; `ddsp_export.exportable.Exportable` says what they are.

    Args:
        model: What has their weights.
        signatures: `tf.function`s by name.
        states: Shape of each state of `step`, by name.
        calibration: None for float32. Inputs of `step` by name, `[frames, ...]`, for integers throughout:
            with them the ranges of all activations are measured. Inputs and outputs stay float32, and `step`
            is the only signature.
        float_operators: Operators that stay float32 in a model of integers: kinds, such as `"EXP"`, and names
            of single ones, as `product_names` gives.

    Returns:
        The flatbuffer.

    Raises:
        DdspError: If the model cannot be converted to builtin operators.
    """
    if calibration is None:
        return halved(tidy(to_flatbuffer(model, signatures), STEP))
    step = signatures[STEP]
    frames = partial(_representative, step, states, calibration)
    return tidy(to_flatbuffer(model, {STEP: step}, frames, float_operators), STEP)


def to_flatbuffer(
    model: Any,
    endpoints: Mapping[str, Any],
    representative: Callable[[], Iterator[Any]] | None = None,
    float_operators: Sequence[str] = (),
) -> bytes:
    """Convert `tf.function`s by the names of their signatures.

    Args:
        model: What has their weights.
        endpoints: The functions, with input signatures.
        representative: None for float32; for integers throughout gives `(signature, inputs)` as they come.
        float_operators: Kinds and names of operators that stay float32 all the same.

    Returns:
        The flatbuffer, of builtin operators.

    Raises:
        DdspError: If they cannot be converted to those.
    """
    import tensorflow as tf

    held = tf.Module()  # Keras would trace the whole model beside, for a signature of its own
    held.weights = [variable.value for variable in model.variables]
    with tempfile.TemporaryDirectory() as folder:
        saved = str(Path(folder) / "saved_model")
        tf.saved_model.save(held, saved, signatures=dict(endpoints))
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=list(endpoints))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if representative is not None:
            converter.target_spec.supported_ops.insert(0, tf.lite.OpsSet.TFLITE_BUILTINS_INT8)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = representative
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if float_operators:
                    kinds = [name for name in float_operators if is_kind(name)]
                    names = [name for name in float_operators if not is_kind(name)]
                    options = tf.lite.experimental.QuantizationDebugOptions(
                        denylisted_ops=kinds, denylisted_nodes=names
                    )
                    debugger = tf.lite.experimental.QuantizationDebugger(
                        converter=converter, debug_options=options
                    )
                    flatbuffer = bytes(debugger.get_nondebug_quantized_model())
                else:
                    flatbuffer = bytes(converter.convert())
        except Exception as error:
            detail = " ".join(str(error).split())[:300]
            raise DdspError(f"the model cannot be converted to TFLite builtins: {detail}") from error
    check_operators(flatbuffer)
    check_ports(flatbuffer)
    return flatbuffer


def _representative(
    step: Any, states: Mapping[str, list[int]], calibration: Mapping[str, Array]
) -> Iterator[tuple[str, dict[str, Array]]]:
    """Frames as they come, with the states that Keras gives them."""
    specs = {spec.name: spec for spec in step.input_signature}
    inputs = [name for name in specs if name not in states]
    state: dict[str, Array] = {name: np.zeros(shape, np.float32) for name, shape in states.items()}
    for values in zip(*(calibration[name] for name in inputs), strict=True):
        frame = {
            name: np.asarray(value, np.float32).reshape(specs[name].shape)
            for name, value in zip(inputs, values, strict=True)
        }
        given = {**frame, **state}
        yield STEP, given
        out = step(*(given[name] for name in specs))
        state = {name: np.asarray(out[name]) for name in states}


def convert_run(
    run: Path,
    options: Mapping[str, Any],
    calibration: Mapping[str, Array] | None = None,
    float_operators: Sequence[str] = (),
) -> bytes:
    """Convert the model of a run in this process; for the rest see `convert` and `convert_apart`."""
    from ddsp_tf.training.run import task_of_run

    exportable = task_of_run(run).exportable(run, options)
    return convert(exportable.model, exportable.signatures(), exportable.states, calibration, float_operators)


def main(arguments: list[str]) -> None:
    """Convert the model of a run and write the flatbuffer."""
    from ddsp_tf.cli.quiet import load_tensorflow

    load_tensorflow()

    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("--calibration", type=Path)
    parser.add_argument("--float-operators", nargs="*", default=())
    given = parser.parse_args(arguments)
    try:
        calibration = dict(np.load(given.calibration)) if given.calibration else None
        flatbuffer = convert_run(given.run, given.options, calibration, given.float_operators)
        given.out.write_bytes(flatbuffer)
    except DdspError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
