"""Its export: encoder and decoder frame by frame, and what holds a file to them."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.card import Card, Port
from ddsp_edge.children import module_command
from ddsp_edge.features.log_mel import N_MELS
from ddsp_edge.features.log_mel import NAME as LOG_MEL
from ddsp_edge.features.loudness import DEFINITION
from ddsp_edge.units import Array
from ddsp_edge.voice.card import TASK, facts_of
from ddsp_edge.voice.live import LiveConverter
from ddsp_export.apart import run_apart
from ddsp_tf.errors import DdspError
from ddsp_tf.speech.export import SpeechExport
from ddsp_tf.tasks.voice.convert import facts_of_model, network_of
from ddsp_tf.tasks.voice.reference import REFERENCE_NAME
from ddsp_tf.training.step_network import StepNetwork

_AUDIBLE = 1e-3  # -60 dB: errors of filters that let less through are not heard
_ENVELOPE_DB = {"float32": 0.05, "float16": 0.2}
_ENVELOPE_IN_INTEGERS_DB = 1.0
_UNNOTICED_DB = 0.6
_OPENS_S = 120


class VoiceExport(SpeechExport):
    """See `ddsp_tf.speech.export.SpeechExport`."""

    task = TASK
    noun = "a voice"
    compared = ("harmonic_magnitudes", "noise_magnitudes")
    reference_name = REFERENCE_NAME

    def network(self) -> StepNetwork:
        """Encoder and decoder."""
        return network_of(self.model)

    @property
    def _late(self) -> str:
        return f"of the frame {self.model.ahead} before that of log_mel"

    def inputs(self) -> dict[str, Port]:
        """Bands; pitch, voicing and loudness, as late as the encoder is; of several voices which."""
        inputs = {
            "log_mel": Port((1, N_MELS), "log powers in mel bands, see ddsp_edge.features.log_mel"),
            "f0_hz": Port((1, 1), f"pitch, Hz, held where there is none, {self._late}"),
            "voiced": Port((1, 1), f"1 where there is a pitch, else 0, {self._late}"),
            "loudness_db": Port((1, 1), f"dB, {self._late}"),
        }
        if self.model.voices > 1:
            inputs["voice"] = Port((1, self.model.voices), "weight of each voice")
        return inputs

    def outputs(self) -> dict[str, Port]:
        """Controls of the processors."""
        bands = (1, self.model.n_bands)
        return {
            "amplitude": Port((1, 1), f"sum of the amplitudes of the harmonics of the source, {self._late}"),
            "distribution": Port((1, self.model.n_harmonics), "share of each of them, flat below Nyquist"),
            "harmonic_magnitudes": Port(bands, "gain of the filter of the source, 0 to 2"),
            "noise_magnitudes": Port(bands, "gain of the filter of the noise, 0 to 2"),
        }

    def extractors(self) -> dict[str, dict[str, Any]]:
        """Bands, pitch by what labelled the recordings, loudness."""
        known = facts_of_model(self.model)
        return {
            "log_mel": {"name": LOG_MEL, "bands": N_MELS},
            "f0_hz": {"name": known.pitch, "f0_min_hz": known.f0_min_hz, "f0_max_hz": known.f0_max_hz},
            "loudness_db": {"name": DEFINITION},
        }

    def about(self) -> dict[str, Any]:
        """Look-ahead, ranges, voices, consent, and how much was heard."""
        facts = self.model.facts
        return {
            "lookahead_frames": self.model.ahead,
            "f0_hz_range": facts["f0_hz_range"],
            "loudness_db_range": facts["loudness_db_range"],
            "voices": list(facts["config"]["voices"]),
            "consent": facts["consent"],
            "data": {"seconds": round(facts["train_seconds"], 1), "recordings": facts["recordings"]},
        }

    def check_ready(self) -> None:
        """Refuse a run without features to compare on, or whose data nobody has agreed to."""
        super().check_ready()
        if not self.model.facts["consent"]:
            raise DdspError(
                f"{self._run} was trained on a dataset without consent: prepare it by `ddsp-tf prepare "
                "--config voice`, which asks for it"
            )

    def error(self, flatbuffer: bytes) -> float:
        """Mean difference of the filters, dB."""
        return _envelope_error_db(self._found(flatbuffer), self._expected)

    def compare(self, found: dict[str, Array], expected: dict[str, Array]) -> dict[str, Any]:
        """Filters and amplitude, where they are heard."""
        difference = np.abs(_db(found["amplitude"]) - _db(expected["amplitude"]))
        return {
            "envelope_error_db": _envelope_error_db(found, expected),
            "amplitude_error_db": _mean(difference[expected["amplitude"] > _AUDIBLE]),
        }

    def measure(self, path: Path) -> dict[str, Any]:
        """Run a file, and compare its controls with those of Keras; time it as a live host has it."""
        live = LiveConverter(path, seed=0)
        sound = np.random.default_rng(0).standard_normal(2 * self.card.sample_rate).astype(np.float32) * 0.05
        began = time.process_time()
        for start in range(0, len(sound), 256):
            live.process(sound[start : start + 256])
        seconds = time.process_time() - began
        return {
            **super().measure(path),
            "cpu_s_per_s": seconds * self.card.sample_rate / len(sound),
            "latency_ms": 1e3 * live.latency_samples / self.card.sample_rate,
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

    def check_card(self, card: Card) -> None:
        """Refuse a card by which nobody could convert."""
        facts_of(card, "the card")

    def check_opens(self, path: Path) -> None:
        """In a process that cannot import TensorFlow."""
        run_apart(
            "the process that opened it", [*module_command("ddsp_edge.voice.opens"), str(path)], _OPENS_S
        )


def _envelope_error_db(found: dict[str, Array], expected: dict[str, Array]) -> float:
    """Mean difference of the filters, dB, where what they let through is heard."""
    levels = {"harmonic_magnitudes": expected["amplitude"], "noise_magnitudes": np.ones(1)}
    errors = [
        np.abs(_db(found[name]) - _db(expected[name]))[level * expected[name] > _AUDIBLE]
        for name, level in levels.items()
    ]
    return _mean(np.concatenate(errors))


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else 0.0


def _db(gains: Array) -> Array:
    return np.asarray(20.0 * np.log10(gains + 1e-5))
