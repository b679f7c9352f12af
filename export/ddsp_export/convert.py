"""Keras model to TFLite flatbuffer: builtin operators only.

    python -m ddsp_export.convert RUN OUT.tflite [--instrument MIX] [--play] [--dry]
        [--calibration FILE] [--float-operators NAME ...] [--vst OFFSET,SLOPE]

is what `convert_apart` runs: the converter is C++ that may abort, and must not take the caller with it.
The calibration file holds `f0_scaled` and `loudness_scaled` `[frames]`; with it all values become 8-bit
integers, but for those of operators that are to stay float.
"""

import argparse
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.units import Array, scale_f0, scale_loudness
from ddsp_export.apart import run_apart
from ddsp_export.operators import check_operators, check_ports, is_kind, tidy
from ddsp_tf.errors import DdspError

STEP = "step"
SCALED = ("f0_scaled", "loudness_scaled")
TIMEOUT_S = 1800
CHILD = [sys.executable, "-m", "ddsp_export.convert"]


def convert_apart(
    run: Path,
    calibration: Any = None,
    *,
    instrument: str | None = None,
    play: bool = False,
    dry: bool = False,
    float_operators: Sequence[str] = (),
) -> bytes:
    """Convert the model of a run as `convert` does, in a process of its own.

    Args:
        run: The run folder.
        calibration: None for float32, or what has `f0_hz` and `loudness_db` `[frames]`, as `Excerpts` have.
        instrument: Of a model of several: which, or which mix.
        play: Whether the synthesizer goes into the model too.
        dry: Whether the synthesizer's rooms are left out.
        float_operators: Kinds and names of operators that stay float32 in a model of integers.

    Returns:
        The flatbuffer.

    Raises:
        DdspError: If it cannot be converted to builtin operators, or the converter dies.
    """
    options = [*_named(instrument), *(["--play"] if play else []), *(["--dry"] if dry else [])]
    if float_operators:
        options += ["--float-operators", *float_operators]
    return _apart(run, options, None if calibration is None else scaled_features(calibration))


def scaled_features(features: Any) -> dict[str, Array]:
    """Inputs of the network `[frames]` by name, of what has `f0_hz` and `loudness_db`."""
    return {
        "f0_scaled": scale_f0(features.f0_hz),
        "loudness_scaled": scale_loudness(features.loudness_db),
    }


def convert_vst_apart(
    run: Path, offset_db: float, slope_db: float, *, instrument: str | None = None
) -> bytes:
    """Convert the model of a run for DDSP-VST, in a process of its own; see `ddsp_tf.tasks.instrument.export.vst.PowerMap`.

    Raises:
        DdspError: As `convert_apart`.
    """
    return _apart(run, [*_named(instrument), f"--vst={offset_db!r},{slope_db!r}"], None)


def _named(instrument: str | None) -> list[str]:
    return [] if instrument is None else [f"--instrument={instrument}"]


def _apart(run: Path, options: list[str], calibration: dict[str, Any] | None) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.tflite"
        command = [*CHILD, str(run), str(out), *options]
        if calibration is not None:
            command += ["--calibration", str(Path(folder) / "calibration.npz")]
            np.savez(command[-1], **calibration)
        run_apart("the converter", command, TIMEOUT_S)
        return out.read_bytes()


def convert(
    model: Any,
    calibration: dict[str, Array] | None = None,
    synthesizer: Any = None,
    voice: Any = None,
    float_operators: Sequence[str] = (),
) -> bytes:
    """Convert the signatures of a model: see `ddsp_tf.tasks.instrument.export.endpoints`.

    Args:
        model: The trained `Autoencoder`.
        calibration: None for float32. Scaled features, `[frames]` by name, for integers throughout: with
            them the ranges of all activations are measured. Inputs and outputs stay float32, and `step` is
            the only signature.
        synthesizer: None for a model without `synthesize` and `play`, or the `SynthesizerGraph`.
        voice: None for a model without `voice`, or the `VoiceSynthesis`.
        float_operators: Operators that stay float32 in a model of integers: kinds, such as `"EXP"`, and names
            of single ones, as `product_names` gives.

    Returns:
        The flatbuffer.

    Raises:
        DdspError: If the model cannot be converted to builtin operators.
    """
    from ddsp_tf.tasks.instrument.export.endpoints import make_endpoints

    endpoints = make_endpoints(model, synthesizer, voice)
    if calibration is None:
        return tidy(to_flatbuffer(model, endpoints), STEP)
    step = endpoints[STEP]
    frames = partial(_representative, step, model.decoder.state_sizes, calibration)
    return tidy(to_flatbuffer(model, {STEP: step}, frames, float_operators), STEP)


def to_flatbuffer(
    model: Any,
    endpoints: dict[str, Any],
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
    import keras
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        saved = str(Path(folder) / "saved_model")
        archive = keras.export.ExportArchive()
        archive.track(model)
        for name, function in endpoints.items():
            archive.add_endpoint(name, function)
        archive.write_out(saved, verbose=False)
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
    step: Any, states: dict[str, int], calibration: dict[str, Array]
) -> Iterator[tuple[str, dict[str, Array]]]:
    """Frames as they come, with the states that Keras gives them."""
    state = {name: np.zeros([1, size], np.float32) for name, size in states.items()}
    for values in zip(*(calibration[name] for name in SCALED), strict=True):
        inputs = {name: np.full([1, 1], v, np.float32) for name, v in zip(SCALED, values, strict=True)}
        yield STEP, {**inputs, **state}
        out = step(*inputs.values(), *state.values())
        state = {name: np.asarray(out[name]) for name in states}


def convert_run(
    run: Path,
    calibration: dict[str, Array] | None = None,
    *,
    instrument: str | None = None,
    play: bool = False,
    dry: bool = False,
    float_operators: Sequence[str] = (),
) -> bytes:
    """Convert the model of a run in this process; for the rest see `convert` and `convert_apart`."""
    from ddsp_tf.tasks.instrument.export.describe import describe, load_to_export
    from ddsp_tf.tasks.instrument.export.endpoints import VoiceSynthesis
    from ddsp_export.graph import SynthesizerGraph

    model = load_to_export(run, instrument, dry=dry)
    synthesizer = voice = None
    if play:
        card, arrays = describe(model)
        synthesizer = SynthesizerGraph(model.spec, card.synthesizer, arrays)
        voice = VoiceSynthesis.of(model.spec, card.synthesizer, arrays)
    return convert(model, calibration, synthesizer, voice, float_operators)


def main(arguments: list[str]) -> None:
    """Convert the model of a run and write the flatbuffer."""
    from ddsp_tf.cli.quiet import load_tensorflow

    load_tensorflow()

    from ddsp_tf.tasks.instrument.export.describe import load_to_export
    from ddsp_tf.tasks.instrument.export.vst import PowerMap, convert_vst

    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--instrument")
    parser.add_argument("--play", action="store_true")
    parser.add_argument("--dry", action="store_true")
    parser.add_argument("--calibration", type=Path)
    parser.add_argument("--float-operators", nargs="*", default=())
    parser.add_argument("--vst")
    given = parser.parse_args(arguments)
    try:
        if given.vst:
            model = load_to_export(given.run, given.instrument)
            flatbuffer = convert_vst(model, PowerMap(*map(float, given.vst.split(","))))
        else:
            calibration = dict(np.load(given.calibration)) if given.calibration else None
            flatbuffer = convert_run(
                given.run,
                calibration,
                instrument=given.instrument,
                play=given.play,
                dry=given.dry,
                float_operators=given.float_operators,
            )
        given.out.write_bytes(flatbuffer)
    except DdspError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
