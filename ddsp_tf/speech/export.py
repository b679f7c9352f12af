"""The export of networks that hear speech frame by frame: one signature, and a gate."""

import datetime
import platform
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ddsp_edge.card import Card, Port
from ddsp_edge.model.file import write_model_file
from ddsp_edge.model.step_model import StepModel
from ddsp_edge.units import Array
from ddsp_export.exportable import STEP
from ddsp_tf.errors import DdspError
from ddsp_tf.speech.reference import REFERENCE_NAME, Features, load_reference
from ddsp_tf.training.evaluation import load_evaluation
from ddsp_tf.training.run import load_model_of_run
from ddsp_tf.training.step_network import StepNetwork

FLOAT32_ERROR_MAX = 1e-3
"""Of any value of what is compared, spread over about 1 to 3, or gains from 0 to 2: rounding alone."""


class SpeechExport(ABC):
    """See `ddsp_export.exportable.Exportable`. The model has `input_sizes`, `state_shapes` and `step`.

    Args:
        run: The run folder.
        options: `step_alone`, which every file of these tasks has.

    Attributes:
        task: Name of the task.
        noun: What a model of it is.
        compared: The outputs by whose values a file is compared with Keras.
        reference_name: File of the run with what it is compared on.

    Raises:
        DdspError: If there is no such option, or the run has no model.
    """

    task: str
    noun: str
    compared: tuple[str, ...]
    reference_name = REFERENCE_NAME

    def __init__(self, run: Path, options: Mapping[str, Any]) -> None:
        if unknown := sorted(set(options) - {"step_alone"}):
            raise DdspError(f"{self.noun} has no option {', '.join(unknown)} of export")
        self._run = run
        model: Any = load_model_of_run(run, task=self.task)
        self.model = model
        self.arrays: dict[str, Array] = {}
        self.states: Mapping[str, list[int]] = model.state_shapes
        config = model.facts["config"]
        self.card = Card(
            task=self.task,
            name=config["name"],
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            sample_rate=config["sample_rate"],
            hop=config["sample_rate"] // config["frame_rate"],
            inputs=self.inputs(),
            outputs=self.outputs(),
            states={name: Port(tuple(shape), "carried") for name, shape in self.states.items()},
            extractors=self.extractors(),
            about=self.about(),
            config=config,
        )

    @abstractmethod
    def network(self) -> StepNetwork:
        """The model as a stream."""

    @abstractmethod
    def inputs(self) -> dict[str, Port]:
        """What `step` takes."""

    @abstractmethod
    def outputs(self) -> dict[str, Port]:
        """What it gives."""

    @abstractmethod
    def extractors(self) -> dict[str, dict[str, Any]]:
        """How each input is measured."""

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """What else a host has to know."""

    @abstractmethod
    def compare(self, found: dict[str, Array], expected: dict[str, Array]) -> dict[str, Any]:
        """How near the outputs of a file are to those of Keras, plain data."""

    @abstractmethod
    def check(self, quality: dict[str, Any], quantization: str) -> None:
        """Refuse a file that is too far from Keras."""

    @abstractmethod
    def is_unnoticed(self, quality: dict[str, Any]) -> bool:
        """Whether nobody would notice the difference."""

    @cached_property
    def _reference(self) -> dict[str, Features]:
        return load_reference(self._run / self.reference_name, list(self.model.input_sizes))

    @cached_property
    def _expected(self) -> dict[str, Array]:
        """Outputs of Keras, `[frames, channels]` by name."""
        return self.network().process(**self._reference["held_back"])

    def signatures(self) -> dict[str, Any]:
        """`step`."""
        sizes = self.model.input_sizes.items()
        specs = [tf.TensorSpec([1, size], tf.float32, name=name) for name, size in sizes]
        specs += [tf.TensorSpec(shape, tf.float32, name=name) for name, shape in self.states.items()]
        return {STEP: tf.function(self.model.step, input_signature=specs, autograph=False)}

    def check_ready(self) -> None:
        """Refuse a run without clips to compare on."""
        _ = self._reference

    def calibration(self, progress: Callable[[str], None]) -> dict[str, Array]:
        """What is heard of training speech."""
        return dict(self._reference["trained"])

    def check_float32(self, flatbuffer: bytes) -> float:
        """Largest difference of what is compared."""
        error = float(self._difference(flatbuffer).max())
        if not error <= FLOAT32_ERROR_MAX:
            raise DdspError(
                f"the float32 model differs from Keras by {error:.3g}; {FLOAT32_ERROR_MAX} is allowed"
            )
        return error

    def error(self, flatbuffer: bytes) -> float:
        """Mean difference of what is compared."""
        return float(self._difference(flatbuffer).mean())

    def measure(self, path: Path) -> dict[str, Any]:
        """Run a file, and compare what it gives with what Keras does."""
        model = StepModel(path)
        began = time.process_time()
        found = model.process(**self._reference["held_back"])
        seconds = time.process_time() - began
        frames = len(found[self.compared[0]])
        return {
            **self.compare(found, self._expected),
            "us_per_frame": 1e6 * seconds / frames,
            "seconds_verified": frames * self.card.hop / self.card.sample_rate,
            "measured_on": platform.machine(),
        }

    def us_per_frame(self, quality: dict[str, Any]) -> float:
        """As measured."""
        return float(quality["us_per_frame"])

    def with_step_alone(self) -> Card:
        """It has nothing else."""
        return self.card

    def check_card(self, card: Card) -> None:
        """Nothing but the network is needed to use the file."""
        return

    def check_opens(self, path: Path) -> None:
        """`measure` has used it by numpy and LiteRT alone."""
        StepModel(path)

    def evaluation(self) -> dict[str, Any]:
        """What was measured before."""
        return load_evaluation(self._run)

    def _difference(self, flatbuffer: bytes) -> Array:
        found = self._found(flatbuffer)
        every = [np.abs(found[name] - self._expected[name]).ravel() for name in self.compared]
        return np.concatenate(every)

    def _found(self, flatbuffer: bytes) -> dict[str, Array]:
        """Outputs of a network that is no file yet, as `_expected` has them."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "candidate.tflite"
            write_model_file(path, flatbuffer, self.card, {})
            return StepModel(path).process(**self._reference["held_back"])
