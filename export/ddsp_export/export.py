"""Export: a run in, one verified model file out."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ddsp_edge.card import Card
from ddsp_edge.model.file import write_model_file
from ddsp_export.candidate import candidate_for, check_out
from ddsp_export.convert import convert_apart
from ddsp_export.operators import check_operators
from ddsp_export.quantization_recipes import Bench, Measured, Recipe, choose, compare, integers
from ddsp_export.quantize import quantize_weights
from ddsp_export.runtimes import RUNTIMES, quantization_for
from ddsp_tf.errors import DdspError
from ddsp_tf.training.run import task_of_run


def export(
    run: Path,
    out: Path,
    quantize: str = "int8",
    *,
    runtime: str = "current",
    progress: Callable[[str], None] = lambda text: None,
    **options: Any,
) -> Card:
    """Export the model of a run as one `.tflite`, verified against Keras before it gets its name.

    Args:
        run: The run folder.
        out: Where to; ends in `.tflite`.
        quantize: One of `CHOICES` of `ddsp_export.runtimes`. `"auto"` measures all others and takes the
            smallest file that does what the model does.
        runtime: Oldest runtime that is to load the file: `"current"`, or `"2.14"`, the last `tflite-runtime`,
            which has wheels for 32-bit ARM. For it `"int8"` becomes `"int8-layers"`, and `"auto"` measures
            what it loads.
        progress: Called with a few words before each stage.
        **options: Of the run's task, plain data. Those of an instrument: `instrument`, of a model of several
            the one that the file is to play, or a mix, such as `"flute=0.5,violin=0.5"`; `play`, whether the
            synthesizer is put into the model too (True), for hosts that have nothing but LiteRT; `dry`,
            whether every `Reverb` is left out (False).

    Returns:
        The card written, with everything that was measured: of the file, and in a table (`recipes`) of every
        way to store the weights that was tried, float32 beside the one that was asked for.

    Raises:
        DdspError: If the run has no model, an option is not valid, or the file does not pass; no file is left
            then.
    """
    quantize = quantization_for(runtime, quantize)
    check_out(out)
    asked = {**options, "step_alone": quantize == "int8-full"}
    task = task_of_run(run)
    exportable = task.exportable(run, asked)
    exportable.check_ready()
    evaluation = exportable.evaluation()
    with candidate_for(out) as candidate:
        bench = Bench(exportable, candidate)
        progress("converting to TFLite")

        def full_integer(kept: Sequence[str]) -> bytes:
            return convert_apart(run, {**options, "step_alone": True}, exportable.calibration(progress), kept)

        float32 = convert_apart(run, asked)
        error = exportable.check_float32(float32)
        if quantize == "auto":
            table = list(compare(bench, float32, full_integer, progress, RUNTIMES[runtime]))
            taken = choose(table, exportable.us_per_frame)
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
            "recipes": _rows(table, task.command.export_table.keys),
        }
        card = dataclasses.replace(exportable.card, quality=quality, quantization=taken.recipe.quantization)
        exportable.check_card(card)
        card = write_model_file(candidate, taken.recipe.flatbuffer, card, exportable.arrays)
        progress("opening the finished file in a fresh process")
        exportable.check_opens(candidate)
    return card


def _rows(table: list[Measured], keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The table by name of the recipe; int8 with some layers float names how many."""
    return {
        measured.recipe.quantization
        + (f", {len(measured.recipe.float_layers)} float" if measured.recipe.float_layers else ""): (
            measured.row(keys)
        )
        for measured in table
    }
