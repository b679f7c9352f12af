"""From recordings of speech to records: the sound, and the pitch of every frame."""

from pathlib import Path

from ddsp_edge.units import Array
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.features.f0_estimators import make_f0_estimator
from ddsp_tf.frames import FrameSpec
from ddsp_tf.speech.preparation import SpeechExtractor, SpeechPreparation
from ddsp_tf.tasks.pitch.config import PitchConfig

PITCH = "f0_hz"


class PitchExtractor(SpeechExtractor):
    """See `ddsp_tf.speech.preparation.SpeechExtractor`.

    Args:
        spec: The frame grid.
        audio: `"int16"` or `"float32"`, how sound is kept.
        estimator: What hears pitch.
    """

    label = PITCH

    def __init__(self, spec: FrameSpec, audio: str, estimator: F0Estimator) -> None:
        super().__init__(spec, audio)
        self._estimator = estimator
        self.context_seconds = estimator.context_seconds
        self.parallel = estimator.parallel

    def memory_mib(self, seconds: float) -> float:
        """That of the estimator."""
        return self._estimator.memory_mib(seconds)

    def labels(self, audio: Array) -> Array:
        """Pitch of every frame of a sound, Hz, 0 where there is none."""
        return self._estimator.estimate(audio, self.spec).f0_hz


class TrackerPreparation(SpeechPreparation):
    """See `ddsp_tf.speech.preparation.SpeechPreparation`.

    Args:
        config: The configuration.
        crepe_weights: Weights of CREPE, if the user gave them.

    Raises:
        DdspError: As `make_f0_estimator`.
    """

    def __init__(self, config: PitchConfig, crepe_weights: Path | None = None) -> None:
        data = config.data
        estimator = make_f0_estimator(
            data.f0, f0_min_hz=data.f0_min_hz, f0_max_hz=data.f0_max_hz, crepe_weights=crepe_weights
        )
        super().__init__(
            config,
            data,
            PitchExtractor(config.spec, data.audio, estimator),
            {"name": estimator.name, **estimator.settings},
            {"data.f0": data.f0, "data.f0_min_hz": data.f0_min_hz, "data.f0_max_hz": data.f0_max_hz},
        )
