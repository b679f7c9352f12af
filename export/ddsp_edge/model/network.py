"""The network of a model file: scaled features in, controls out, one frame at a time."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_edge.card import Card
from ddsp_edge.errors import DdspError
from ddsp_edge.quiet import quiet_stderr
from ddsp_edge.units import Array, silence_bad

SIGNATURE = "step"
FEATURES = ("f0_scaled", "loudness_scaled")
RUNTIMES = ("auto", "litert", "numpy")
"""What runs a network: LiteRT, or numpy, which is slower and needs nothing else; auto: LiteRT where it is."""
WITHOUT_LITERT = "LiteRT is not installed (pip install ai-edge-litert): numpy plays the network, slower"
"""What a user is told who has none."""

MAX_CHANNELS = 1 << 20


class Network:
    """Run the signature `step` of a TFLite model, its state carried from frame to frame.

    `step` takes `f0_scaled` and `loudness_scaled`, float32 `[1, 1]`, and the states that the card names;
    it gives the controls, float32 `[1, channels]`, and the next states under the names of the states.

    Args:
        model: The flatbuffer.
        card: Its card.
        runtime: One of `RUNTIMES`.

    Raises:
        DdspError: If the model cannot be loaded, or its signature is not the one the card tells.
    """

    def __init__(self, model: bytes, card: Card, runtime: str = "auto") -> None:
        if runtime not in RUNTIMES:
            raise DdspError(f"runtime must be one of {', '.join(RUNTIMES)}. Received: {runtime!r}")
        self.runtime = runtime if runtime != "auto" else "litert" if has_litert() else "numpy"
        """`litert` or `numpy`, whichever it is run by."""
        if self.runtime == "numpy":
            self._interpreter, inputs, outputs = _open_in_numpy(model)
        else:
            self._interpreter = open_litert(model)
            inputs, outputs = step_of_litert(self._interpreter)
            allocate(self._interpreter)
        self.output_channels = check_step(card, inputs, outputs)
        self._state_shapes = card.state_shapes
        # Tensors by number: the runner of a signature would look them up by name in every frame.
        self._feature_tensors = [int(inputs[name]["index"]) for name in FEATURES]
        self._state_tensors = [
            (name, int(inputs[name]["index"]), int(outputs[name]["index"])) for name in self._state_shapes
        ]
        ends = np.cumsum(list(self.output_channels.values())).tolist()
        self._columns = {
            name: slice(end - channels, end)
            for (name, channels), end in zip(self.output_channels.items(), ends, strict=True)
        }
        self._output_tensors = [(int(outputs[name]["index"]), part) for name, part in self._columns.items()]
        self._width = ends[-1]
        self.reset()
        try:
            with quiet_stderr():  # the first run prepares the kernels, and is where a bad graph fails
                self.process([0.0], [0.0])
        except (ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise DdspError(f"The network cannot be run: {reason}") from error
        self.reset()

    def reset(self) -> None:
        """Set all states to zero."""
        self._states: dict[str, Array] = {
            name: np.zeros(shape, np.float32) for name, shape in self._state_shapes.items()
        }

    def process(self, f0_scaled: npt.ArrayLike, loudness_scaled: npt.ArrayLike) -> dict[str, Array]:
        """Run frames.

        Args:
            f0_scaled: `[frames]`, MIDI note / 127.
            loudness_scaled: `[frames]`, 0 at -80 dB, 1 at 0 dB.

        Returns:
            The controls, float32 `[frames, channels]`, by name; 0 where the network gives no finite number.
        """
        return self._run(f0_scaled, loudness_scaled, itertools.repeat(self._states))

    def _run(
        self, f0_scaled: npt.ArrayLike, loudness_scaled: npt.ArrayLike, states: Iterable[dict[str, Array]]
    ) -> dict[str, Array]:
        """Run frames as `process`, each from states of its own, which are set to the next ones."""
        f0 = np.asarray(f0_scaled, np.float32).reshape(-1, 1, 1)
        loudness = np.asarray(loudness_scaled, np.float32).reshape(-1, 1, 1)
        if len(f0) != len(loudness):
            raise DdspError(f"f0 has {len(f0)} frames and loudness {len(loudness)}; they must be as many")
        run = self._interpreter
        f0_tensor, loudness_tensor = self._feature_tensors
        table = np.empty((len(f0), self._width), np.float32)
        for one_f0, one_loudness, row, state in zip(f0, loudness, table, states, strict=False):
            run.set_tensor(f0_tensor, one_f0)
            run.set_tensor(loudness_tensor, one_loudness)
            for name, tensor, _ in self._state_tensors:
                run.set_tensor(tensor, state[name])
            run.invoke()
            for name, _, tensor in self._state_tensors:
                state[name] = run.get_tensor(tensor)
            for tensor, part in self._output_tensors:
                row[part] = run.get_tensor(tensor)[0]
        silence_bad(table)
        return {name: table[:, part] for name, part in self._columns.items()}


def has_litert() -> bool:
    """Whether LiteRT is installed here."""
    try:
        import ai_edge_litert.interpreter  # noqa: F401
    except ImportError:
        return False
    return True


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


def check_step(card: Card, inputs: dict[str, Any], outputs: dict[str, Any]) -> dict[str, int]:
    """Check what `step` takes and gives against the card.

    Args:
        card: The card.
        inputs: `shape` and `dtype` by name.
        outputs: The same.

    Returns:
        Channels of each control by name.

    Raises:
        DdspError: If they do not fit.
    """
    states = {name: _shape(name, shape) for name, shape in card.state_shapes.items()}
    wanted = {**{name: [1, 1] for name in FEATURES}, **states}
    if set(inputs) != set(wanted):
        have, say = (", ".join(sorted(names))[:150] for names in (inputs, wanted))
        raise DdspError(f"The network takes {have}; its card says {say}")
    for name, shape in wanted.items():
        _expect(f"Input {name}", inputs[name], shape)
    channels: dict[str, int] = {}
    for name, details in outputs.items():
        shape = [int(n) for n in details["shape"]]
        if name in states:
            _expect(f"Next state {name}", details, states[name])
            continue
        _expect(f"Output {name}", details, shape)
        if len(shape) != 2 or shape[0] != 1 or not 1 <= shape[1] <= MAX_CHANNELS:
            raise DdspError(f"Output {name} of the network must have shape [1, channels], not {shape}")
        channels[name] = shape[1]
    lost = sorted(set(states) - set(outputs))
    if lost:
        raise DdspError(f"The network gives no next value of the state {', '.join(lost)}")
    if not channels:
        raise DdspError("The network gives no controls")
    return channels


def _open_in_numpy(model: bytes) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    from ddsp_edge.model.numpy_graph import NumpyGraph

    try:
        graph = NumpyGraph(model, SIGNATURE)
    except DdspError as error:
        raise _not_loaded("numpy", error) from error
    return graph, graph.inputs, graph.outputs


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


def _not_loaded(by: str, error: Exception) -> DdspError:
    reason = " ".join(str(error).split())[:300]
    return DdspError(f"The network cannot be loaded by {by}: {reason}")


def _expect(what: str, details: dict[str, Any], shape: list[int]) -> None:
    have = [int(n) for n in details["shape"]]
    if have != shape or details["dtype"] != np.float32:
        kind = np.dtype(details["dtype"]).name
        raise DdspError(f"{what} of the network is {kind} {have}; by its card it must be float32 {shape}")


def _shape(name: str, shape: Any) -> list[int]:
    whole = isinstance(shape, list) and all(type(n) is int and n > 0 for n in shape)
    if not whole or not 1 <= len(shape) <= 8 or name in FEATURES:
        raise DdspError(f"State {name!r} of the card has the impossible shape {shape!r}")
    return list(shape)
