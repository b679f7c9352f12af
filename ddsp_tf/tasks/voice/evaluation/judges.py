"""Figures of a conversion: words by a phone recogniser, likeness by a speaker network, melody by pitch."""

from dataclasses import dataclass

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.features.f0_estimators import make_f0_estimator
from ddsp_tf.frames import FrameSpec
from ddsp_tf.metrics.edits import edit_distance
from ddsp_tf.speech.recogniser import phone_probabilities
from ddsp_tf.tasks.voice.evaluation.speaker import SpeakerJudge

_SPEC = FrameSpec(16_000, 160)


@dataclass(frozen=True)
class Figures:
    """Of one sound; what nobody could judge is NaN.

    Args:
        error_rate: Phones that are read otherwise than in the source, re those of the source.
        to_target: Cosine of the embeddings of the sound and of the target.
        to_source: The same, of the source.
        f0_correlation: Of log f0, in frames voiced in both.
        voiced_kept: Share of the voiced frames of the source that are voiced.
    """

    error_rate: float
    to_target: float
    to_source: float
    f0_correlation: float
    voiced_kept: float


class Judges:
    """Judge conversions towards one target.

    Args:
        speaker: Whose voice it is; None where nobody can tell.
        targets: Recordings of the target, at 16 kHz.
        reads_phones: Boolean, whether phones are read (the package hama).
        pitch: What tracks pitch; pYIN by default, which nothing of a voice is made by.
    """

    def __init__(
        self,
        speaker: SpeakerJudge | None,
        targets: list[Array],
        reads_phones: bool = True,
        pitch: F0Estimator | None = None,
    ) -> None:
        self._speaker, self._reads = speaker, reads_phones
        self._pitch = pitch or make_f0_estimator("pyin", f0_min_hz=60.0, f0_max_hz=500.0)
        self.target: Array | None = None
        if speaker is not None and targets:
            mean = np.mean([speaker(sound) for sound in targets], axis=0)
            self.target = mean / np.linalg.norm(mean)

    def likeness(self, sound: Array) -> float:
        """Cosine to the target."""
        if self._speaker is None or self.target is None:
            return float("nan")
        return float(self._speaker(sound) @ self.target)

    def judge(self, source: Array, sound: Array) -> Figures:
        """Compare a conversion with its source, both at 16 kHz and in step."""
        error_rate = float("nan")
        if self._reads:
            wanted, found = read_phones(source), read_phones(sound)
            error_rate = edit_distance(wanted, found) / max(1, len(wanted))
        to_source = float("nan")
        if self._speaker is not None:
            to_source = float(self._speaker(source) @ self._speaker(sound))
        before, after = self._f0(source), self._f0(sound)
        n = min(len(before), len(after))
        before, after = before[:n], after[:n]
        both = (before > 0) & (after > 0)
        logs = np.log(before[both]), np.log(after[both])
        flat = both.sum() < 6 or min(np.std(values) for values in logs) == 0.0
        correlation = float("nan") if flat else float(np.corrcoef(*logs)[0, 1])
        kept = float(both.sum() / max(1, int((before > 0).sum())))
        return Figures(error_rate, self.likeness(sound), to_source, correlation, kept)

    def _f0(self, sound: Array) -> Array:
        track = self._pitch.estimate(np.asarray(sound, np.float32), _SPEC)
        return track.f0_hz


def read_phones(audio: Array) -> list[str]:
    """The phones that hama reads in a sound at 16 kHz.

    Raises:
        DdspError: If hama is not installed.
    """
    probabilities, names, blank = phone_probabilities(np.asarray(audio, np.float32))
    best = probabilities.argmax(axis=1)
    kept = best[np.diff(best, prepend=-1) != 0]
    return [names[int(i)] for i in kept if i != blank and names[int(i)] != "<wb>"]


def can_read_phones() -> str:
    """Empty where phones can be read; else why not."""
    from ddsp_tf.speech.recogniser import check_recogniser

    try:
        check_recogniser()
    except DdspError as error:
        return str(error)
    return ""
