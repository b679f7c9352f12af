"""What a task makes of recordings: how passages are measured, counted, and held back."""

import math
from fractions import Fraction
from typing import Any, Protocol

from ddsp_tf.data.prepare.passages import MIN_SECONDS, Cut
from ddsp_tf.data.prepare.split import ValidationSplit
from ddsp_tf.data.records.journal import Silence
from ddsp_tf.data.records.parts import FeatureForm
from ddsp_tf.data.records.schema import Record
from ddsp_tf.frames import FrameSpec


class Extractor(Protocol):
    """Measures passages, in processes that have not loaded TensorFlow.

    Extractors can be pickled and hold no open resources, so a process pool can carry them.

    Attributes:
        context_seconds: How much sound on each side of a passage its measuring needs.
        parallel: Whether it uses all cores by itself, so that a second process of it would gain nothing.
    """

    context_seconds: float
    parallel: bool

    def memory_mib(self, seconds: float) -> float:
        """Resident memory, MiB, of a process that measures passages of this length, as far as it is not the
        sound's: with Python and all that the extractor loads.
        """
        ...

    def __call__(self, cut: Cut) -> Record | Silence:
        """Measure one passage within the sound around it, so that its ends do not show."""
        ...


class Statistics(Protocol):
    """Counts the training passages in memory that does not grow with the dataset."""

    def add(self, record: Record) -> None:
        """Count a passage."""
        ...

    def summary(self) -> dict[str, Any]:
        """What `dataset.json` is to hold of them, plain data."""
        ...


class NoStatistics:
    """Counts nothing."""

    def add(self, record: Record) -> None:
        """Pass over it."""

    def summary(self) -> dict[str, Any]:
        """Nothing."""
        return {}


class Preparation:
    """From recordings to records; sub-classes say what is measured.

    Args:
        spec: The grid on whose hops passages begin and end; it divides that of every feature, or is it.
        extractor: What measures passages.
        sounds: How each sound is stored, `"int16"` or `"float32"`, by name.
        features: What each feature looks like, by name.
        extractors: What measures each feature, by name: plain data, with a `name`.
        settings: Everything that records depend on besides the recordings, plain data under names that a user
            knows; `data.passage_seconds` and `data.validation_share` are added.
        passage_seconds: Length of a passage.
        validation_share: Share of the passages that is held back, 0 to 0.5.

    Attributes:
        min_seconds: Recordings shorter than this are not used.
    """

    min_seconds: float = MIN_SECONDS

    def __init__(
        self,
        spec: FrameSpec,
        extractor: Extractor,
        *,
        sounds: dict[str, str],
        features: dict[str, FeatureForm],
        extractors: dict[str, dict[str, Any]],
        settings: dict[str, Any],
        passage_seconds: float = 10.0,
        validation_share: float = 0.15,
    ) -> None:
        self.spec, self.extractor = spec, extractor
        self.sounds, self.features, self.extractors = sounds, features, extractors
        self.passage_seconds, self.validation_share = passage_seconds, validation_share
        lengths = {"data.passage_seconds": passage_seconds, "data.validation_share": validation_share}
        self.settings = {**settings, **lengths}
        self._split = ValidationSplit(validation_share)

    @property
    def context_frames(self) -> int:
        """Frames of sound wanted on each side of a passage."""
        return math.ceil(Fraction(self.extractor.context_seconds) * self.spec.frame_rate)

    def statistics(self) -> Statistics:
        """What counts the training passages, with nothing counted yet."""
        return NoStatistics()

    def linked(self, before: Record | None, record: Record) -> Record:
        """A passage that knows of the one before it in its recording; None where it is the first."""
        return record

    def is_validation(self, number: int, record: Record) -> bool:
        """Tell whether passage `number` (0, 1, 2 ... in the order they are kept) is held back."""
        return self._split.is_validation(number)

    def refusal(self, summary: dict[str, Any]) -> str:
        """Why nothing can be learned from passages with this summary, a full sentence; else empty."""
        return ""
