"""Its export: the network frame by frame, and what holds a file to it."""

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
from ddsp_edge.children import module_command
from ddsp_edge.model.file import write_model_file
from ddsp_edge.model.step_model import StepModel
from ddsp_edge.transcription.decode import NoteDecoder, Thresholds
from ddsp_edge.transcription.names import NAMES
from ddsp_edge.transcription.note import Note
from ddsp_edge.transcription.spectra import N_BINS, WINDOWS
from ddsp_edge.transcription.transcriber import LOOKAHEAD, LOWEST_MIDI, TASK, THRESHOLDS, Transcriber
from ddsp_edge.units import Array
from ddsp_export.apart import run_apart
from ddsp_export.exportable import STEP
from ddsp_tf.errors import DdspError
from ddsp_tf.metrics.notes import score_notes
from ddsp_tf.tasks.transcription.evaluation import COUNTS
from ddsp_tf.tasks.transcription.hearing import about_run, namer_arrays_of_run, network_of
from ddsp_tf.tasks.transcription.reference import Reference, load_reference
from ddsp_tf.training.evaluation import load_evaluation
from ddsp_tf.training.run import load_model_of_run

FLOAT32_ERROR_MAX = 1e-4
"""Of any probability: rounding alone."""
_SAME_NOTES = {"float32": 0.999, "float16": 0.99}
_SAME_NOTES_IN_INTEGERS = 0.9
_UNNOTICED = 0.97
_OPENS_S = 120


class TranscriberExport:
    """See `ddsp_export.exportable.Exportable`.

    Args:
        run: The run folder.
        options: `step_alone`, which every file of this task has.

    Raises:
        DdspError: If there is no such option, or the run has no model.
    """

    def __init__(self, run: Path, options: Mapping[str, Any]) -> None:
        if unknown := sorted(set(options) - {"step_alone"}):
            raise DdspError(f"a transcriber has no option {', '.join(unknown)} of export")
        self._run = run
        self.model = load_model_of_run(run, task=TASK)
        self.arrays: dict[str, Array] = namer_arrays_of_run(run, self.model)
        self.states: Mapping[str, list[int]] = self.model.state_shapes
        config = self.model.facts["config"]
        pitches = self.model.pitches
        hop = config["sample_rate"] // config["frame_rate"]
        self.card = Card(
            task=TASK,
            name=config["name"],
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            sample_rate=config["sample_rate"],
            hop=hop,
            inputs={
                "spectra": Port(
                    (1, N_BINS, len(WINDOWS)),
                    "log spectra, thirds of semitones from MIDI 23 on, in windows of 4096 and 1024 samples "
                    "that are centred on the frame, relative to a running level, 0 to about 2",
                )
            },
            outputs={
                "roll": Port(
                    (1, pitches, 4),
                    f"onset, sounding, offset (probabilities) and velocity / 127 of MIDI notes "
                    f"{self.model.lowest_midi} to {self.model.lowest_midi + pitches - 1}, of the frame "
                    f"{config['network']['lookahead_frames']} before",
                )
            },
            states={name: Port(tuple(shape), "frames before") for name, shape in self.states.items()},
            extractors={"spectra": {"name": "LogSpectra", "windows": list(WINDOWS), "bins": N_BINS}},
            about={**about_run(run), "names": list(config.get("names") or NAMES)},
            config=config,
        )

    @cached_property
    def _reference(self) -> Reference:
        return load_reference(self._run)

    @cached_property
    def _expected(self) -> Array:
        """Roll of the held-back mixtures, `[frames, pitches, 4]`."""
        return network_of(self.model).process(spectra=self._reference.held_back)["roll"]

    def signatures(self) -> dict[str, Any]:
        """`step`."""
        specs = [tf.TensorSpec([1, N_BINS, len(WINDOWS)], tf.float32, name="spectra")]
        specs += [tf.TensorSpec(shape, tf.float32, name=name) for name, shape in self.states.items()]
        return {STEP: tf.function(self.model.step, input_signature=specs, autograph=False)}

    def check_ready(self) -> None:
        """Refuse a run without held-back mixtures, or without thresholds that were learned."""
        _ = self._reference
        if not self.card.about[THRESHOLDS]:
            raise DdspError(
                f"{self._run} has no thresholds for its model yet: `ddsp-tf evaluate {self._run} --data "
                "DATASET` learns them"
            )

    def calibration(self, progress: Callable[[str], None]) -> dict[str, Array]:
        """Spectra of training mixtures."""
        return {"spectra": self._reference.trained}

    def check_float32(self, flatbuffer: bytes) -> float:
        """Largest difference of any probability."""
        error = float(np.abs(self._roll(flatbuffer) - self._expected).max())
        if not error <= FLOAT32_ERROR_MAX:
            raise DdspError(
                f"the float32 model differs from Keras by {error:.3g}; {FLOAT32_ERROR_MAX} is allowed"
            )
        return error

    def error(self, flatbuffer: bytes) -> float:
        """Mean difference of the probabilities."""
        return float(np.abs(self._roll(flatbuffer) - self._expected).mean())

    def measure(self, path: Path) -> dict[str, Any]:
        """Run a file, and compare its roll and its notes with those of Keras."""
        model = StepModel(path)
        began = time.process_time()
        roll = model.process(spectra=self._reference.held_back)["roll"]
        seconds = time.process_time() - began
        difference = np.abs(roll - self._expected)
        return {
            "roll_error_max": float(difference.max()),
            "roll_error_mean": float(difference.mean()),
            "notes_f1": score_notes(self._notes(self._expected), self._notes(roll)).f1,
            "us_per_frame": 1e6 * seconds / len(roll),
            "seconds_verified": len(roll) * self.card.hop / self.card.sample_rate,
            "measured_on": platform.machine(),
        }

    def check(self, quality: dict[str, Any], quantization: str) -> None:
        """Hold a file to the notes of Keras."""
        least = _SAME_NOTES.get(quantization, _SAME_NOTES_IN_INTEGERS)
        if not quality["notes_f1"] >= least:
            raise DdspError(
                f"the file finds other notes than Keras: F1 {quality['notes_f1']:.3f}; {least} is needed"
            )

    def is_unnoticed(self, quality: dict[str, Any]) -> bool:
        """Whether nearly all notes are the same."""
        return bool(quality["notes_f1"] >= _UNNOTICED)

    def us_per_frame(self, quality: dict[str, Any]) -> float:
        """As measured."""
        return float(quality["us_per_frame"])

    def with_step_alone(self) -> Card:
        """It has nothing else."""
        return self.card

    def check_card(self, card: Card) -> None:
        """Refuse a card by which no transcriber can be made."""
        Transcriber.of_card(network_of(self.model), card)

    def check_opens(self, path: Path) -> None:
        """In a process that cannot import TensorFlow."""
        command = [*module_command("ddsp_edge.transcription.opens"), str(path)]
        run_apart("the process that opened it", command, _OPENS_S)

    def evaluation(self) -> dict[str, Any]:
        """What was measured before, but for what stands in `about` and in the arrays."""
        learned = (COUNTS, THRESHOLDS)
        return {name: value for name, value in load_evaluation(self._run).items() if name not in learned}

    def _roll(self, flatbuffer: bytes) -> Array:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "candidate.tflite"
            write_model_file(path, flatbuffer, self.card, {})
            return StepModel(path).process(spectra=self._reference.held_back)["roll"]

    def _notes(self, roll: Array) -> list[Note]:
        about = self.card.about
        thresholds = Thresholds.from_plain(about[THRESHOLDS])
        decoder = NoteDecoder(self.card.spec, about[LOWEST_MIDI], about[LOOKAHEAD], thresholds)
        return decoder.push(roll).notes + decoder.flush().notes
