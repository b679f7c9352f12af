"""The ways to store the weights of a model, measured side by side, and the choice between them."""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddsp_edge.model.file import write_model_file
from ddsp_export.exportable import Exportable
from ddsp_export.operators import count_operators, product_names
from ddsp_export.quantize import QUANTIZATIONS, quantize_weights, weight_layers
from ddsp_tf.errors import DdspError


@dataclass(frozen=True)
class Recipe:
    """A way to store the weights, and the model stored that way.

    Args:
        quantization: Name of the way.
        flatbuffer: The model.
        float_layers: Layers that stayed float32; of integers throughout, kinds and names of operators.
    """

    quantization: str
    flatbuffer: bytes
    float_layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """A recipe, and what was measured of its file.

    Args:
        recipe: The recipe.
        size: Bytes of the whole file.
        quality: What `Exportable.measure` gave; empty where the file could not be used.
        refused: Why the file may not be used; empty where it may.
        unnoticed: Whether it is so near to the model that nobody notices a difference.
    """

    recipe: Recipe
    size: int
    quality: dict[str, Any]
    refused: str
    unnoticed: bool = False

    @property
    def within_auto(self) -> bool:
        """Whether `auto` may choose it."""
        return self.unnoticed and not self.refused

    def row(self, keys: Sequence[str]) -> dict[str, Any]:
        """What a table of recipes shows of it, with what of its quality is named."""
        return {
            "bytes": self.size,
            "operators": sum(count_operators(self.recipe.flatbuffer).values()) if self.size else 0,
            "float_layers": list(self.recipe.float_layers),
            **{key: self.quality.get(key) for key in keys},
            "refused": self.refused,
        }


class Bench:
    """Write a recipe's file with its card and arrays, and measure it.

    Args:
        exportable: What is exported.
        path: Where candidates are written.
    """

    def __init__(self, exportable: Exportable, path: Path) -> None:
        self._exportable, self._path = exportable, path

    @property
    def has_more_than_step(self) -> bool:
        """Whether files are to hold signatures that a model of integers throughout cannot have."""
        return self._exportable.with_step_alone() != self._exportable.card

    def measure(self, recipe: Recipe) -> Measured:
        """Write and use one file; a file that fails is told, not raised."""
        exportable = self._exportable
        card = exportable.with_step_alone() if recipe.quantization == "int8-full" else exportable.card
        write_model_file(self._path, recipe.flatbuffer, card, exportable.arrays)
        size = self._path.stat().st_size
        quality: dict[str, Any] = {}
        try:
            quality = exportable.measure(self._path)
            exportable.check(quality, recipe.quantization)
        except DdspError as error:
            return Measured(recipe, size, quality, str(error))
        return Measured(recipe, size, quality, "", exportable.is_unnoticed(quality))

    def layer_errors(self, float32: bytes, quantization: str = "int8") -> dict[str, float]:
        """The error where one layer alone is quantized, by layer."""
        names = list(weight_layers(float32))
        errors = {}
        for name in names:
            alone = quantize_weights(float32, quantization, [other for other in names if other != name])
            errors[name] = self._exportable.error(alone)
        return errors


def compare(
    bench: Bench,
    float32: bytes,
    full_integer: Callable[[Sequence[str]], bytes],
    progress: Callable[[str], None],
    loads: Collection[str] = (*QUANTIZATIONS, "int8-full"),
) -> Iterator[Measured]:
    """Measure all recipes, the smallest files first.

    `int8` comes first with all layers and, where that is heard, with those layers float that err most, one
    more each time.

    Args:
        bench: Measures a recipe.
        float32: The model, not quantized.
        full_integer: Converts the model to integers throughout, but for the operators given.
        progress: Called with a few words before each.
        loads: The ways that the runtime loads; others are left out. Where `int8` is none of them,
            `int8-layers` takes its place.
    """
    first = "int8" if "int8" in loads else "int8-layers"
    progress(f"measuring {first}")
    measured = bench.measure(Recipe(first, quantize_weights(float32, first)))
    yield measured
    if not measured.within_auto:
        progress("finding the layers that are heard")
        errors = bench.layer_errors(float32, first)
        kept: tuple[str, ...] = ()
        for name in sorted(errors, key=lambda name: -errors[name])[:-1]:
            kept = (*kept, name)
            progress(f"measuring {first} with {', '.join(kept)} in float32")
            measured = bench.measure(Recipe(first, quantize_weights(float32, first, kept), kept))
            yield measured
            if measured.within_auto:
                break
    for quantization in QUANTIZATIONS:
        if quantization == first or quantization not in loads:
            continue
        progress(f"measuring {quantization}")
        yield bench.measure(Recipe(quantization, quantize_weights(float32, quantization)))
    if "int8-full" not in loads:
        return
    for measured in integers(bench, full_integer, progress):
        if bench.has_more_than_step and not measured.refused:
            words = "it has no room for the synthesizer, which stays float32"
            measured = dataclasses.replace(measured, refused=words)
        yield measured


def integers(
    bench: Bench, full_integer: Callable[[Sequence[str]], bytes], progress: Callable[[str], None]
) -> Iterator[Measured]:
    """Measure integers throughout and, where that is heard, with what hurts in float, until it is not.

    First the functions between the products of matrices, above all those that make levels of what the last
    one gives: a level in dB has no room in 8 bits. Then the products, the last one first.

    Args:
        bench: Measures a recipe.
        full_integer: Converts the model to integers throughout, but for the operators given.
        progress: Called with a few words before each.
    """
    kept: tuple[str, ...] = ()
    products: list[str] = []
    while True:
        progress(f"converting to integers, {len(kept)} kinds or layers in float, and measuring that")
        try:
            measured = bench.measure(Recipe("int8-full", full_integer(kept), kept))
        except DdspError as error:
            yield Measured(Recipe("int8-full", b"", kept), 0, {}, str(error))
            return
        yield measured
        if not measured.refused:
            return
        if not kept:
            products = product_names(measured.recipe.flatbuffer)
            kinds = set(count_operators(measured.recipe.flatbuffer))
            kept = tuple(sorted(kinds - {"FULLY_CONNECTED", "QUANTIZE", "DEQUANTIZE"}))
        elif len(products) > 1:
            kept = (*kept, products.pop())
        else:
            return


def choose(measured: list[Measured], us_per_frame: Callable[[dict[str, Any]], float]) -> Measured:
    """The smallest file that is not noticed; of files equally small (within 1 %) the fastest.

    Args:
        measured: All files.
        us_per_frame: Time of a frame, from the quality of a file.

    Raises:
        DdspError: If there is none, with why float32 was refused.
    """
    good = [m for m in measured if m.within_auto]
    if not good:
        reasons = "; ".join(
            f"{m.recipe.quantization}: {m.refused or 'it would be noticed'}" for m in measured
        )
        raise DdspError(f"no way to store the weights keeps what it does: {reasons}")
    smallest = min(m.size for m in good)
    return min((m for m in good if m.size <= 1.01 * smallest), key=lambda m: us_per_frame(m.quality))
