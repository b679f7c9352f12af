"""The signature `step` of a model file of any task, one frame: what every network here has in common."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ddsp_edge.card import Card, Port
from ddsp_edge.errors import DdspError
from ddsp_edge.model.runtimes import chosen_runtime, open_step
from ddsp_edge.quiet import quiet_stderr
from ddsp_edge.units import Array


class Step:
    """A network that is open: its tensors, checked against the card, and its states, which start at zero.

    Args:
        model: The flatbuffer.
        card: Its card.
        runtime: One of `RUNTIMES` of `ddsp_edge.model.runtimes`.

    Raises:
        DdspError: If the model cannot be loaded, or its signature is not the one the card tells.
    """

    def __init__(self, model: bytes, card: Card, runtime: str = "auto") -> None:
        self.runtime = chosen_runtime(runtime)
        """`litert` or `numpy`, whichever it is run by."""
        self._interpreter, inputs, outputs = open_step(model, self.runtime)
        self._check(card, inputs, outputs)
        self.outputs = check_step(card, inputs, outputs)
        """What it gives in a frame, by name."""
        self._state_shapes = {name: port.shape for name, port in card.states.items()}
        # Tensors by number: the runner of a signature would look them up by name in every frame.
        self._state_tensors = [
            (name, int(inputs[name]["index"]), int(outputs[name]["index"])) for name in self._state_shapes
        ]
        self._input_tensors = {name: int(inputs[name]["index"]) for name in card.inputs}
        self._output_tensors = {name: int(outputs[name]["index"]) for name in self.outputs}
        self.reset()

    def _check(self, card: Card, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
        """Raise `DdspError` where the signature is not what a task needs; before the card is looked at."""

    def _try(self, run: Callable[[], object]) -> None:
        """Run once: the first run prepares the kernels, and is where a bad graph fails."""
        try:
            with quiet_stderr():
                run()
        except (ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise DdspError(f"The network cannot be run: {reason}") from error
        self.reset()

    def reset(self) -> None:
        """Set all states to zero."""
        self._states: dict[str, Array] = {
            name: np.zeros(shape, np.float32) for name, shape in self._state_shapes.items()
        }


def check_step(card: Card, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Port]:
    """Check what `step` takes and gives against the card.

    Args:
        card: The card.
        inputs: `shape` and `dtype` by name.
        outputs: The same.

    Returns:
        What it gives by name, without the next states; where the card does not tell, as the model has it.

    Raises:
        DdspError: If they do not fit.
    """
    check_names("takes", inputs, [*card.inputs, *card.states])
    for name, port in {**card.inputs, **card.states}.items():
        expect(f"Input {name}", inputs[name], port.shape)
    given = dict(card.outputs)
    if not given:
        found = {name: details for name, details in outputs.items() if name not in card.states}
        given = {name: Port(tuple(int(n) for n in details["shape"])) for name, details in found.items()}
    check_names("gives", outputs, [*given, *card.states])
    for name, port in card.states.items():
        expect(f"Next state {name}", outputs[name], port.shape)
    for name, port in given.items():
        expect(f"Output {name}", outputs[name], port.shape)
        if port.shape[:1] != (1,):
            raise DdspError(
                f"Output {name} of the network must begin with 1, the batch, not {list(port.shape)}"
            )
    if not given:
        raise DdspError("The network gives nothing but states")
    return given


def check_names(verb: str, have: Mapping[str, Any], wanted: Sequence[str]) -> None:
    """Raise `DdspError` where a network does not take, or give, what its card says."""
    if set(have) != set(wanted):
        found, say = (", ".join(sorted(names))[:150] for names in (have, wanted))
        raise DdspError(f"The network {verb} {found}; its card says {say}")


def expect(what: str, details: Mapping[str, Any], shape: Sequence[int]) -> None:
    """Raise `DdspError` where a tensor is not float32 of a shape."""
    have = [int(n) for n in details["shape"]]
    if have != list(shape) or details["dtype"] != np.float32:
        kind = np.dtype(details["dtype"]).name
        raise DdspError(
            f"{what} of the network is {kind} {have}; by its card it must be float32 {list(shape)}"
        )
