"""From recordings of a voice to records: the sound with its pitch and loudness, and that it may be used."""

from pathlib import Path

from ddsp_tf.data.prepare.pitched import PitchPreparation, configured_estimator, feature_grid
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.voice.config import CONSENT, VoiceConfig

CONSENT_SETTING = "data.consent"
"""Of a dataset's settings."""
QUESTION = (
    "A voice belongs to a person. Have those who speak in these recordings agreed that a model of their "
    "voice is made, or does the licence of the recordings allow it?"
)


class VoicePreparation(PitchPreparation):
    """As for instruments, and the consent of whoever speaks.

    Args:
        config: The configuration.
        crepe_weights: Weights of CREPE, if the user gave them.

    Raises:
        DdspError: If there is no consent.
    """

    def __init__(self, config: VoiceConfig, crepe_weights: Path | None = None) -> None:
        if config.data.consent != CONSENT:
            raise DdspError(
                f"{QUESTION} Answer yes when `ddsp-tf prepare` asks, or say so by --i-have-consent "
                f"(data.consent={CONSENT}); docs/voice.md tells why"
            )
        estimator = configured_estimator(config.data, crepe_weights)
        super().__init__(feature_grid(config.sample_rate), config.data, estimator)
        self.settings = {**self.settings, CONSENT_SETTING: config.data.consent}
