"""An instrument as it is exported."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ddsp_edge.further import FURTHER, scaled_name
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.units import Array, scale_f0, scale_loudness
from ddsp_export.convert import convert
from ddsp_export.graph import SynthesizerGraph
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.instrument.excerpts import EXCERPTS_NAME, load_excerpts, load_further
from ddsp_tf.tasks.instrument.export.describe import describe, load_to_export
from ddsp_tf.tasks.instrument.export.endpoints import VoiceSynthesis, make_endpoints
from ddsp_tf.tasks.instrument.export.gate import check_card, check_float32, check_measured
from ddsp_tf.tasks.instrument.export.verify import Verifier
from ddsp_tf.tasks.instrument.expression.store import load_expression, with_expression
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.reference import Reference, load_reference
from ddsp_tf.training.evaluation import load_evaluation

AUTO_LEVEL_DB = 0.1
AUTO_DISTANCE_PERCENT = 0.5
"""What `auto` holds a file to: mean error of harmonic levels, and change of the spectral distance to the
recording. Neither is heard; both are tighter than what a file that was asked for by name must keep."""


class InstrumentExport:
    """An instrument as `ddsp_export.export` takes it, see `ddsp_export.exportable.Exportable`.

    Args:
        run: The run folder.
        options: `instrument`, of a model of several: one of them, or a mix, such as
            `"flute=0.5,violin=0.5"`; `play`, whether the synthesizer goes into the model too (True); `dry`,
            whether the rooms are left out (False); `step_alone`, whether `step` is the only signature
            (False).

    Raises:
        DdspError: If there is no such option, the run has no model, or one of several instruments and none is
            named, or one that devices cannot play.
    """

    def __init__(self, run: Path, options: Mapping[str, Any]) -> None:
        given: dict[str, Any] = {"instrument": None, "play": True, "dry": False, "step_alone": False}
        if unknown := sorted(set(options) - set(given)):
            raise DdspError(f"an instrument has no option {', '.join(unknown)} of export")
        given |= options
        self._run = run
        self.model: Autoencoder = load_to_export(run, given["instrument"], dry=bool(given["dry"]))
        self._play = bool(given["play"]) and not given["step_alone"]
        self.card, self.arrays = with_expression(*describe(self.model, self._play), load_expression(run))
        self.states: Mapping[str, list[int]] = {
            name: [1, size] for name, size in self.model.decoder.state_sizes.items()
        }

    @cached_property
    def _reference(self) -> Reference:
        return load_reference(self._run, self.model.spec)

    @cached_property
    def verifier(self) -> Verifier:
        """What compares files with the model."""
        return Verifier(self.model, self._reference)

    def signatures(self) -> dict[str, Any]:
        """`step` and `block`, and with the synthesizer `synthesize`, `play` and `voice`."""
        if not self._play:
            return make_endpoints(self.model)
        synthesizer = SynthesizerGraph(self.model.spec, self.card.synthesizer, self.arrays)
        voice = VoiceSynthesis.of(self.model.spec, self.card.synthesizer, self.arrays)
        return make_endpoints(self.model, synthesizer, voice)

    def check_ready(self) -> None:
        """Refuse a run without held-back sound."""
        _ = self._reference

    def calibration(self, progress: Callable[[str], None]) -> dict[str, Array]:
        """Features of training sound, which older runs did not keep."""
        if (self._run / EXCERPTS_NAME).exists():
            kept = load_excerpts(self._run)
            if self.model.level == "power":
                kept = dataclasses.replace(kept, loudness_db=kept.power_db)
            return scaled_features(kept, load_further(self._run, self.model.further))
        progress("ranges will be measured on sound held back: the run keeps no excerpts of its training data")
        return scaled_features(self._reference, self._reference.further)

    def check_float32(self, flatbuffer: bytes) -> float:
        """Largest difference of any control, which is to be rounding alone."""
        error = self.verifier.control_error(self.verifier.predict(flatbuffer, self.card))
        check_float32(error)
        return error

    def error(self, flatbuffer: bytes) -> float:
        """Mean error of harmonic levels, dB."""
        return self.verifier.level_error_db(self.verifier.predict(flatbuffer, self.card))

    def measure(self, path: Path) -> dict[str, Any]:
        """Play a file and measure what it does."""
        return self.verifier.measure(path)

    def check(self, quality: dict[str, Any], quantization: str) -> None:
        """Hold a file to the bounds of its quantization."""
        check_measured(quality, quantization)

    def is_unnoticed(self, quality: dict[str, Any]) -> bool:
        """Whether levels and distance are within what `auto` holds a file to."""
        return (
            quality["harmonic_level_error_db_mean"] <= AUTO_LEVEL_DB
            and abs(quality["spectral_distance_change_percent"]) <= AUTO_DISTANCE_PERCENT
        )

    def us_per_frame(self, quality: dict[str, Any]) -> float:
        """That of the network."""
        return float(quality["network_us_per_frame"])

    def with_step_alone(self) -> InstrumentCard:
        """The card of a file without the synthesizer."""
        return dataclasses.replace(self.card, synthesis_state_shapes={}, voice={})

    def check_card(self, card: InstrumentCard) -> None:
        """Refuse a card from which a host could not play the file."""
        check_card(card, self.arrays, set(self.verifier.expected))

    def check_opens(self, path: Path) -> None:
        """Open and play a finished file in a fresh process."""
        self.verifier.check_opens(path)

    def evaluation(self) -> dict[str, Any]:
        """What `ddsp-tf evaluate` measured before."""
        return load_evaluation(self._run)


def convert_model(
    model: Autoencoder,
    calibration: Mapping[str, Array] | None = None,
    synthesizer: SynthesizerGraph | None = None,
    voice: VoiceSynthesis | None = None,
    float_operators: Sequence[str] = (),
) -> bytes:
    """Convert the signatures of an instrument's model, see `ddsp_export.convert.convert`.

    Args:
        model: The trained model.
        calibration: None for float32. Scaled features, `[frames]` by name, for integers throughout.
        synthesizer: None for a model without `synthesize` and `play`.
        voice: None for a model without `voice`.
        float_operators: Operators that stay float32 in a model of integers.
    """
    states = {name: [1, size] for name, size in model.decoder.state_sizes.items()}
    signatures = make_endpoints(model, synthesizer, voice)
    return convert(model, signatures, states, calibration, float_operators)


def scaled_features(features: Any, further: Mapping[str, Array] | None = None) -> dict[str, Array]:
    """Inputs of the network `[frames]` by name, of what has `f0_hz` and `loudness_db`."""
    return {
        **{scaled_name(name): FURTHER[name].scale(values) for name, values in (further or {}).items()},
        "f0_scaled": scale_f0(features.f0_hz),
        "loudness_scaled": scale_loudness(features.loudness_db),
    }
