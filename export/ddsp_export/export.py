"""Export: a run in, one verified model file out."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ddsp_edge.card import Card, write_model_file
from ddsp_export.convert import convert_apart
from ddsp_export.describe import describe
from ddsp_export.operators import count_operators
from ddsp_export.quantize import QUANTIZATIONS, quantize_weights
from ddsp_export.recipes import Bench, Measured, Recipe, choose, compare
from ddsp_export.verify import Verifier
from ddsp_tf.errors import DdspError
from ddsp_tf.evaluation.evaluate import load_evaluation
from ddsp_tf.training.reference import load_reference
from ddsp_tf.training.run import load_model_of_run

CHOICES = ("auto", *QUANTIZATIONS, "int8-full")


def export(
    run: Path,
    out: Path,
    quantize: str = "int8",
    *,
    play: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> Card:
    """Export the model of a run as one `.tflite`, verified against Keras before it gets its name.

    Args:
        run: The run folder.
        out: Where to; ends in `.tflite`.
        quantize: One of `CHOICES`. `"auto"` measures all others and takes the smallest file whose sound
            stays as it is; the card then holds the table of all.
        play: Put the synthesizer into the model too, for hosts that have nothing but LiteRT: the signatures
            `synthesize` and `play`.
        progress: Called with a few words before each stage.

    Returns:
        The card written, with everything that was measured.

    Raises:
        DdspError: If the run has no model, or the file does not pass; no file is left then.
    """
    if quantize not in CHOICES:
        raise DdspError(f"quantize must be one of {', '.join(CHOICES)}. Received: {quantize!r}")
    if play and quantize in ("int8-full", "auto"):
        raise DdspError(f"the synthesizer stays float32: play does not go with quantize={quantize!r}")
    if out.suffix != ".tflite":
        raise DdspError(f"{out}: a model file ends in .tflite")
    if not out.parent.is_dir():
        raise DdspError(f"{out} cannot be written: the folder {out.parent} does not exist")
    if out.is_dir():
        raise DdspError(f"{out} is a folder; name a .tflite file to write")
    model = load_model_of_run(run)
    reference = load_reference(run, model.spec)
    card, arrays = describe(model, play)
    candidate = out.with_name(f".{out.name}.candidate.tflite")
    try:
        bench = Bench(Verifier(model, reference), card, arrays, candidate)
        progress("converting to TFLite")
        if quantize == "int8-full":
            taken = bench.measure(Recipe(quantize, convert_apart(run, reference)))
        else:
            float32 = convert_apart(run, play=play)
            if quantize == "auto":
                table = list(
                    compare(bench, float32, reference, lambda: convert_apart(run, reference), progress)
                )
                taken = choose(table)
            else:
                progress(f"playing it as {quantize} without TensorFlow and comparing")
                taken = bench.measure(Recipe(quantize, quantize_weights(float32, quantize)))
        if taken.refused:
            raise DdspError(taken.refused)
        quality = {
            **taken.quality,
            "operators": count_operators(taken.recipe.flatbuffer),
            "float_layers": list(taken.recipe.float_layers),
            "evaluation": load_evaluation(run),
        }
        if quantize == "auto":
            quality["recipes"] = _rows(table)
        card = dataclasses.replace(card, quality=quality, quantization=taken.recipe.quantization)
        card = write_model_file(candidate, taken.recipe.flatbuffer, card, arrays)
        candidate.replace(out)
    except DdspError as error:
        raise DdspError(f"{out} was not written: {error}") from error
    finally:
        candidate.unlink(missing_ok=True)
    return card


def _rows(table: list[Measured]) -> dict[str, dict[str, Any]]:
    """The table by name of the recipe; int8 with some layers float names how many."""
    return {
        measured.recipe.quantization
        + (f", {len(measured.recipe.float_layers)} float" if measured.recipe.float_layers else ""): (
            measured.row()
        )
        for measured in table
    }
