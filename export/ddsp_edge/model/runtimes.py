"""What runs the network of a model file: LiteRT, or numpy."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.model.vst import VstStep, vst_ports
from ddsp_edge.quiet import quiet_stderr

SIGNATURE = "step"
RUNTIMES = ("auto", "litert", "numpy")
"""What runs a network: LiteRT, or numpy, which is slower and needs nothing else; auto: LiteRT where it is."""
WITHOUT_LITERT = "LiteRT is not installed (pip install ai-edge-litert): numpy plays the network, slower"
"""What a user is told who has none."""


def has_litert() -> bool:
    """Whether LiteRT is installed here."""
    try:
        import ai_edge_litert.interpreter  # noqa: F401
    except ImportError:
        return False
    return True


def chosen_runtime(runtime: str) -> str:
    """Return `litert` or `numpy` for one of `RUNTIMES`.

    Raises:
        DdspError: If it is none of them.
    """
    if runtime not in RUNTIMES:
        raise DdspError(f"runtime must be one of {', '.join(RUNTIMES)}. Received: {runtime!r}")
    return runtime if runtime != "auto" else "litert" if has_litert() else "numpy"


def open_step(model: bytes, runtime: str) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """Open the signature `step` of a flatbuffer, ready to run, or the graph of a file of DDSP-VST as such.

    Args:
        model: The flatbuffer.
        runtime: `litert` or `numpy`.

    Returns:
        What runs it (`set_tensor`, `invoke` and `get_tensor`, tensors by number), and by name `index`,
        `shape` and `dtype` of its inputs and of its outputs.

    Raises:
        DdspError: If it cannot be loaded, or has no such signature.
    """
    if runtime == "numpy":
        from ddsp_edge.model.numpy_graph import NumpyGraph

        if vst_ports(model) is not None:
            raise DdspError(
                "numpy does not run files of DDSP-VST, LiteRT does: pip install ai-edge-litert, or make an "
                "instrument of ours of it with `ddsp-tf import`"
            )
        try:
            graph = NumpyGraph(model, SIGNATURE)
        except DdspError as error:
            raise _not_loaded("numpy", error) from error
        return graph, graph.inputs, graph.outputs
    interpreter = open_litert(model)
    if SIGNATURE not in interpreter.get_signature_list() and (ports := vst_ports(model)) is not None:
        allocate(interpreter)
        step = VstStep(interpreter, ports)
        return step, step.inputs, step.outputs
    inputs, outputs = step_of_litert(interpreter)
    allocate(interpreter)
    return interpreter, inputs, outputs


def open_litert(model: bytes) -> Any:
    """Open a flatbuffer with LiteRT; return the interpreter, which has nothing in memory for runs yet.

    Raises:
        DdspError: If it cannot be opened, or LiteRT is not installed.
    """
    # Imported here: `import ddsp_edge` stays cheap, and whoever only reads cards needs no runtime.
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise DdspError(
            f"LiteRT is not installed ({error}): pip install ai-edge-litert, or use the backend 'numpy', "
            "which is slower and needs nothing else"
        ) from error
    try:
        with quiet_stderr():
            return Interpreter(model_content=model, num_threads=1)
    except (ValueError, RuntimeError, TypeError) as error:
        raise _not_loaded("LiteRT", error) from error


def step_of_litert(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Details of the inputs and outputs of `step` by name.

    Its runner ends with this function: while one lives, the interpreter refuses to run by itself.

    Raises:
        DdspError: If there is no such signature, or it is not what the interpreter runs by itself.
    """
    signatures = interpreter.get_signature_list()
    if SIGNATURE not in signatures:
        names = ", ".join(signatures) or "none"
        raise DdspError(f"The network has no signature {SIGNATURE!r}. Signatures: {names}")
    runner = interpreter.get_signature_runner(SIGNATURE)
    inputs, outputs = runner.get_input_details(), runner.get_output_details()
    main = {(d["index"], d["name"]) for d in interpreter.get_input_details()}
    if main != {(d["index"], d["name"]) for d in inputs.values()}:
        raise DdspError(f"The signature {SIGNATURE!r} is not the main graph of the network")
    return inputs, outputs


def allocate(interpreter: Any) -> None:
    """Have LiteRT make room for runs and prepare the weights.

    Raises:
        DdspError: If it cannot.
    """
    try:
        with quiet_stderr():
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError, TypeError) as error:
        raise _not_loaded("LiteRT", error) from error


def open_signature(
    interpreter: Any, signature: str, inputs: Mapping[str, list[int]], outputs: Mapping[str, list[int]]
) -> Any:
    """Open a signature of a model, which is float32 throughout, and run it once, on zeros.

    The first run prepares the kernels, and is where a bad graph fails.

    Args:
        interpreter: LiteRT's, which runs nothing by itself from here on.
        signature: Its name.
        inputs: The shapes that the card tells of what it takes, by name.
        outputs: The same of what it gives.

    Returns:
        What runs it: arrays by name in, arrays by name out.

    Raises:
        DdspError: If the model has no such signature, it is another one, or it cannot be run.
    """
    try:
        with quiet_stderr():
            run = interpreter.get_signature_runner(signature)
            for what, details, wanted in (
                ("inputs", run.get_input_details(), dict(inputs)),
                ("outputs", run.get_output_details(), dict(outputs)),
            ):
                have = {name: [int(n) for n in tensor["shape"]] for name, tensor in details.items()}
                if have != wanted or any(tensor["dtype"] != np.float32 for tensor in details.values()):
                    names = sorted(name for name in {*have, *wanted} if have.get(name) != wanted.get(name))
                    raise DdspError(
                        f"The {what} of {signature!r} in the model are not those of its card: "
                        f"{', '.join(names)[:200]}"
                    )
            run(**{name: np.zeros(shape, np.float32) for name, shape in inputs.items()})
    except DdspError:
        raise
    except (ValueError, RuntimeError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DdspError(f"The signature {signature!r} cannot be run by LiteRT: {reason}") from error
    return run


def _not_loaded(by: str, error: Exception) -> DdspError:
    reason = " ".join(str(error).split())[:300]
    return DdspError(f"The network cannot be loaded by {by}: {reason}")
