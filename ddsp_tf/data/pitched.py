"""A record of one sound with its pitch and loudness, frame by frame."""

from dataclasses import dataclass

from ddsp_edge.units import Array
from ddsp_tf.data.quality.quality import Quality
from ddsp_tf.data.records.schema import Feature, Record
from ddsp_tf.errors import DdspError

AUDIO = "audio"
FEATURES = ("f0_hz", "voicing", "loudness_db")
"""What such a record holds beside its sound, all on one grid."""


@dataclass(frozen=True)
class PitchedRecord:
    """A passage with pitch and loudness.

    Args:
        audio: int16 or float32 `[n_frames * hop]`.
        f0_hz: float32 `[n_frames]`, 0 where there is no pitch.
        voicing: float32 `[n_frames]`, 0 to 1: how sure the estimator was.
        loudness_db: float32 `[n_frames]`.
        held_f0_hz: Last f0 before the passage, Hz, or 0.
        source: Name of the recording.
        first_sample: Integer, where in the recording the passage begins.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        quality: What else was measured, of the whole passage where this is a part; None where nothing was.
    """

    audio: Array
    f0_hz: Array
    voicing: Array
    loudness_db: Array
    held_f0_hz: float
    source: str
    first_sample: int
    sample_rate: int
    hop: int
    quality: Quality | None = None

    @classmethod
    def of(cls, record: Record) -> "PitchedRecord":
        """Read a record.

        Raises:
            DdspError: If it lacks the sound, or one of the features, or these are not on one grid.
        """
        missing = [AUDIO] * (AUDIO not in record.sounds) + [f for f in FEATURES if f not in record.features]
        if missing:
            raise DdspError(f"a record has no {', '.join(missing)}: it is of a dataset for another task")
        hops = {record.features[name].hop for name in FEATURES}
        if len(hops) != 1 or 0 in hops or any(record.features[name].values.ndim != 1 for name in FEATURES):
            raise DdspError(f"a record needs {', '.join(FEATURES)} as one number a frame, on one grid")
        held, quality = record.notes.get("held_f0_hz", 0.0), record.notes.get("quality")
        if not isinstance(held, int | float) or held < 0.0:
            raise DdspError("a record has values of held_f0_hz below 0")
        return cls(
            audio=record.sounds[AUDIO],
            **{name: record.features[name].values for name in FEATURES},
            held_f0_hz=float(held),
            source=record.source,
            first_sample=record.first_sample,
            sample_rate=record.sample_rate,
            hop=hops.pop(),
            quality=None if quality is None else Quality.from_dict(quality),
        )

    def record(self) -> Record:
        """The record as it is stored."""
        quality = {} if self.quality is None else {"quality": self.quality.to_dict()}
        return Record(
            sounds={AUDIO: self.audio},
            features={name: Feature(getattr(self, name), self.hop) for name in FEATURES},
            source=self.source,
            first_sample=self.first_sample,
            sample_rate=self.sample_rate,
            notes={"held_f0_hz": float(self.held_f0_hz), **quality},
        )

    @property
    def n_frames(self) -> int:
        """Frames of the passage."""
        return len(self.f0_hz)

    @property
    def last_f0_hz(self) -> float:
        """The last f0 that was heard by the end of the passage, Hz, or 0."""
        voiced = self.f0_hz[self.f0_hz > 0]
        return float(voiced[-1]) if len(voiced) else self.held_f0_hz
