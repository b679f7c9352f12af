"""Keras model to TFLite flatbuffer: builtin operators only.

    python -m ddsp_export.convert [--play] RUN OUT.tflite [CALIBRATION.npz]

is what `convert_apart` runs: the converter is C++ that may abort, and must not take the caller with it.
CALIBRATION holds `f0_scaled` and `loudness_scaled` `[frames]`; with it all values become 8-bit integers.
"""

import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.units import Array, scale_f0, scale_loudness
from ddsp_export.operators import check_operators, put_first
from ddsp_tf.errors import DdspError

SIGNATURE = "step"
TIMEOUT_S = 1800
CHILD = [sys.executable, "-m", "ddsp_export.convert"]


def output_name(node: str, control: str) -> str:
    """Name of a control among the outputs of `step`."""
    return f"{node}_{control}"


def convert_apart(run: Path, calibration: Any = None, *, play: bool = False) -> bytes:
    """Convert the model of a run as `convert` does, in a process of its own.

    Args:
        run: The run folder.
        calibration: None for float32, or what has `f0_hz` and `loudness_db` `[frames]`, as a `Reference` has.
        play: Whether the synthesizer goes into the model too.

    Returns:
        The flatbuffer.

    Raises:
        DdspError: If it cannot be converted to builtin operators, or the converter dies.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.tflite"
        command = [*CHILD, *(["--play"] if play else []), str(run), str(out)]
        if calibration is not None:
            command.append(str(Path(folder) / "calibration.npz"))
            np.savez(
                command[-1],
                f0_scaled=scale_f0(calibration.f0_hz),
                loudness_scaled=scale_loudness(calibration.loudness_db),
            )
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise DdspError(f"the converter did not end within {TIMEOUT_S} s") from error
        if done.returncode == 0:
            return out.read_bytes()
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1][:300]
    if done.returncode < 0:
        raise DdspError(f"the converter died of {signal.Signals(-done.returncode).name}: {last}")
    raise DdspError(last.removeprefix("error: "))


def convert(model: Any, calibration: dict[str, Array] | None = None, synthesizer: Any = None) -> bytes:
    """Convert one frame of a model's network, and with a synthesizer one hop of its sound.

    The signature `step` takes `f0_scaled` and `loudness_scaled` `[1, 1]` and the decoder's states, and
    gives the controls that the network predicts, `[1, channels]`, and the next states under the same names.
    `synthesize` takes `f0_hz` `[1, 1]`, those controls, white noise `[1, hop]` and the synthesizer's states,
    and gives `audio` `[1, hop]` and the next states. `play` is both: `f0_hz` and `loudness_db` `[1, 1]`,
    noise and all states in, audio and all next states out.

    Args:
        model: The trained `Autoencoder`.
        synthesizer: None for `step` alone, or the `SynthesizerGraph`.
        calibration: None for float32. Scaled features, `[frames]` by name, for integers throughout: with
            them the ranges of all activations are measured. Inputs and outputs stay float32.

    Returns:
        The flatbuffer.

    Raises:
        DdspError: If the model cannot be converted to builtin operators.
    """
    import keras
    import tensorflow as tf

    from ddsp_tf.models.autoencoder import FEATURES
    from ddsp_tf.models.scaling import scale_f0 as scale_f0_tensor
    from ddsp_tf.models.scaling import scale_loudness as scale_loudness_tensor

    states = model.decoder.state_sizes

    def endpoint(sizes: dict[str, int], function: Any) -> Any:
        """A graph of `function`, which takes tensors `[1, size]` by name and gives some by name."""
        specification = [tf.TensorSpec([1, size], tf.float32, name=name) for name, size in sizes.items()]

        @tf.function(input_signature=specification)
        def run(*tensors: Any) -> dict[str, Any]:
            return dict(function(dict(zip(sizes, tensors, strict=True))))

        return run

    def controls_and_states(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        inputs = {name: given[name] for name in model.decoder.input_names}
        controls, next_states = model.step(inputs, {name: given[name] for name in states})
        named = {
            output_name(node.name, control): controls[node.name][control]
            for node in model.processors.nodes
            for control in controls[node.name]
            if node.inputs.get(control) not in FEATURES
        }
        return named, next_states

    def play_step(given: dict[str, Any]) -> dict[str, Any]:
        controls, next_states = controls_and_states(given)
        return {**controls, **next_states}

    def play_synthesizer(given: dict[str, Any]) -> dict[str, Any]:
        audio, next_states = synthesizer.run(given, given)
        return {"audio": audio, **next_states}

    def play_all(given: dict[str, Any]) -> dict[str, Any]:
        features = {
            "f0_scaled": scale_f0_tensor(given["f0_hz"]),
            "loudness_scaled": scale_loudness_tensor(given["loudness_db"]),
        }
        controls, next_states = controls_and_states({**given, **features})
        return {**next_states, **play_synthesizer({**given, **controls})}

    step = endpoint({**dict.fromkeys(model.decoder.input_names, 1), **states}, play_step)
    endpoints = {SIGNATURE: step}
    if synthesizer is not None:
        own = {**synthesizer.noises, **synthesizer.states}
        controls = {
            name: int(value.shape[-1])
            for name, value in step.get_concrete_function().structured_outputs.items()
            if name not in states
        }
        endpoints["synthesize"] = endpoint({"f0_hz": 1, **controls, **own}, play_synthesizer)
        endpoints["play"] = endpoint({"f0_hz": 1, "loudness_db": 1, **states, **own}, play_all)

    def representative() -> Iterator[tuple[str, dict[str, Array]]]:
        """Frames as they come, with the states that Keras gives them."""
        state = {name: np.zeros([1, size], np.float32) for name, size in states.items()}
        for values in zip(*((calibration or {})[name] for name in model.decoder.input_names), strict=True):
            inputs = {
                name: np.full([1, 1], value, np.float32)
                for name, value in zip(model.decoder.input_names, values, strict=True)
            }
            yield SIGNATURE, {**inputs, **state}
            out = step(*inputs.values(), *state.values())
            state = {name: np.asarray(out[name]) for name in states}

    with tempfile.TemporaryDirectory() as folder:
        saved = str(Path(folder) / "saved_model")
        archive = keras.export.ExportArchive()
        archive.track(model)
        for name, function in endpoints.items():
            archive.add_endpoint(name, function)
        archive.write_out(saved, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=list(endpoints))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if calibration is not None:
            converter.target_spec.supported_ops.insert(0, tf.lite.OpsSet.TFLITE_BUILTINS_INT8)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = representative
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                flatbuffer = bytes(converter.convert())
        except Exception as error:
            detail = " ".join(str(error).split())[:300]
            raise DdspError(f"the model cannot be converted to TFLite builtins: {detail}") from error
    check_operators(flatbuffer)
    return put_first(flatbuffer, SIGNATURE)


def main(arguments: list[str]) -> None:
    """Convert the model of a run and write the flatbuffer."""
    from ddsp_tf.cli.quiet import load_tensorflow

    load_tensorflow()

    from ddsp_export.describe import describe
    from ddsp_export.graph import SynthesizerGraph
    from ddsp_tf.training.run import load_model_of_run

    play = arguments[0] == "--play"
    run, out, *calibration = arguments[1:] if play else arguments
    try:
        model = load_model_of_run(Path(run))
        synthesizer = None
        if play:
            card, arrays = describe(model)
            synthesizer = SynthesizerGraph(model.spec, card.synthesizer, arrays)
        given = dict(np.load(calibration[0])) if calibration else None
        Path(out).write_bytes(convert(model, given, synthesizer))
    except DdspError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
