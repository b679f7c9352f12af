"""Its export: encoder and decoder frame by frame, and what holds a file to them."""

import dataclasses
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
from ddsp_edge.features.log_mel import N_MELS
from ddsp_edge.features.log_mel import NAME as LOG_MEL
from ddsp_edge.features.loudness import DEFINITION
from ddsp_edge.model.file import write_model_file
from ddsp_edge.model.step_model import StepModel
from ddsp_edge.units import Array
from ddsp_edge.voice.card import TASK, facts_of
from ddsp_edge.voice.live import LiveConverter
from ddsp_export.apart import run_apart
from ddsp_export.exportable import STEP
from ddsp_tf.errors import DdspError
from ddsp_tf.speech.reference import Features, load_reference
from ddsp_tf.tasks.voice.convert import facts_of_model, network_of
from ddsp_tf.tasks.voice.reference import REFERENCE_NAME
from ddsp_tf.training.evaluation import load_evaluation
from ddsp_tf.training.run import load_model_of_run

FLOAT32_ERROR_MAX = 1e-3
"""Of any filter gain, 0 to 2: rounding alone."""
_AUDIBLE = 1e-3  # -60 dB: errors of filters that let less through are not heard
_ENVELOPE_DB = {"float32": 0.05, "float16": 0.2}
_ENVELOPE_IN_INTEGERS_DB = 1.0
_UNNOTICED_DB = 0.6
_OPENS_S = 120


class VoiceExport:
    """See `ddsp_export.exportable.Exportable`.

    Args:
        run: The run folder.
        options: `step_alone`, which every file of this task has.

    Raises:
        DdspError: If there is no such option, or the run has no model.
    """

    arrays: dict[str, Array]

    def __init__(self, run: Path, options: Mapping[str, Any]) -> None:
        if unknown := sorted(set(options) - {"step_alone"}):
            raise DdspError(f"a voice has no option {', '.join(unknown)} of export")
        self._run = run
        model: Any = load_model_of_run(run, task=TASK)
        self.model, self.arrays = model, {}
        self.states: Mapping[str, list[int]] = model.state_shapes
        self.card = self._describe()

    def _describe(self) -> Card:
        model = self.model
        facts, config = model.facts, model.facts["config"]
        known = facts_of_model(model)
        late = f"of the frame {model.ahead} before that of log_mel"
        inputs = {
            "log_mel": Port((1, N_MELS), "log powers in mel bands, see ddsp_edge.features.log_mel"),
            "f0_hz": Port((1, 1), f"pitch, Hz, held where there is none, {late}"),
            "voiced": Port((1, 1), f"1 where there is a pitch, else 0, {late}"),
            "loudness_db": Port((1, 1), f"dB, {late}"),
        }
        if model.voices > 1:
            inputs["voice"] = Port((1, model.voices), "weight of each voice")
        return Card(
            task=TASK,
            name=config["name"],
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            sample_rate=config["sample_rate"],
            hop=model.spec.hop,
            inputs=inputs,
            outputs={
                "amplitude": Port((1, 1), f"sum of the amplitudes of the harmonics of the source, {late}"),
                "distribution": Port((1, model.n_harmonics), "share of each of them, flat below Nyquist"),
                "harmonic_magnitudes": Port((1, model.n_bands), "gain of the filter of the source, 0 to 2"),
                "noise_magnitudes": Port((1, model.n_bands), "gain of the filter of the noise, 0 to 2"),
            },
            states={name: Port(tuple(shape), "carried") for name, shape in self.states.items()},
            extractors={
                "log_mel": {"name": LOG_MEL, "bands": N_MELS},
                "f0_hz": {"name": known.pitch, "f0_min_hz": known.f0_min_hz, "f0_max_hz": known.f0_max_hz},
                "loudness_db": {"name": DEFINITION},
            },
            about={
                "lookahead_frames": model.ahead,
                "f0_hz_range": facts["f0_hz_range"],
                "loudness_db_range": facts["loudness_db_range"],
                "voices": list(config["voices"]),
                "consent": facts["consent"],
                "data": {"seconds": round(facts["train_seconds"], 1), "recordings": facts["recordings"]},
            },
            config=config,
        )

    @cached_property
    def _reference(self) -> dict[str, Features]:
        return load_reference(self._run / REFERENCE_NAME, list(self.model.input_sizes))

    @cached_property
    def _expected(self) -> dict[str, Array]:
        """Controls of Keras, `[frames, channels]`."""
        return network_of(self.model).process(**self._reference["held_back"])

    def signatures(self) -> dict[str, Any]:
        """`step`."""
        sizes = self.model.input_sizes.items()
        specs = [tf.TensorSpec([1, size], tf.float32, name=name) for name, size in sizes]
        specs += [tf.TensorSpec(shape, tf.float32, name=name) for name, shape in self.states.items()]
        return {STEP: tf.function(self.model.step, input_signature=specs, autograph=False)}

    def check_ready(self) -> None:
        """Refuse a run without features to compare on, or whose data nobody has agreed to."""
        _ = self._reference
        if not self.model.facts["consent"]:
            raise DdspError(
                f"{self._run} was trained on a dataset without consent: prepare it by `ddsp-tf prepare "
                "--config voice`, which asks for it"
            )

    def calibration(self, progress: Callable[[str], None]) -> dict[str, Array]:
        """Features of training speech."""
        return dict(self._reference["trained"])

    def check_float32(self, flatbuffer: bytes) -> float:
        """Largest difference of any gain of a filter."""
        found = self._controls(flatbuffer)
        names = ("harmonic_magnitudes", "noise_magnitudes")
        error = max(float(np.abs(found[name] - self._expected[name]).max()) for name in names)
        if not error <= FLOAT32_ERROR_MAX:
            raise DdspError(
                f"the float32 model differs from Keras by {error:.3g}; {FLOAT32_ERROR_MAX} is allowed"
            )
        return error

    def error(self, flatbuffer: bytes) -> float:
        """Mean difference of the filters, dB."""
        return self._envelope_error_db(self._controls(flatbuffer))

    def _envelope_error_db(self, found: dict[str, Array]) -> float:
        """Of what is heard."""
        errors = []
        for name in ("harmonic_magnitudes", "noise_magnitudes"):
            expected = self._expected[name]
            if name == "harmonic_magnitudes":
                heard = self._expected["amplitude"] * expected > _AUDIBLE
            else:
                heard = expected > _AUDIBLE
            errors.append(np.abs(_db(found[name]) - _db(expected))[heard])
        every = np.concatenate(errors)
        return float(every.mean()) if len(every) else 0.0

    def measure(self, path: Path) -> dict[str, Any]:
        """Run a file, and compare its controls with those of Keras; time it as a live host has it."""
        model = StepModel(path)
        given = self._reference["held_back"]
        began = time.process_time()
        found = model.process(**given)
        seconds = time.process_time() - began
        frames = len(given["log_mel"])
        expected, own = self._expected["amplitude"], found["amplitude"]
        heard = expected > _AUDIBLE
        difference = np.abs(_db(own) - _db(expected))[heard]
        live = LiveConverter(path, seed=0)
        sound = np.random.default_rng(0).standard_normal(2 * self.card.sample_rate).astype(np.float32) * 0.05
        began = time.process_time()
        for start in range(0, len(sound), 256):
            live.process(sound[start : start + 256])
        live_seconds = time.process_time() - began
        return {
            "envelope_error_db": self._envelope_error_db(found),
            "amplitude_error_db": float(difference.mean()) if len(difference) else 0.0,
            "us_per_frame": 1e6 * seconds / frames,
            "cpu_s_per_s": live_seconds * self.card.sample_rate / len(sound),
            "latency_ms": 1e3 * live.latency_samples / self.card.sample_rate,
            "seconds_verified": frames * self.card.hop / self.card.sample_rate,
            "measured_on": platform.machine(),
        }

    def check(self, quality: dict[str, Any], quantization: str) -> None:
        """Hold a file to the filters of Keras."""
        most = _ENVELOPE_DB.get(quantization, _ENVELOPE_IN_INTEGERS_DB)
        if not quality["envelope_error_db"] <= most:
            raise DdspError(
                f"the filters of the file differ from Keras by {quality['envelope_error_db']:.2f} dB on "
                f"average; {most:g} is allowed"
            )

    def is_unnoticed(self, quality: dict[str, Any]) -> bool:
        """Whether the filters are nearly the same."""
        return bool(quality["envelope_error_db"] <= _UNNOTICED_DB)

    def us_per_frame(self, quality: dict[str, Any]) -> float:
        """As measured."""
        return float(quality["us_per_frame"])

    def with_step_alone(self) -> Card:
        """It has nothing else."""
        return dataclasses.replace(self.card)

    def check_card(self, card: Card) -> None:
        """Refuse a card by which nobody could convert."""
        facts_of(card, "the card")

    def check_opens(self, path: Path) -> None:
        """In a process that cannot import TensorFlow."""
        run_apart(
            "the process that opened it", [*module_command("ddsp_edge.voice.opens"), str(path)], _OPENS_S
        )

    def evaluation(self) -> dict[str, Any]:
        """What was measured before."""
        return load_evaluation(self._run)

    def _controls(self, flatbuffer: bytes) -> dict[str, Array]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "candidate.tflite"
            write_model_file(path, flatbuffer, self.card, {})
            return StepModel(path).process(**self._reference["held_back"])


def _db(gains: Array) -> Array:
    return np.asarray(20.0 * np.log10(gains + 1e-5))
