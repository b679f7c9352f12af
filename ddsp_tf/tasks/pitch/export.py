"""Its export: the network frame by frame, and what holds a file to it."""

from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.card import Port
from ddsp_edge.features.log_mel import N_MELS
from ddsp_edge.features.log_mel import NAME as LOG_MEL
from ddsp_edge.features.repetition import NAME as REPETITION
from ddsp_edge.units import Array
from ddsp_edge.voice.speech_pitch import TASK, open_speech_pitch, read_pitches
from ddsp_tf.errors import DdspError
from ddsp_tf.speech.export import SpeechExport
from ddsp_tf.tasks.pitch.model import network_of
from ddsp_tf.training.step_network import StepNetwork

_SAME_PITCH = {"float32": 0.999, "float16": 0.99}
_SAME_PITCH_IN_INTEGERS = 0.95
_UNNOTICED = 0.975
_CENTS = 25.0  # that two pitches may differ by and be the same


class PitchExport(SpeechExport):
    """See `ddsp_tf.speech.export.SpeechExport`."""

    task, noun, compared = TASK, "a tracker of pitch", ("pitches",)

    def network(self) -> StepNetwork:
        """The model as a stream."""
        return network_of(self.model)

    def inputs(self) -> dict[str, Port]:
        """What repeats itself, and bands."""
        sizes = self.model.input_sizes
        return {
            "repetition": Port((1, sizes["repetition"]), "see ddsp_edge.features.repetition"),
            "log_mel": Port((1, N_MELS), "log powers in mel bands, see ddsp_edge.features.log_mel"),
        }

    def outputs(self) -> dict[str, Port]:
        """Pitches."""
        count, ahead = len(self.model.pitches_hz), self.model.lookahead_frames
        words = f"logits of pitches, the last one that of none, of the frame {ahead} before"
        return {"pitches": Port((1, count + 1), words)}

    def extractors(self) -> dict[str, dict[str, Any]]:
        """Of what it hears."""
        limits = {"f0_min_hz": self.model.f0_min_hz, "f0_max_hz": self.model.f0_max_hz}
        return {"repetition": {"name": REPETITION, **limits}, "log_mel": {"name": LOG_MEL, "bands": N_MELS}}

    def about(self) -> dict[str, Any]:
        """How late it is."""
        return {"lookahead_frames": self.model.lookahead_frames}

    def compare(self, found: dict[str, Array], expected: dict[str, Array]) -> dict[str, Any]:
        """Share of frames that are unvoiced in both or have the same pitch, and how far off these are."""
        grid = self.model.pitches_hz
        (own_hz, own), (f0_hz, voicing) = (read_pitches(one["pitches"], grid) for one in (expected, found))
        voiced = (own >= 0.5) & (voicing >= 0.5)
        off = 1200.0 * np.abs(np.log2(f0_hz / own_hz))
        same = np.where(voiced, off <= _CENTS, (own >= 0.5) == (voicing >= 0.5))
        return {
            "same_pitch": float(np.mean(same)),
            "cents": float(np.mean(off[voiced & same])) if (voiced & same).any() else 0.0,
        }

    def check(self, quality: dict[str, Any], quantization: str) -> None:
        """Hold a file to the pitches of Keras."""
        least = _SAME_PITCH.get(quantization, _SAME_PITCH_IN_INTEGERS)
        if not quality["same_pitch"] >= least:
            raise DdspError(
                f"the file hears another pitch than Keras in {1 - quality['same_pitch']:.1%} of the frames; "
                f"{1 - least:.1%} is allowed"
            )

    def check_opens(self, path: Path) -> None:
        """As a device does."""
        open_speech_pitch(path)

    def is_unnoticed(self, quality: dict[str, Any]) -> bool:
        """Whether nearly all pitches are the same."""
        return bool(quality["same_pitch"] >= _UNNOTICED)
