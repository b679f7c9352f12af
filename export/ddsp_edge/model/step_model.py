"""A model file of any task, run frame by frame."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ddsp_edge.card import Card
from ddsp_edge.errors import DdspError, did_you_mean
from ddsp_edge.model.file import ModelFile, read_model_file
from ddsp_edge.model.step import Step
from ddsp_edge.units import Array, all_finite


class StepModel(Step):
    """Run the network of a model file, whatever its task, by what its card says; states are carried.

    Where an input, an output or a state holds what is not finite, it holds 0 instead: a stream recovers from
    whatever it is given.

    Args:
        path: A `.tflite` with a card, or what `read_model_file` made of it.
        runtime: `"auto"`, `"litert"` or `"numpy"`, which is slower and needs no LiteRT.

    Raises:
        DdspError: If the file is no model, cannot be loaded, or its network is not the one its card tells.

    Example:
        >>> model = StepModel("gain.tflite")                           # doctest: +SKIP
        >>> model.step(audio=np.zeros([1, 64]))["audio"].shape         # doctest: +SKIP
        (1, 64)
        >>> model.process(audio=np.zeros([250, 64]))["audio"].shape    # doctest: +SKIP
        (250, 64)
    """

    def __init__(self, path: str | Path | ModelFile[Card], runtime: str = "auto") -> None:
        file = path if isinstance(path, ModelFile) else read_model_file(path)
        self.card = file.card
        self.spec = file.card.spec
        try:
            super().__init__(file.model, file.card, runtime)
            shapes = {name: port.shape for name, port in self.card.inputs.items()}
            self._try(lambda: self.step(**{name: np.zeros(shape) for name, shape in shapes.items()}))
        except DdspError as error:
            if isinstance(path, ModelFile):
                raise
            raise DdspError(f"{path}: {error}") from error

    def step(self, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """Run a frame.

        Args:
            **inputs: Each input of the card, of its shape; a plain number where that is a single value.

        Returns:
            Each output, float32 of its shape, always finite.

        Raises:
            DdspError: If an input is missing, unknown, no numbers, or of another shape.
        """
        self._check_names(inputs)
        given = {}
        for name, value in inputs.items():
            shape = self.card.inputs[name].shape
            array = _float32(name, value)
            if array.ndim == 0 and all(size == 1 for size in shape):
                array = array.reshape(shape)
            if array.shape != shape:
                raise DdspError(
                    f"{name} must have shape {list(shape)}. Received shape: {list(array.shape)}; several "
                    "frames are for process"
                )
            given[name] = array
        self._run(given)
        outputs = self._output_tensors.items()
        return {name: _finite(np.array(self._interpreter.get_tensor(number))) for name, number in outputs}

    def process(self, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """Run any number of frames, one after the other: any cut of a stream gives the same.

        Args:
            **inputs: Each input of the card, of its shape with frames in place of the batch, `[frames, ...]`.

        Returns:
            Each output, float32 `[frames, ...]`, always finite.

        Raises:
            DdspError: If an input is missing, unknown, no numbers, or of another shape, or they have not as
                many frames.
        """
        self._check_names(inputs)
        given: dict[str, Array] = {}
        for name, value in inputs.items():
            shape = self.card.inputs[name].shape[1:]
            array = given[name] = _float32(name, value)
            if not array.ndim or array.shape[1:] != shape:
                words = ", ".join(["frames", *map(str, shape)])
                raise DdspError(f"{name} must have shape [{words}]. Received shape: {list(array.shape)}")
        counts = {name: len(array) for name, array in given.items()}
        if len(set(counts.values())) > 1:
            words = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise DdspError(f"All inputs must have as many frames. Received: {words}")
        frames = next(iter(counts.values()), 0)
        found = {name: np.empty((frames, *port.shape[1:]), np.float32) for name, port in self.outputs.items()}
        rows = [(found[name], number) for name, number in self._output_tensors.items()]
        for i in range(frames):
            self._run({name: array[i : i + 1] for name, array in given.items()})
            for table, number in rows:
                table[i] = self._interpreter.get_tensor(number)[0]
        return {name: _finite(table) for name, table in found.items()}

    def _run(self, inputs: dict[str, Array]) -> None:
        run = self._interpreter
        for name, array in inputs.items():
            run.set_tensor(self._input_tensors[name], _finite(array))
        for name, tensor, _ in self._state_tensors:
            run.set_tensor(tensor, self._states[name])
        run.invoke()
        for name, _, tensor in self._state_tensors:
            self._states[name] = _finite(run.get_tensor(tensor))

    def _check_names(self, inputs: dict[str, npt.ArrayLike]) -> None:
        known = list(self.card.inputs)
        for name in inputs:
            if name not in known:
                hint = did_you_mean(name, known)
                raise DdspError(f"The network has no input {name!r}.{hint} It takes {', '.join(known)}")
        missing = [name for name in known if name not in inputs]
        if missing:
            raise DdspError(f"The network takes {', '.join(known)}. Missing: {', '.join(missing)}")


def _float32(name: str, value: npt.ArrayLike) -> Array:
    try:
        with np.errstate(over="ignore"):  # what float32 has no number for is not finite
            return np.ascontiguousarray(value, np.float32).reshape(np.shape(value))
    except (TypeError, ValueError) as error:
        raise DdspError(f"{name} must be numbers: {error}") from error


def _finite(values: Array) -> Array:
    """The same, or a copy with 0 in place of what is not finite."""
    return values if all_finite(values) else np.where(np.isfinite(values), values, np.float32(0.0))
