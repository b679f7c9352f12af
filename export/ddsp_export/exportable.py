"""What an export needs of a trained model, whatever its task."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from ddsp_edge.card import Card
from ddsp_edge.units import Array

STEP = "step"
"""The signature that every model file has: one frame of inputs and states in, outputs and next states out."""


class Exportable(Protocol):
    """A trained model as it is to be exported, and what holds a file to it.

    The gate opens for a file when `check` lets through what `measure` found. What is expensive is made when
    it is first asked for: the converter asks for `model` and `signatures` alone, in a process of its own.

    Attributes:
        model: The Keras model, which has the weights of the signatures.
        card: The card, but for what is measured.
        arrays: The arrays of the file by name.
        states: Shape of each state of `step`, by name; states start at zero.
    """

    @property
    def model(self) -> Any:
        """See above."""
        ...

    @property
    def card(self) -> Card:
        """See above."""
        ...

    arrays: dict[str, Array]
    states: Mapping[str, list[int]]

    def signatures(self) -> dict[str, Any]:
        """The signatures as `tf.function`s by name, `step` among them.

        Each takes float32 tensors in the order of its input signature, states last, and gives tensors by
        name, the next states under the names of the states.
        """
        ...

    def check_ready(self) -> None:
        """Refuse a run that lacks what its files are to be compared with, before any work.

        Raises:
            DdspError: Naming what is missing.
        """
        ...

    def calibration(self, progress: Callable[[str], None]) -> dict[str, Array]:
        """Frames of training data that ranges are measured on: inputs of `step` by name, `[frames, ...]`."""
        ...

    def check_float32(self, flatbuffer: bytes) -> float:
        """Compare a model that was converted, and not quantized, with Keras.

        Returns:
            The largest difference of any output.

        Raises:
            DdspError: If it is more than rounding.
        """
        ...

    def error(self, flatbuffer: bytes) -> float:
        """How far the outputs of a model are from Keras, by the measure that tells best what is noticed."""
        ...

    def measure(self, path: Path) -> dict[str, Any]:
        """Use a file in a process without TensorFlow, and measure what it does; plain data for the card.

        Raises:
            DdspError: If it cannot be used there.
        """
        ...

    def check(self, quality: dict[str, Any], quantization: str) -> None:
        """Refuse a file by what `measure` found.

        Raises:
            DdspError: If a bound is exceeded.
        """
        ...

    def is_unnoticed(self, quality: dict[str, Any]) -> bool:
        """Whether a file is so near to the model that `auto` may choose it."""
        ...

    def us_per_frame(self, quality: dict[str, Any]) -> float:
        """Time of a frame, us: of files equally small, `auto` takes the fastest."""
        ...

    def with_step_alone(self) -> Card:
        """The card of a file that has no signature but `step`, as a model of integers throughout has."""
        ...

    def check_card(self, card: Any) -> None:
        """Refuse a card from which a host could not use the file.

        Raises:
            DdspError: Naming everything that is missing or cannot be right.
        """
        ...

    def check_opens(self, path: Path) -> None:
        """Open and use a finished file in a fresh process without TensorFlow.

        Raises:
            DdspError: If it cannot be used there.
        """
        ...

    def evaluation(self) -> dict[str, Any]:
        """What `ddsp-tf evaluate` measured before; empty if it did not."""
        ...
