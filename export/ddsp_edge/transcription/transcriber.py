"""A stream of sound to notes, by a model file."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ddsp_edge.card import Card
from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.numeric import whole_number
from ddsp_edge.transcription.decode import Thresholds
from ddsp_edge.transcription.judge import Judged, NoteJudge
from ddsp_edge.transcription.spectra import LogSpectra
from ddsp_edge.units import Array

TASK = "transcription"
LOWEST_MIDI, LOOKAHEAD, THRESHOLDS = "lowest_midi", "lookahead_frames", "thresholds"
"""What `about` of a card tells."""


class Network(Protocol):
    """What says of spectra which notes there are: `ddsp_edge.StepModel`, or a model that is being trained."""

    def process(self, *, spectra: Array) -> Mapping[str, Array]:
        """Spectra `[frames, 288, 2]` to `roll`, `[frames, pitches, 4]`; states are carried."""
        ...

    def reset(self) -> None:
        """Begin anew."""
        ...


class Transcriber:
    """Hears notes in a stream, whatever the sizes of its blocks; memory does not grow with it.

    Args:
        network: What says which notes there are.
        about: Plain data: `lowest_midi`, `lookahead_frames` and `thresholds`.
        spec: The frame grid of the network.

    Raises:
        DdspError: If `about` lacks one of them, or it cannot be right.

    Example:
        >>> model = StepModel("notes.tflite")                                     # doctest: +SKIP
        >>> transcriber = Transcriber.of_card(model, model.card)                  # doctest: +SKIP
        >>> for block in microphone:                                              # doctest: +SKIP
        ...     for pitch, onset_s, velocity in transcriber.push(block).begun:
        ...         print(pitch, onset_s)
    """

    def __init__(self, network: Network, about: Mapping[str, Any], spec: FrameSpec) -> None:
        lowest, lookahead = (_whole(about, name) for name in (LOWEST_MIDI, LOOKAHEAD))
        thresholds = about.get(THRESHOLDS, {})
        if not isinstance(thresholds, Mapping):
            raise DdspError(f"thresholds of a transcriber must be an object. Received: {thresholds!r}"[:200])
        self._network, self.spec = network, spec
        self._spectra = LogSpectra(spec)
        self._judge = NoteJudge(spec, lowest, lookahead, Thresholds.from_plain(thresholds))
        self.latency_samples = self._spectra.latency_samples + (lookahead + 1) * spec.hop
        """From a note's onset until it is told, without what the computation itself takes."""

    @classmethod
    def of_card(cls, network: Network, card: Card) -> "Transcriber":
        """A transcriber by a model file's card.

        Raises:
            DdspError: If the file is for another task, or its card lacks what is needed.
        """
        check_card(card)
        return cls(network, card.about, card.spec)

    def reset(self) -> None:
        """Forget everything: the next sample pushed is sample 0."""
        self._network.reset()
        self._spectra.reset()
        self._judge.reset()

    @property
    def open_pitches(self) -> tuple[int, ...]:
        """MIDI notes that sound now."""
        return self._judge.decoder.open_pitches

    def push(self, audio: npt.ArrayLike) -> Judged:
        """Add samples `[n]` at the rate of the grid; return what began and what ended."""
        return self._decode(self._spectra.push(audio))

    def flush(self) -> Judged:
        """End the stream; return its last notes."""
        rest = self._spectra.flush()
        # The network speaks late: it hears silence until it has spoken of the last frame.
        silence = np.zeros((self._judge.lookahead, *rest.shape[1:]), np.float32)
        return self._decode(np.concatenate([rest, silence])) + self._judge.flush()

    def _decode(self, spectra: Array) -> Judged:
        if not len(spectra):
            return Judged()
        return self._judge.push(spectra, self._network.process(spectra=spectra)["roll"])


def check_card(card: Card) -> None:
    """Refuse a card that is not a transcriber's.

    Raises:
        DdspError: Saying what it is.
    """
    if card.task != TASK:
        raise DdspError(
            f"the model {card.name[:60]!r} is for the task {card.task[:60]!r}, not a transcriber: "
            "`ddsp-edge info` tells what it is"
        )


def _whole(about: Mapping[str, Any], name: str) -> int:
    value = whole_number(about.get(name))
    if value is None or not 0 <= value <= 127:
        raise DdspError(
            f"the card of a transcriber must tell {name}, 0 to 127. Received: {about.get(name)!r}"
        )
    return value
