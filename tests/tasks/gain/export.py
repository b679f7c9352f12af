"""Its export: one signature with one state, and a gate of its own."""

import datetime
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ddsp_edge import Card, StepModel
from ddsp_edge.card import Port
from ddsp_edge.model.file import write_model_file
from ddsp_edge.units import Array
from ddsp_export.apart import run_apart
from ddsp_export.exportable import STEP
from ddsp_tf.errors import DdspError
from ddsp_tf.training.evaluation import load_evaluation
from ddsp_tf.training.run import load_model_of_run
from tests.tasks.gain.level import scaled

KEPT_NAME = "levels.npy"
BOUNDS = {"float32": 1e-5}
CHECK = """
import sys
for name in ("tensorflow", "keras"): sys.modules[name] = None
from ddsp_edge import StepModel
gain = StepModel(sys.argv[1]).step(level_scaled=[[0.5]])["gain"]
if not 0.0 <= gain.item() <= 1.0: sys.exit(f"it opens, and gives a gain of {gain.item()}, which is none")
"""


class GainExport:
    """See `ddsp_export.exportable.Exportable`."""

    def __init__(self, run: Path, options: Mapping[str, Any]) -> None:
        self._run = run
        self.model = load_model_of_run(run, task="gain")
        config = self.model.facts["config"]
        self.arrays: dict[str, Array] = {}
        self.states: Mapping[str, list[int]] = {"smooth": [1, 1]}
        self._levels = np.load(run / KEPT_NAME)
        self._expected = np.asarray(self.model({"level_db": self._levels[np.newaxis]}))[0]
        self.card = Card(
            task="gain",
            name=config["name"],
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            sample_rate=config["sample_rate"],
            hop=config["sample_rate"] // config["frame_rate"],
            inputs={"level_scaled": Port((1, 1), "level in dB / 20 + 1.5")},
            outputs={"gain": Port((1, 1), "linear, 0 to 1")},
            states={"smooth": Port((1, 1), "the smoothed level")},
            extractors={"level_db": {"name": "mean square"}},
            about={"threshold_db": config["threshold_db"]},
            config=config,
        )

    def signatures(self) -> dict[str, Any]:
        """`step`."""
        inputs = [tf.TensorSpec([1, 1], tf.float32, name=name) for name in ("level_scaled", "smooth")]
        return {STEP: tf.function(self.model.step, input_signature=inputs, autograph=False)}

    def check_ready(self) -> None:
        """What it is compared with was read already."""

    def calibration(self, progress: Callable[[str], None]) -> dict[str, Array]:
        """What was kept of the training data."""
        return {"level_scaled": scaled(self._levels)}

    def _gains(self, model: StepModel) -> Array:
        return model.process(level_scaled=scaled(self._levels))["gain"]

    def check_float32(self, flatbuffer: bytes) -> float:
        """Rounding alone."""
        error = self.error(flatbuffer)
        if error > BOUNDS["float32"]:
            raise DdspError(f"the float32 model differs from Keras by {error:.3g}")
        return error

    def error(self, flatbuffer: bytes) -> float:
        """Largest difference of the gain."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "candidate.tflite"
            write_model_file(path, flatbuffer, self.card, {})
            return float(np.abs(self._gains(StepModel(path)) - self._expected).max())

    def measure(self, path: Path) -> dict[str, Any]:
        """Largest difference of the gain, and the time of a frame."""
        model = StepModel(path)
        began = time.process_time()
        gains = self._gains(model)
        seconds = time.process_time() - began
        return {
            "gain_error_max": float(np.abs(gains - self._expected).max()),
            "us_per_frame": 1e6 * seconds / len(gains),
            "seconds_verified": len(gains) * self.card.hop / self.card.sample_rate,
            "measured_on": "a machine of the tests",
        }

    def check(self, quality: dict[str, Any], quantization: str) -> None:
        """Its own gate."""
        bound = BOUNDS.get(quantization, 0.05)
        if not quality["gain_error_max"] <= bound:
            raise DdspError(f"the gain differs from Keras by {quality['gain_error_max']:.3g}")

    def is_unnoticed(self, quality: dict[str, Any]) -> bool:
        """Nobody hears a tenth of a dB."""
        return bool(quality["gain_error_max"] < 0.01)

    def us_per_frame(self, quality: dict[str, Any]) -> float:
        """As measured."""
        return float(quality["us_per_frame"])

    def with_step_alone(self) -> Card:
        """It has nothing else."""
        return self.card

    def check_card(self, card: Card) -> None:
        """All that a host asks for is in every card."""

    def check_opens(self, path: Path) -> None:
        """In a process that cannot import TensorFlow."""
        import sys

        run_apart("the process that opened it", [sys.executable, "-c", CHECK, str(path)], 120)

    def evaluation(self) -> dict[str, Any]:
        """What was measured before."""
        return load_evaluation(self._run)
