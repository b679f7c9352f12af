"""The task itself: what `ddsp_tf.tasks.task` asks of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.records.info import DatasetInfo
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.tasks.command import Tell
from ddsp_tf.tasks.task import DatasetView, Log, Task
from ddsp_tf.tasks.transcription.command import COMMAND
from ddsp_tf.tasks.transcription.config import TranscriptionConfig
from ddsp_tf.tasks.transcription.preparation import preparation

if TYPE_CHECKING:
    import keras

    from ddsp_tf.reports.html import Page
    from ddsp_tf.tasks.transcription.evaluation import NoteScores
    from ddsp_tf.tasks.transcription.export import TranscriberExport
    from ddsp_tf.tasks.transcription.model import Transcriber


class TranscriptionTask(Task):
    """See `ddsp_tf.tasks.task.Task`."""

    name = "transcription"
    command = COMMAND
    record_holds = ("audio", "notes")

    @property
    def config_class(self) -> type[TranscriptionConfig]:
        """With `network`, `mixing` and `names`."""
        return TranscriptionConfig

    def preparation(self, config: TranscriptionConfig, crepe_weights: Path | None = None) -> Preparation:
        """Recordings with the notes that lie beside them."""
        return preparation(config)

    def look_at(self, folder: Path, info: DatasetInfo) -> DatasetView:
        """Say where nothing is held back by library."""
        if info.settings.get("data.held_back"):
            return DatasetView()
        return DatasetView(
            notices=[
                "passages are held back at random: scores on them say little of other players and sample "
                "libraries. data.held_back names recordings, such as those of one library, to hold back"
            ]
        )

    def training_data(
        self,
        config: TranscriptionConfig,
        data: Path,
        *,
        skip_batches: int = 0,
        on_damage: OnDamage | None = None,
    ) -> Any:
        """Mixtures in, piano rolls out."""
        from ddsp_tf.data.batches import training_batches
        from ddsp_tf.tasks.transcription.examples import MixtureExamples

        examples = MixtureExamples(data, "train", config, on_damage)
        settings = config.training
        return training_batches(
            examples, batch_size=settings.batch_size, seed=settings.seed, skip_batches=skip_batches
        )

    def validation_data(
        self, config: TranscriptionConfig, data: Path, *, on_damage: OnDamage | None = None
    ) -> Any:
        """The same of held-back recordings."""
        from ddsp_tf.data.batches import validation_batches
        from ddsp_tf.tasks.transcription.examples import MixtureExamples

        examples = MixtureExamples(data, "validation", config, on_damage)
        return validation_batches(examples, batch_size=config.training.batch_size)

    def check(self, config: TranscriptionConfig, origin: str) -> None:
        """Nothing: all of it was checked when it was read."""
        return

    @property
    def model_class(self) -> "type[Transcriber]":
        """The network; a run that goes on is loaded with its loss."""
        from ddsp_tf.tasks.transcription import loss  # noqa: F401 - Keras finds it by its name
        from ddsp_tf.tasks.transcription.model import Transcriber

        return Transcriber

    def build(self, config: TranscriptionConfig, facts: Mapping[str, Any]) -> "Transcriber":
        """The network of the configuration."""
        import keras

        keras.utils.set_random_seed(config.training.seed)
        network = config.network
        units = config.naming.units
        model = self.model_class(
            network.channels,
            network.lowest_midi,
            network.pitches,
            (units, max(1, units // 2)),
            {"config": config.to_dict(), **facts},
        )
        model.build(None)
        return model

    def compile(self, model: Any, config: TranscriptionConfig, crepe_weights: Path | None = None) -> None:
        """Cross-entropies of onsets, of what sounds, and of ends."""
        from ddsp_tf.tasks.transcription.loss import NoteLoss
        from ddsp_tf.training.compile import compile_with

        compile_with(model, NoteLoss(), config.training)

    def keep(
        self,
        config: TranscriptionConfig,
        data: Path,
        run: Path,
        *,
        only_missing: bool,
        on_damage: OnDamage | None,
    ) -> None:
        """Spectra of a held-back mixture and of a training mixture, which files are compared on."""
        from ddsp_tf.tasks.transcription.reference import REFERENCE_NAME, save_reference

        if not only_missing or not (run / REFERENCE_NAME).exists():
            save_reference(data, run, config, on_damage)

    def callbacks(
        self, config: TranscriptionConfig, data: Path, tell: Tell
    ) -> "list[keras.callbacks.Callback]":
        """Trains what names notes before the first step."""
        from ddsp_tf.tasks.transcription.lessons import NamesFirst

        return [NamesFirst(config, data, tell)]

    def evaluate(
        self,
        model: Any,
        config: TranscriptionConfig,
        data: Path,
        *,
        crepe_weights: Path | None,
        progress: Tell,
    ) -> "NoteScores":
        """On mixtures of held-back recordings, beside the pitch tracker alone; learns the thresholds."""
        from ddsp_tf.tasks.transcription.evaluation import evaluate_notes

        return evaluate_notes(model, config, data, progress)

    def show_results(self, page: "Page", run: Path, model: Any, data: Path, log: Log) -> None:
        """A held-back mixture: its notes and those that were found, to see and to hear."""
        from ddsp_tf.tasks.transcription.report import show_results

        show_results(page, run, model, data)

    def show_model(self, page: "Page", model: Any, data: Path) -> None:
        """The convolutions and their sizes."""
        page.heading("The network")
        rows = [
            [layer.name, str(layer.frames), str(layer.pitches), str(layer.spread), str(layer.count_params())]
            for layer in model.layers_in_order
        ]
        page.table(["convolution", "frames", "pitches", "semitones apart", "weights"], rows)

    def exportable(self, run: Path, options: Mapping[str, Any]) -> "TranscriberExport":
        """The network, frame by frame."""
        from ddsp_tf.tasks.transcription.export import TranscriberExport

        return TranscriberExport(run, options)


TASK: Task = TranscriptionTask()
