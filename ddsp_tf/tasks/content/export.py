"""Its export: the encoder frame by frame, its weights to be trained through, and what holds a file to it."""

import datetime
import platform
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ddsp_edge.card import Card, Port
from ddsp_edge.features.log_mel import N_MELS
from ddsp_edge.features.log_mel import NAME as LOG_MEL
from ddsp_edge.model.file import write_model_file
from ddsp_edge.model.step_model import StepModel
from ddsp_edge.units import Array
from ddsp_export.exportable import STEP
from ddsp_tf.errors import DdspError
from ddsp_tf.speech.weights import SETTINGS, TASK, encoder_arrays
from ddsp_tf.tasks.content.network import network_of
from ddsp_tf.tasks.content.phones import PHONES
from ddsp_tf.tasks.content.reference import Reference, load_reference
from ddsp_tf.training.evaluation import load_evaluation
from ddsp_tf.training.run import load_model_of_run

FLOAT32_ERROR_MAX = 1e-3
"""Of any channel of the content, whose spread is about 1 to 3: rounding alone."""
_SAME_PHONES = {"float32": 0.999, "float16": 0.99}
_SAME_PHONES_IN_INTEGERS = 0.95
_UNNOTICED = 0.97


class ContentExport:
    """See `ddsp_export.exportable.Exportable`.

    Args:
        run: The run folder.
        options: `step_alone`, which every file of this task has.

    Raises:
        DdspError: If there is no such option, or the run has no model.
    """

    def __init__(self, run: Path, options: Mapping[str, Any]) -> None:
        if unknown := sorted(set(options) - {"step_alone"}):
            raise DdspError(f"a content encoder has no option {', '.join(unknown)} of export")
        self._run = run
        model: Any = load_model_of_run(run, task=TASK)
        self.model = model
        encoder = model.encoder
        self.arrays: dict[str, Array] = encoder_arrays(encoder)
        self.states: Mapping[str, list[int]] = encoder.state_shapes
        config = model.facts["config"]
        late = f"of the frame {encoder.lookahead_frames} before"
        self.card = Card(
            task=TASK,
            name=config["name"],
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            sample_rate=config["sample_rate"],
            hop=config["sample_rate"] // config["frame_rate"],
            inputs={"log_mel": Port((1, N_MELS), "log powers in mel bands, see ddsp_edge.features.log_mel")},
            outputs={
                "content": Port((1, encoder.content), f"what is said, {late}"),
                "phones": Port((1, encoder.phones), f"logits of phones, {late}"),
            },
            states={name: Port(tuple(shape), "carried") for name, shape in self.states.items()},
            extractors={"log_mel": {"name": LOG_MEL, "bands": N_MELS}},
            about={
                "phones": list(PHONES),
                "lookahead_frames": encoder.lookahead_frames,
                SETTINGS: {
                    name: getattr(encoder, name)
                    for name in ("phones", "channels", "units", "content", "lookahead_frames", "frame_rate")
                },
            },
            config=config,
        )

    @cached_property
    def _reference(self) -> Reference:
        return load_reference(self._run)

    @cached_property
    def _expected(self) -> dict[str, Array]:
        return network_of(self.model).process(log_mel=self._reference.held_back)

    def signatures(self) -> dict[str, Any]:
        """`step`."""
        specs = [tf.TensorSpec([1, N_MELS], tf.float32, name="log_mel")]
        specs += [tf.TensorSpec(shape, tf.float32, name=name) for name, shape in self.states.items()]
        return {STEP: tf.function(self.model.step, input_signature=specs, autograph=False)}

    def check_ready(self) -> None:
        """Refuse a run without clips to compare on."""
        _ = self._reference

    def calibration(self, progress: Callable[[str], None]) -> dict[str, Array]:
        """Bands of training speech."""
        return {"log_mel": self._reference.trained}

    def check_float32(self, flatbuffer: bytes) -> float:
        """Largest difference of any channel of the content."""
        error = float(np.abs(self._content(flatbuffer) - self._expected["content"]).max())
        if not error <= FLOAT32_ERROR_MAX:
            raise DdspError(
                f"the float32 model differs from Keras by {error:.3g}; {FLOAT32_ERROR_MAX} is allowed"
            )
        return error

    def error(self, flatbuffer: bytes) -> float:
        """Mean difference of the content."""
        return float(np.abs(self._content(flatbuffer) - self._expected["content"]).mean())

    def measure(self, path: Path) -> dict[str, Any]:
        """Run a file, and compare its content and its phones with those of Keras."""
        model = StepModel(path)
        began = time.process_time()
        found = model.process(log_mel=self._reference.held_back)
        seconds = time.process_time() - began
        expected = self._expected
        spread = float(expected["content"].std()) + 1e-9
        same = found["phones"].argmax(axis=1) == expected["phones"].argmax(axis=1)
        return {
            "content_error": float(np.abs(found["content"] - expected["content"]).mean()) / spread,
            "same_phones": float(np.mean(same)),
            "us_per_frame": 1e6 * seconds / len(same),
            "seconds_verified": len(same) * self.card.hop / self.card.sample_rate,
            "measured_on": platform.machine(),
        }

    def check(self, quality: dict[str, Any], quantization: str) -> None:
        """Hold a file to the phones of Keras."""
        least = _SAME_PHONES.get(quantization, _SAME_PHONES_IN_INTEGERS)
        if not quality["same_phones"] >= least:
            raise DdspError(
                f"the file names other phones than Keras in {1 - quality['same_phones']:.1%} of the frames; "
                f"{1 - least:.1%} is allowed"
            )

    def is_unnoticed(self, quality: dict[str, Any]) -> bool:
        """Whether nearly all phones are the same."""
        return bool(quality["same_phones"] >= _UNNOTICED)

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

    def _content(self, flatbuffer: bytes) -> Array:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "candidate.tflite"
            write_model_file(path, flatbuffer, self.card, {})
            return StepModel(path).process(log_mel=self._reference.held_back)["content"]
