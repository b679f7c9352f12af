"""Its export: the encoder frame by frame, its weights to be trained through, and what holds a file to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.card import Port
from ddsp_edge.features.log_mel import N_MELS
from ddsp_edge.features.log_mel import NAME as LOG_MEL
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.speech.export import SpeechExport
from ddsp_tf.speech.weights import SETTINGS, TASK, encoder_arrays
from ddsp_tf.tasks.content.network import network_of
from ddsp_tf.tasks.content.phones import PHONES
from ddsp_tf.training.step_network import StepNetwork

_SAME_PHONES = {"float32": 0.999, "float16": 0.99}
_SAME_PHONES_IN_INTEGERS = 0.95
_UNNOTICED = 0.97


class ContentExport(SpeechExport):
    """See `ddsp_tf.speech.export.SpeechExport`."""

    task, noun, compared = TASK, "a content encoder", ("content",)

    def __init__(self, run: Path, options: Mapping[str, Any]) -> None:
        super().__init__(run, options)
        self.arrays = encoder_arrays(self.model.encoder)

    def network(self) -> StepNetwork:
        """The encoder as a stream."""
        return network_of(self.model)

    def inputs(self) -> dict[str, Port]:
        """Bands."""
        return {"log_mel": Port((1, N_MELS), "log powers in mel bands, see ddsp_edge.features.log_mel")}

    def outputs(self) -> dict[str, Port]:
        """Content and phones."""
        encoder = self.model.encoder
        late = f"of the frame {encoder.lookahead_frames} before"
        return {
            "content": Port((1, encoder.content), f"what is said, {late}"),
            "phones": Port((1, encoder.phones), f"logits of phones, {late}"),
        }

    def extractors(self) -> dict[str, dict[str, Any]]:
        """Of the bands."""
        return {"log_mel": {"name": LOG_MEL, "bands": N_MELS}}

    def about(self) -> dict[str, Any]:
        """Names of the phones, and what makes an encoder of the weights."""
        encoder = self.model.encoder
        names = ("phones", "channels", "units", "content", "lookahead_frames", "frame_rate")
        return {
            "phones": list(PHONES),
            "lookahead_frames": encoder.lookahead_frames,
            SETTINGS: {name: getattr(encoder, name) for name in names},
        }

    def compare(self, found: dict[str, Array], expected: dict[str, Array]) -> dict[str, Any]:
        """Error of the content re its spread, and share of frames with the same phone."""
        spread = float(expected["content"].std()) + 1e-9
        same = found["phones"].argmax(axis=1) == expected["phones"].argmax(axis=1)
        return {
            "content_error": float(np.abs(found["content"] - expected["content"]).mean()) / spread,
            "same_phones": float(np.mean(same)),
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
