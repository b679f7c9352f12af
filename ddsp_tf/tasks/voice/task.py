"""The task itself: what `ddsp_tf.tasks.task` asks of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_tf.data.pitched import AUDIO, FEATURES
from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.records.info import DatasetInfo
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.errors import DdspError
from ddsp_tf.features.speech_pitch import SPEECH_HZ, SpeechEstimator
from ddsp_tf.tasks.command import Tell
from ddsp_tf.tasks.task import DatasetView, Log, Task
from ddsp_tf.tasks.voice.command import COMMAND
from ddsp_tf.tasks.voice.config import HIGHER, VoiceConfig

if TYPE_CHECKING:
    import keras

    from ddsp_tf.reports.html import Page
    from ddsp_tf.tasks.voice.evaluation.evaluate import VoiceEvaluation
    from ddsp_tf.tasks.voice.export import VoiceExport
    from ddsp_tf.tasks.voice.model import Voice
    from ddsp_tf.training.sounds import SoundPlace

_CONSENT = "data.consent"
_SUNG = (
    "it goes up to pitches that are rarely spoken, and what hears them knows nothing above "
    f"{SPEECH_HZ[1]:g} Hz. If somebody sings, prepare again with --f0 auto --set "
    "data.f0_max_hz=1000, and train with --set data.f0=auto --set data.f0_max_hz=1000"
)


def sung_notices(info: DatasetInfo) -> list[str]:
    """What is to be said where somebody may sing higher than what hears the pitch knows."""
    by_speech = info.f0_estimator["name"] == SpeechEstimator.name
    return [_SUNG] if by_speech and HIGHER * info.f0_hz_range.high > SPEECH_HZ[1] else []


class VoiceTask(Task):
    """See `ddsp_tf.tasks.task.Task`."""

    name = "voice"
    command = COMMAND
    record_holds = (AUDIO, *FEATURES)

    @property
    def config_class(self) -> type[VoiceConfig]:
        """With `content`, `voices`, `network` and `loss`."""
        return VoiceConfig

    def needs_tensorflow_to_prepare(self, config: VoiceConfig) -> bool:
        """CREPE runs in TensorFlow, and so does what smooths a track."""
        return config.data.f0 == "crepe" or config.data.f0_smoothing != "none"

    def preparation(self, config: VoiceConfig, crepe_weights: Path | None = None) -> Preparation:
        """Pitch and loudness on a grid of 4 ms, and consent."""
        from ddsp_tf.tasks.voice.preparation import VoicePreparation

        return VoicePreparation(config, crepe_weights)

    def look_at(self, folder: Path, info: DatasetInfo) -> DatasetView:
        """Pitch, loudness, and what is wrong with the recordings."""
        from ddsp_tf.data.quality.view import look_at_pitched, rows_of_pitched

        return DatasetView(rows_of_pitched(info), [*look_at_pitched(folder, info), *sung_notices(info)])

    def training_data(
        self,
        config: VoiceConfig,
        data: Path,
        *,
        skip_batches: int = 0,
        on_damage: OnDamage | None = None,
    ) -> Any:
        """Speech in, the same speech out."""
        from ddsp_tf.data.batches import training_batches
        from ddsp_tf.tasks.voice.examples import VoiceExamples

        examples, settings = VoiceExamples(data, "train", config, on_damage), config.training
        return training_batches(
            examples, batch_size=settings.batch_size, seed=settings.seed, skip_batches=skip_batches
        )

    def validation_data(self, config: VoiceConfig, data: Path, *, on_damage: OnDamage | None = None) -> Any:
        """The same, held back."""
        from ddsp_tf.data.batches import validation_batches
        from ddsp_tf.tasks.voice.examples import VoiceExamples

        examples = VoiceExamples(data, "validation", config, on_damage)
        return validation_batches(examples, batch_size=config.training.batch_size)

    def check(self, config: VoiceConfig, origin: str) -> None:
        """That the content encoder can be read."""
        from ddsp_tf.tasks.voice.building import content_file

        try:
            content_file(config)
        except DdspError as error:
            raise DdspError(f"{origin}: content: {error}") from error

    def facts(self, info: DatasetInfo, config: VoiceConfig, data: Path) -> dict[str, Any]:
        """Pitch estimator, ranges, how much there is and whose consent."""
        return {
            "f0_estimator": info.f0_estimator,
            "f0_hz_range": vars(info.f0_hz_range),
            "loudness_db_range": vars(info.loudness_db_range),
            "train_seconds": info.train_seconds,
            "recordings": len([file for file in info.files if file.status == "used"]),
            "consent": str(info.settings.get(_CONSENT, "")),
        }

    @property
    def model_class(self) -> "type[Voice]":
        """The network and its processors."""
        from ddsp_tf.tasks.voice.model import Voice

        return Voice

    def build(self, config: VoiceConfig, facts: Mapping[str, Any]) -> "Voice":
        """The network of the configuration, with the weights of the content encoder."""
        from ddsp_tf.tasks.voice.building import build_voice

        return build_voice(config, facts)

    def compile(self, model: Any, config: VoiceConfig, crepe_weights: Path | None = None) -> None:
        """Spectra at several resolutions; the model adds the distance of content."""
        from ddsp_tf.losses import MultiScaleSpectralLoss
        from ddsp_tf.training.compile import compile_with

        compile_with(model, MultiScaleSpectralLoss(config.loss.fft_sizes), config.training)

    def keep(
        self,
        config: VoiceConfig,
        data: Path,
        run: Path,
        *,
        only_missing: bool,
        on_damage: OnDamage | None,
    ) -> None:
        """Features of a little sound of each split, which files are compared on."""
        from ddsp_tf.tasks.voice.reference import REFERENCE_NAME, save_reference

        if not only_missing or not (run / REFERENCE_NAME).exists():
            save_reference(config, data, run, on_damage)

    def heard(
        self, config: VoiceConfig, data: Path, run: Path, places: "Sequence[SoundPlace]"
    ) -> "list[keras.callbacks.Callback]":
        """A held-back passage and the same said again, every epoch."""
        from ddsp_tf.tasks.voice.heard import SaidAgain
        from ddsp_tf.training.held_back_sound import HeldBackSound

        said_again = SaidAgain(config, data)
        return [HeldBackSound(said_again.audio, said_again, places)]

    def evaluate(
        self,
        model: Any,
        config: VoiceConfig,
        data: Path,
        *,
        crepe_weights: Path | None,
        progress: Tell,
    ) -> "VoiceEvaluation":
        """Held-back speech, and the same as somebody else would say it, converted and judged."""
        from ddsp_tf.tasks.voice.evaluation.evaluate import evaluate_voice

        return evaluate_voice(model, config, data, progress)

    def show_results(self, page: "Page", run: Path, model: Any, data: Path, log: Log) -> None:
        """Held-back speech and its conversion, to see and to hear."""
        from ddsp_tf.tasks.voice.evaluation.report import show_results

        show_results(page, run, model, data)

    def show_model(self, page: "Page", model: Any, data: Path) -> None:
        """The processors."""
        page.code(model.processors.table())

    def exportable(self, run: Path, options: Mapping[str, Any]) -> "VoiceExport":
        """Encoder and decoder, one signature."""
        from ddsp_tf.tasks.voice.export import VoiceExport

        return VoiceExport(run, options)


TASK: Task = VoiceTask()
