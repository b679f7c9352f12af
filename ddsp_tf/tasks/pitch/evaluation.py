"""How well a tracker hears speakers that it has not heard, beside the device's own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.features.pitch import VOICED, PitchTracker
from ddsp_edge.units import Array
from ddsp_edge.voice.speech_pitch import read_pitches
from ddsp_tf.metrics.pitch import (
    octave_error_rate,
    raw_pitch_accuracy,
    voicing_false_alarm,
    voicing_recall,
)
from ddsp_tf.tasks.pitch.config import PitchConfig
from ddsp_tf.tasks.pitch.examples import PitchExamples, features_of
from ddsp_tf.tasks.pitch.model import PitchModel

_MEASURES = {
    "frames within 50 cents": raw_pitch_accuracy,
    "octave errors": octave_error_rate,
    "voicing recall": voicing_recall,
    "voicing false alarms": voicing_false_alarm,
}


@dataclass(frozen=True)
class PitchScores:
    """Shares of the frames of held-back speech; what its labels say is held to be right.

    Args:
        network: By measure, of the network.
        tracker: The same of the tracker of the device, `ddsp_edge.PitchTracker`.
        seconds: Of speech.
    """

    network: dict[str, float]
    tracker: dict[str, float]
    seconds: float

    def table(self) -> str:
        """As text."""
        lines = [f"{'':<26}{'network':>10}{'without':>10}"]
        for name in _MEASURES:
            lines.append(f"{name:<26}{self.network[name]:>10.1%}{self.tracker[name]:>10.1%}")
        lines.append(
            f"{self.seconds:.0f} s of held-back speech, re its labels; without: the device's own tracker"
        )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            name: value if isinstance(value, float) else {k: round(v, 4) for k, v in value.items()}
            for name, value in vars(self).items()
        }


def evaluate_pitch(
    model: PitchModel, config: PitchConfig, data: Path, progress: Callable[[str], None]
) -> PitchScores:
    """Follow all held-back passages."""
    held = PitchExamples(data, "validation", config)
    truth, network, tracker = list[Array](), list[Array](), list[Array]()
    for index in range(len(held.places)):
        progress(f"passage {index + 1} of {len(held.places)}")
        audio, wanted = held.passage(index)
        truth.append(wanted)
        network.append(heard(model, config, audio))
        tracker.append(tracked(config, audio))
    seconds = sum(len(part) for part in truth) * config.spec.hop / config.sample_rate
    return PitchScores(_scores(truth, network), _scores(truth, tracker), seconds)


def _scores(truth: list[Array], found: list[Array]) -> dict[str, float]:
    wanted, joined = np.concatenate(truth), np.concatenate(found)
    return {name: measure(wanted, joined) for name, measure in _MEASURES.items()}


def heard(model: PitchModel, config: PitchConfig, audio: Array) -> Array:
    """The pitch that a model hears in a whole sound, Hz `[frames]`, 0 where there is none."""
    logits = model.logits_of(features_of(audio, config.spec, config.data))
    f0_hz, voicing = read_pitches(logits, model.pitches_hz)
    return np.where(voicing >= VOICED, f0_hz, np.float32(0.0))


def tracked(config: PitchConfig, audio: Array) -> Array:
    """The same by the tracker of the device."""
    tracker = PitchTracker(config.spec, config.data.f0_min_hz, config.data.f0_max_hz)
    parts = [tracker.push(audio), tracker.flush()]
    f0_hz, voicing = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return np.where(voicing >= VOICED, f0_hz, np.float32(0.0))
