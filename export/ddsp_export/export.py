"""Export: a run in, one verified model file out."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.model.file import write_model_file
from ddsp_export.candidate import candidate_for, check_out
from ddsp_export.convert import convert_apart
from ddsp_export.describe import describe, load_to_export
from ddsp_export.gate import check_card, check_float32
from ddsp_export.operators import check_operators
from ddsp_export.quantize import quantize_weights
from ddsp_export.recipes import Bench, Measured, Recipe, choose, compare, integers
from ddsp_export.runtimes import RUNTIMES, quantization_for
from ddsp_export.verify import Verifier
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.instrument.evaluation.evaluate import load_evaluation
from ddsp_tf.tasks.instrument.excerpts import EXCERPTS_NAME, load_excerpts
from ddsp_tf.tasks.instrument.reference import Reference, load_reference


def export(
    run: Path,
    out: Path,
    quantize: str = "int8",
    *,
    instrument: str | None = None,
    play: bool = True,
    dry: bool = False,
    runtime: str = "current",
    progress: Callable[[str], None] = lambda text: None,
) -> InstrumentCard:
    """Export the model of a run as one `.tflite`, verified against Keras before it gets its name.

    Args:
        run: The run folder.
        out: Where to; ends in `.tflite`.
        quantize: One of `CHOICES` of `ddsp_export.runtimes`. `"auto"` measures all others and takes the
            smallest file whose sound stays as it is.
        instrument: Of a model of several: the one that the file is to play, or a mix of them, such as
            `"flute=0.5,violin=0.5"`.
        play: Put the synthesizer into the model too, for hosts that have nothing but LiteRT: the signatures
            `synthesize` and `play`. A model of integers throughout (`"int8-full"`) has `step` alone: the
            synthesizer stays float32.
        dry: Leave out the room: every `Reverb` of the processor group.
        runtime: Oldest runtime that is to load the file: `"current"`, or `"2.14"`, the last `tflite-runtime`,
            which has wheels for 32-bit ARM. For it `"int8"` becomes `"int8-layers"`, and `"auto"` measures
            what it loads.
        progress: Called with a few words before each stage.

    Returns:
        The card written, with everything that was measured: of the file, and in a table (`recipes`) of every
        way to store the weights that was tried, float32 beside the one that was asked for.

    Raises:
        DdspError: If the run has no model, or one of several instruments and none is named, or the file does
            not pass; no file is left then.
    """
    quantize = quantization_for(runtime, quantize)
    check_out(out)
    model = load_to_export(run, instrument, dry=dry)
    evaluation = load_evaluation(run)
    play = play and quantize != "int8-full"
    card, arrays = describe(model, play)
    with candidate_for(out) as candidate:
        reference = load_reference(run, model.spec)
        verifier = Verifier(model, reference)
        bench = Bench(verifier, card, arrays, candidate)
        progress("converting to TFLite")

        def full_integer(kept: Sequence[str]) -> bytes:
            calibration = _calibration(run, reference, progress)
            return convert_apart(run, calibration, instrument=instrument, dry=dry, float_operators=kept)

        float32 = convert_apart(run, instrument=instrument, play=play, dry=dry)
        error = verifier.control_error(verifier.predict(float32, card))
        check_float32(error)
        if quantize == "auto":
            table = list(compare(bench, float32, full_integer, progress, RUNTIMES[runtime]))
            taken = choose(table)
        else:
            table = list(integers(bench, full_integer, progress)) if quantize == "int8-full" else []
            ways = dict.fromkeys(way for way in (quantize, "float32") if way != "int8-full")
            progress(f"playing it as {' and '.join(ways)} without TensorFlow and comparing")
            table += [bench.measure(Recipe(way, quantize_weights(float32, way))) for way in ways]
            taken = [m for m in table if m.recipe.quantization == quantize][-1]
        if taken.refused:
            advice = "" if table[-1].refused else "; quantize 'auto' takes the smallest that keeps the sound"
            raise DdspError(f"{taken.refused}{advice}")
        quality = {
            **taken.quality,
            "float32_error_max": error,
            "operators": check_operators(taken.recipe.flatbuffer),
            "float_layers": list(taken.recipe.float_layers),
            "evaluation": evaluation,
            "recipes": _rows(table),
        }
        card = dataclasses.replace(card, quality=quality, quantization=taken.recipe.quantization)
        check_card(card, arrays, set(verifier.expected))
        card = write_model_file(candidate, taken.recipe.flatbuffer, card, arrays)
        progress("opening the finished file in a fresh process")
        verifier.check_opens(candidate)
    return card


def _calibration(run: Path, reference: Reference, progress: Callable[[str], None]) -> Any:
    """Features to measure ranges on: of training sound, which older runs did not keep."""
    if (run / EXCERPTS_NAME).exists():
        return load_excerpts(run)
    progress("ranges will be measured on sound held back: the run keeps no excerpts of its training data")
    return reference


def _rows(table: list[Measured]) -> dict[str, dict[str, Any]]:
    """The table by name of the recipe; int8 with some layers float names how many."""
    return {
        measured.recipe.quantization
        + (f", {len(measured.recipe.float_layers)} float" if measured.recipe.float_layers else ""): (
            measured.row()
        )
        for measured in table
    }
