"""Export: a run in, one verified model file out."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from ddsp_edge.card import Card, write_model_file
from ddsp_export.convert import convert_step
from ddsp_export.describe import describe
from ddsp_export.operators import count_operators
from ddsp_export.verify import verify
from ddsp_tf.errors import DdspError
from ddsp_tf.evaluation.evaluate import load_evaluation
from ddsp_tf.training.reference import load_reference
from ddsp_tf.training.run import load_model_of_run


def export(
    run: Path, out: Path, quantize: str = "int8", *, progress: Callable[[str], None] = lambda text: None
) -> Card:
    """Export the model of a run as one `.tflite`, verified against Keras before it gets its name.

    Args:
        run: The run folder.
        out: Where to; ends in `.tflite`.
        quantize: `"int8"`, `"float16"` or `"float32"`.
        progress: Called with a few words before each stage.

    Returns:
        The card written, with everything that was measured.

    Raises:
        DdspError: If the run has no model, or the file does not pass; no file is left then.
    """
    if out.suffix != ".tflite":
        raise DdspError(f"{out}: a model file ends in .tflite")
    if not out.parent.is_dir():
        raise DdspError(f"{out} cannot be written: the folder {out.parent} does not exist")
    if out.is_dir():
        raise DdspError(f"{out} is a folder; name a .tflite file to write")
    model = load_model_of_run(run)
    reference = load_reference(run, model.spec)
    progress(f"converting to TFLite, {quantize}")
    flatbuffer = convert_step(model, quantize)
    card, arrays = describe(model, quantize)
    candidate = out.with_name(f".{out.name}.candidate.tflite")
    try:
        write_model_file(candidate, flatbuffer, card, arrays)
        progress("playing it without TensorFlow and comparing")
        measured = verify(candidate, model, reference, quantize)
        measured["operators"] = count_operators(flatbuffer)
        measured["evaluation"] = load_evaluation(run)
        card = dataclasses.replace(card, quality=measured)
        card = write_model_file(candidate, flatbuffer, card, arrays)
        candidate.replace(out)
    except DdspError as error:
        raise DdspError(f"{out} was not written: {error}") from error
    finally:
        candidate.unlink(missing_ok=True)
    return card
