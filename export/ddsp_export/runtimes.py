"""Which runtime loads weights stored in which way. Imports no TensorFlow, to refuse at once."""

from ddsp_export.quantize import QUANTIZATIONS
from ddsp_tf.errors import DdspError

CHOICES = ("auto", *QUANTIZATIONS, "int8-full")
RUNTIMES = {
    "current": frozenset(CHOICES),
    "2.14": frozenset({"auto", "int8-layers", "int8-weights", "float16", "float32"}),
}
"""What runtimes load, found by loading it: see `docs/model-file.md`."""
VST_CHOICES = ("float32", "float16")
"""What the runtime of DDSP-VST, TensorFlow Lite of 2022, loads."""


def quantization_for(runtime: str, quantize: str) -> str:
    """The quantization that a runtime can load in the place of what is asked for.

    Raises:
        DdspError: If there is no such way or runtime, or nothing it could load instead.
    """
    if quantize not in CHOICES:
        raise DdspError(f"quantize must be one of {', '.join(CHOICES)}. Received: {quantize!r}")
    if runtime not in RUNTIMES:
        raise DdspError(f"runtime must be one of {', '.join(RUNTIMES)}. Received: {runtime!r}")
    readable = RUNTIMES[runtime]
    adapted = "int8-layers" if quantize == "int8" and quantize not in readable else quantize
    if adapted not in readable:
        raise DdspError(
            f"runtime {runtime} does not load quantize={quantize!r}: choose {', '.join(sorted(readable))}"
        )
    return adapted


def check_vst_quantization(quantize: str) -> None:
    """Refuse what the plug-in does not load.

    Raises:
        DdspError: Saying what it does.
    """
    if quantize not in VST_CHOICES:
        raise DdspError(
            f"DDSP-VST reads {' and '.join(VST_CHOICES)}: its runtime is of 2022. "
            f"Received: quantize={quantize!r}"
        )
