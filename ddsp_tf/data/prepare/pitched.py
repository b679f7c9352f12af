"""Recordings of one voice, instrument or singer, become records with pitch and loudness."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ddsp_edge.features.loudness import DEFINITION
from ddsp_tf.config.sections import DataConfig
from ddsp_tf.data.pitched import AUDIO, FEATURES, PitchedRecord
from ddsp_tf.data.prepare.analysis import Analyser, context_frames
from ddsp_tf.data.prepare.passages import Cut
from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.prepare.prepare import Progress, Recordings, check_call, find_sources, prepare_dataset
from ddsp_tf.data.prepare.statistics import FeatureStatistics
from ddsp_tf.data.records.info import DatasetInfo
from ddsp_tf.data.records.journal import Silence
from ddsp_tf.data.records.parts import FeatureForm
from ddsp_tf.data.records.schema import Record
from ddsp_tf.data.records.schema_2 import pitched_settings
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.features.f0_estimators import make_f0_estimator
from ddsp_tf.frames import FrameSpec

FEATURE_SECONDS = 0.004
"""Features are stored about this far apart: twice as fine as any estimator here looks for pitch, and
an eighth of the window of loudness, so that what lies between is well interpolated."""


class PitchExtractor:
    """Measures pitch, loudness and quality of passages.

    Args:
        spec: The frame grid.
        estimator: The pitch estimator.
        audio_format: `"int16"` or `"float32"`, how audio is kept.
    """

    def __init__(self, spec: FrameSpec, estimator: F0Estimator, audio_format: str) -> None:
        self.estimator = estimator
        self.context_seconds, self.parallel = estimator.context_seconds, estimator.parallel
        self._analyse = Analyser(spec, estimator, audio_format)

    def memory_mib(self, seconds: float) -> float:
        """That of the estimator."""
        return self.estimator.memory_mib(seconds)

    def __call__(self, cut: Cut) -> Record | Silence:
        """Measure one passage within the sound around it."""
        found = self._analyse(cut)
        if found.silent:
            return Silence(found.source, found.first_sample, len(found.audio))
        spec = self._analyse.spec
        record = PitchedRecord(
            found.audio,
            found.f0_hz,
            found.voicing,
            found.loudness_db,
            0.0,
            found.source,
            found.first_sample,
            spec.sample_rate,
            spec.hop,
            found.quality,
        )
        return record.record()


class PitchStatistics:
    """Ranges of pitch and loudness, and the share of frames that have a pitch."""

    def __init__(self) -> None:
        self._counted = FeatureStatistics()

    def add(self, record: Record) -> None:
        """Count a passage."""
        passage = PitchedRecord.of(record)
        self._counted.add(passage.f0_hz, passage.loudness_db)

    def summary(self) -> dict[str, Any]:
        """`f0_hz_range`, `loudness_db_range`, `voiced_share`."""
        return self._counted.summary()


class PitchPreparation(Preparation):
    """Records of one sound, with pitch and loudness on one grid.

    Args:
        spec: The frame grid on which features are stored.
        data: How recordings become a dataset.
        estimator: The pitch estimator.
    """

    def __init__(self, spec: FrameSpec, data: DataConfig, estimator: F0Estimator) -> None:
        named = {"name": estimator.name, **estimator.settings}
        super().__init__(
            spec,
            PitchExtractor(spec, estimator, data.audio),
            sounds={AUDIO: data.audio},
            features={name: FeatureForm(spec.hop) for name in FEATURES},
            extractors={"f0_hz": named, "voicing": named, "loudness_db": {"name": DEFINITION}},
            settings=pitched_settings(
                sample_rate=spec.sample_rate,
                hop=spec.hop,
                audio=data.audio,
                passage_seconds=data.passage_seconds,
                validation_share=data.validation_share,
                f0_estimator=named,
                loudness=DEFINITION,
            ),
            passage_seconds=data.passage_seconds,
            validation_share=data.validation_share,
        )
        self._data, self._estimator = data, estimator

    @property
    def context_frames(self) -> int:
        """What the estimator and the window of loudness need."""
        return context_frames(self.spec, self._estimator.context_seconds)

    def statistics(self) -> PitchStatistics:
        """Of pitch and loudness."""
        return PitchStatistics()

    def linked(self, before: Record | None, record: Record) -> Record:
        """The passage with the last f0 before it."""
        held_f0_hz = 0.0 if before is None else PitchedRecord.of(before).last_f0_hz
        return Record(
            **{**vars(record), "notes": {**record.notes, "held_f0_hz": held_f0_hz}},
        )

    def refusal(self, summary: dict[str, Any]) -> str:
        """Without pitch there is nothing to learn."""
        if summary["voiced_share"]:
            return ""
        return (
            f"no pitch between {self._data.f0_min_hz:g} and {self._data.f0_max_hz:g} Hz was found in what is "
            "to train on: recordings must be of one pitched instrument or voice"
        )


def prepare(
    recordings: Recordings,
    out: str | Path,
    spec: FrameSpec,
    data: DataConfig | None = None,
    *,
    crepe_weights: Path | None = None,
    estimator: F0Estimator | None = None,
    jobs: int | None = None,
    overwrite: bool = False,
    engine: str = "local",
    engine_options: Sequence[str] = (),
    progress: Progress | None = None,
) -> DatasetInfo:
    """Cut recordings into passages, measure their pitch and loudness, and write them as a dataset.

    `ddsp_tf.data.prepare.prepare.prepare_dataset` does it, and says what an interrupted run, a second one and
    more recordings come to.

    Args:
        recordings: Sound files, and folders that hold some.
        out: Folder of the dataset.
        spec: The frame grid on which features are stored; `feature_grid` makes the usual one. Training may
            use any other at the same sample rate.
        data: How recordings become a dataset.
        crepe_weights: Weights file of CREPE.
        estimator: Pitch estimator to use in place of the one that `data.f0` names.
        jobs: As in `prepare_dataset`.
        overwrite: As in `prepare_dataset`.
        engine: As in `prepare_dataset`.
        engine_options: As in `prepare_dataset`.
        progress: As in `prepare_dataset`.

    Returns:
        What `dataset.json` holds.

    Raises:
        DdspError: As `prepare_dataset`, or if no pitch is found in any recording.
    """
    check_call(out, jobs, engine, engine_options)
    find_sources(recordings, Path(out))  # what is named is told to be wrong before an estimator is loaded
    data = data or DataConfig()
    return prepare_dataset(
        recordings,
        out,
        PitchPreparation(spec, data, estimator or configured_estimator(data, crepe_weights)),
        jobs=jobs,
        overwrite=overwrite,
        engine=engine,
        engine_options=engine_options,
        progress=progress,
    )


def configured_estimator(data: DataConfig, crepe_weights: Path | None = None) -> F0Estimator:
    """Make the estimator that a configuration names.

    Raises:
        DdspError: As `make_f0_estimator`.
    """
    return make_f0_estimator(
        data.f0,
        f0_min_hz=data.f0_min_hz,
        f0_max_hz=data.f0_max_hz,
        crepe_weights=crepe_weights,
        smoothing=data.f0_smoothing,
    )


def feature_grid(sample_rate: int) -> FrameSpec:
    """The frame grid on which features are stored, whatever the hop of the model that will read them."""
    return FrameSpec(sample_rate, max(1, round(FEATURE_SECONDS * sample_rate)))
