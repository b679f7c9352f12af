"""A restoration as it is exported, and the gate that its files go through."""

import tempfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ddsp_edge.card import Card
from ddsp_edge.model.file import write_model_file
from ddsp_edge.model.step_model import StepModel
from ddsp_edge.restoration.restorer import bands_of
from ddsp_edge.units import Array
from ddsp_export.apart import play_apart
from ddsp_export.exportable import STEP
from ddsp_export.machine import machine
from ddsp_tf.errors import DdspError
from ddsp_tf.metrics.distortion import si_sdr_db
from ddsp_tf.tasks.restoration.export.describe import describe
from ddsp_tf.tasks.restoration.held_back import HeldBack, load_held_back
from ddsp_tf.tasks.restoration.model.model import Restoration
from ddsp_tf.training.evaluation import load_evaluation
from ddsp_tf.training.run import load_model_of_run

GAIN_BOUND = 1e-3
"""Largest difference of any gain between the float32 model and Keras: rounding, which two recurrent layers
carry on over 500 frames; the sound is held to `SOUND_BOUND`."""
SOUND_BOUND = 1e-4
"""Peak difference, of full scale, between blocks of one size and another, and in float32 from Keras."""
LOSS_BOUND_DB = {"float32": 0.005, "float16": 0.02}
LARGEST_LOSS_DB = 0.1
"""How much lower the mean SI-SDR of held-back mixtures may be than that of Keras, dB; of other ways to store
the weights the second."""
UNNOTICED_DB = 0.05
QUALITY = frozenset(
    {
        "si_sdr_db_noisy",
        "si_sdr_db_keras",
        "si_sdr_db_file",
        "si_sdr_loss_db",
        "gain_error_mean",
        "block_error_peak",
        "us_per_frame",
        "real_time_factor",
        "latency_ms",
        "measured_on",
    }
)
_CALIBRATION_FRAMES = 2000


class RestorationExport:
    """A restoration as `ddsp_export.export` takes it, see `ddsp_export.exportable.Exportable`.

    Args:
        run: The run folder.
        options: `step_alone`, which changes nothing: there is no other signature.

    Raises:
        DdspError: If the run has no model, or there is no such option.
    """

    def __init__(self, run: Path, options: Mapping[str, Any]) -> None:
        if unknown := sorted(set(options) - {"step_alone"}):
            raise DdspError(f"a restoration has no option {', '.join(unknown)} of export")
        self._run = run
        model: Any = load_model_of_run(run, task="restoration")
        self.model: Restoration = model
        self.card = describe(self.model)
        self.arrays: dict[str, Array] = {}
        self.states: Mapping[str, list[int]] = {n: [1, size] for n, size in self.model.state_sizes.items()}

    @cached_property
    def _held_back(self) -> HeldBack:
        return load_held_back(self._run)

    @cached_property
    def _log_powers(self) -> Array:
        """What the network hears of the mixtures, `[mixtures, frames, bands]`."""
        noisy = self._held_back.noisy
        frames = noisy.shape[1] // self.model.spec.hop * self.model.spec.hop
        spectra = self.model.spectra(tf.constant(noisy[:, :frames]))
        return np.asarray(self.model.log_powers(tf.square(tf.abs(spectra))))

    @cached_property
    def _expected(self) -> Array:
        """Gains of Keras, `[mixtures, frames, bands]`."""
        return np.asarray(self.model.network(tf.constant(self._log_powers))[0])

    @cached_property
    def _restored(self) -> Array:
        return np.asarray(self.model({"audio": tf.constant(self._held_back.noisy)}))

    def _si_sdr_db(self, sounds: Array) -> float:
        return float(np.mean(si_sdr_db(self._held_back.clean, sounds)))

    def signatures(self) -> dict[str, Any]:
        """`step`."""
        sizes = {"log_power": self.model.bands.count, **self.model.state_sizes}
        inputs = [tf.TensorSpec([1, size], tf.float32, name=name) for name, size in sizes.items()]
        return {STEP: tf.function(self.model.step, input_signature=inputs, autograph=False)}

    def check_ready(self) -> None:
        """Refuse a run without held-back mixtures."""
        _ = self._held_back

    def calibration(self, progress: Callable[[str], None]) -> dict[str, Array]:
        """Frames of mixtures; states go on from one to the next, as in a stream."""
        return {"log_power": self._log_powers.reshape(-1, self.model.bands.count)[:_CALIBRATION_FRAMES]}

    def _gains(self, flatbuffer: bytes) -> Array:
        """Gains that a model gives, in this process, `[mixtures, frames, bands]`."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "candidate.tflite"
            write_model_file(path, flatbuffer, self.card, {})
            model = StepModel(path)
        found = []
        for log_power in self._log_powers:
            model.reset()
            found.append(model.process(log_power=log_power)["gains"])
        return np.stack(found)

    def check_float32(self, flatbuffer: bytes) -> float:
        """Largest difference of any gain, which is to be rounding alone."""
        error = float(np.abs(self._gains(flatbuffer) - self._expected).max())
        if not error <= GAIN_BOUND:
            raise DdspError(f"the gains of float32 differ from Keras by {error:.3g}; at most {GAIN_BOUND:g}")
        return error

    def error(self, flatbuffer: bytes) -> float:
        """Mean difference of gains."""
        return float(np.abs(self._gains(flatbuffer) - self._expected).mean())

    def measure(self, path: Path) -> dict[str, Any]:
        """Restore with a file, and measure what it does."""
        module, noisy = "ddsp_tf.tasks.restoration.export.play", self._held_back.noisy
        played = play_apart(module, path, {"noisy": noisy}, "the file does not restore")
        seconds = noisy.size / self.model.spec.sample_rate
        frames = played["gains"].shape[0] * played["gains"].shape[1]
        of_keras, of_file = self._si_sdr_db(self._restored), self._si_sdr_db(played["restored"])
        return {
            "seconds_verified": round(seconds, 3),
            "si_sdr_db_noisy": self._si_sdr_db(noisy),
            "si_sdr_db_keras": of_keras,
            "si_sdr_db_file": of_file,
            "si_sdr_loss_db": of_keras - of_file,
            "gain_error_mean": float(np.abs(played["gains"] - self._expected).mean()),
            "sound_error_peak": float(np.abs(played["restored"] - self._restored).max()),
            "block_error_peak": float(np.abs(played["by_blocks"] - played["restored"][0]).max()),
            "us_per_frame": round(1e6 * float(played["seconds"]) / frames, 2),
            "real_time_factor": round(seconds / float(played["seconds"]), 2),
            "latency_ms": round(
                1e3 * (self.model.latency_samples + self.model.spec.hop - 1) / self.model.spec.sample_rate, 2
            ),
            "measured_on": machine(),
        }

    def check(self, quality: dict[str, Any], quantization: str) -> None:
        """Hold a file to the bounds of its quantization."""
        bounds = {
            "the SI-SDR of held-back mixtures is lower than that of Keras (dB)": (
                quality["si_sdr_loss_db"],
                LOSS_BOUND_DB.get(quantization, LARGEST_LOSS_DB),
            ),
            "the sound of blocks of one size differs from that of another": (
                quality["block_error_peak"],
                SOUND_BOUND,
            ),
        }
        if quantization == "float32":
            bounds["the sound differs from Keras"] = (quality["sound_error_peak"], SOUND_BOUND)
        for what, (value, bound) in bounds.items():
            if not value <= bound:  # also when it is no number
                raise DdspError(f"{what} by {value:.3g}; at most {bound:g} is allowed")

    def is_unnoticed(self, quality: dict[str, Any]) -> bool:
        """Whether nearly nothing is lost."""
        return bool(quality["si_sdr_loss_db"] <= UNNOTICED_DB)

    def us_per_frame(self, quality: dict[str, Any]) -> float:
        """Of network and transforms."""
        return float(quality["us_per_frame"])

    def with_step_alone(self) -> Card:
        """It has nothing else."""
        return self.card

    def check_card(self, card: Card) -> None:
        """Refuse a card from which a host could not restore."""
        bands_of(card, "the card")
        if missing := sorted(QUALITY - set(card.quality)):
            raise DdspError(f"the card is not complete: quality lacks {', '.join(missing)}")

    def check_opens(self, path: Path) -> None:
        """Open and use a finished file in a fresh process."""
        given = {"noisy": self._held_back.noisy[:1]}
        module = "ddsp_tf.tasks.restoration.export.play"
        played = play_apart(module, path, given, "the file does not restore")
        if not np.isfinite(played["restored"]).all():
            raise DdspError("the file restores to what is no sound: values that are not finite")

    def evaluation(self) -> dict[str, Any]:
        """What `ddsp-tf evaluate` measured before."""
        return load_evaluation(self._run)
