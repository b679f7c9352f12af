"""The network of an instrument: scaled features in, controls out, one frame at a time."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_edge.card import Card, is_shape
from ddsp_edge.errors import DdspError
from ddsp_edge.further import scaled_name
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.model.step import Step, check_names, check_step, expect
from ddsp_edge.units import Array, silence_bad

FEATURES = ("f0_scaled", "loudness_scaled")
MAX_CHANNELS = 1 << 20


class Network(Step):
    """Run the signature `step` of an instrument, its state carried from frame to frame.

    `step` takes `f0_scaled`, `loudness_scaled` and the further features of the card, float32 `[1, 1]`, and
    the states that the card names; it gives the controls, float32 `[1, channels]`, and the next states under
    the names of the states.

    Args:
        model: The flatbuffer.
        card: Its card.
        runtime: One of `RUNTIMES` of `ddsp_edge.model.runtimes`.

    Raises:
        DdspError: If the model cannot be loaded, or its signature is not the one the card tells.
    """

    def __init__(self, model: bytes, card: InstrumentCard, runtime: str = "auto") -> None:
        super().__init__(model, card, runtime)
        self.output_channels = {name: port.shape[1] for name, port in self.outputs.items()}
        names = (*FEATURES, *map(scaled_name, card.further))
        self._feature_tensors = [self._input_tensors[name] for name in names]
        ends = np.cumsum(list(self.output_channels.values())).tolist()
        self._columns = {
            name: slice(end - channels, end)
            for (name, channels), end in zip(self.output_channels.items(), ends, strict=True)
        }
        self._control_tensors = [(self._output_tensors[name], part) for name, part in self._columns.items()]
        self._width = ends[-1]
        self._try(lambda: self.process(*([0.0] for _ in names)))

    def _check(self, card: Card, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
        if isinstance(card, InstrumentCard):
            check_instrument(card, inputs, outputs)

    def process(
        self, f0_scaled: npt.ArrayLike, loudness_scaled: npt.ArrayLike, *further: npt.ArrayLike
    ) -> dict[str, Array]:
        """Run frames.

        Args:
            f0_scaled: `[frames]`, MIDI note / 127.
            loudness_scaled: `[frames]`, 0 at -80 dB, 1 at 0 dB.
            *further: `[frames]` each, the further features of the card in their order, scaled
                (`ddsp_edge.further.scaled`).

        Returns:
            The controls, float32 `[frames, channels]`, by name; 0 where the network gives no finite number.
        """
        return self._run([f0_scaled, loudness_scaled, *further], itertools.repeat(self._states))

    def _run(self, scaled: Sequence[npt.ArrayLike], states: Iterable[dict[str, Array]]) -> dict[str, Array]:
        """Run frames as `process`, each from states of its own, which are set to the next ones."""
        columns = [np.asarray(column, np.float32).reshape(-1, 1, 1) for column in scaled]
        lengths = [len(column) for column in columns]
        if len(lengths) != len(self._feature_tensors) or len(set(lengths)) != 1:
            raise DdspError(
                f"the network takes {len(self._feature_tensors)} features of as many frames each. Received: "
                f"{', '.join(map(str, lengths))} frames"
            )
        run, tensors = self._interpreter, self._feature_tensors
        table = np.empty((lengths[0], self._width), np.float32)
        for frame, row, state in zip(zip(*columns, strict=True), table, states, strict=False):
            for tensor, value in zip(tensors, frame, strict=True):
                run.set_tensor(tensor, value)
            for name, tensor, _ in self._state_tensors:
                run.set_tensor(tensor, state[name])
            run.invoke()
            for name, _, tensor in self._state_tensors:
                state[name] = run.get_tensor(tensor)
            for tensor, part in self._control_tensors:
                row[part] = run.get_tensor(tensor)[0]
        silence_bad(table)
        return {name: table[:, part] for name, part in self._columns.items()}


def check_instrument(
    card: InstrumentCard, inputs: Mapping[str, Any], outputs: Mapping[str, Any]
) -> dict[str, int]:
    """Check that `step` is that of an instrument, and the one that the card tells.

    Args:
        card: The card.
        inputs: `shape` and `dtype` by name.
        outputs: The same.

    Returns:
        Channels of each control by name.

    Raises:
        DdspError: If it is not.
    """
    states = {name: _shape(name, shape) for name, shape in card.state_shapes.items()}
    names = (*FEATURES, *map(scaled_name, card.further))
    wanted = {**{name: [1, 1] for name in names}, **states}
    check_names("takes", inputs, list(wanted))
    for name, shape in wanted.items():
        expect(f"Input {name}", inputs[name], shape)
    lost = sorted(set(states) - set(outputs))
    if lost:
        raise DdspError(f"The network gives no next value of the state {', '.join(lost)}")
    channels: dict[str, int] = {}
    for name, details in outputs.items():
        shape = [int(n) for n in details["shape"]]
        if name in states:
            expect(f"Next state {name}", details, states[name])
            continue
        expect(f"Output {name}", details, shape)
        if len(shape) != 2 or shape[0] != 1 or not 1 <= shape[1] <= MAX_CHANNELS:
            raise DdspError(f"Output {name} of the network must have shape [1, channels], not {shape}")
        channels[name] = shape[1]
    if not channels:
        raise DdspError("The network gives no controls")
    check_step(card, inputs, outputs)
    return channels


def _shape(name: str, shape: Any) -> list[int]:
    if not is_shape(shape) or name in FEATURES:
        raise DdspError(f"State {name!r} of the card has the impossible shape {shape!r}")
    return list(shape)
