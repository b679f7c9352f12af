"""The task itself: what `ddsp_tf.tasks.task` asks of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.records.info import DatasetInfo
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.speech.held_back import look_at_held_back
from ddsp_tf.tasks.command import Tell
from ddsp_tf.tasks.content.command import COMMAND
from ddsp_tf.tasks.content.config import ContentConfig
from ddsp_tf.tasks.task import DatasetView, Log, Task

if TYPE_CHECKING:
    from ddsp_tf.reports.html import Page
    from ddsp_tf.tasks.content.evaluation import ContentScores
    from ddsp_tf.tasks.content.export import ContentExport
    from ddsp_tf.tasks.content.model import ContentModel


class ContentTask(Task):
    """See `ddsp_tf.tasks.task.Task`."""

    name = "content"
    command = COMMAND
    record_holds = ("audio", "phone")

    @property
    def config_class(self) -> type[ContentConfig]:
        """With `network` and `changes`."""
        return ContentConfig

    def preparation(self, config: ContentConfig, crepe_weights: Path | None = None) -> Preparation:
        """Speech with the phone of every frame."""
        from ddsp_tf.tasks.content.preparation import ContentPreparation

        return ContentPreparation(config)

    def look_at(self, folder: Path, info: DatasetInfo) -> DatasetView:
        """Say where nothing is held back by speaker."""
        return look_at_held_back(info)

    def training_data(
        self,
        config: ContentConfig,
        data: Path,
        *,
        skip_batches: int = 0,
        on_damage: OnDamage | None = None,
    ) -> Any:
        """Bands of changed speech in, phones out."""
        from ddsp_tf.data.batches import training_batches
        from ddsp_tf.tasks.content.examples import PhoneExamples

        examples, settings = PhoneExamples(data, "train", config, on_damage), config.training
        return training_batches(
            examples, batch_size=settings.batch_size, seed=settings.seed, skip_batches=skip_batches
        )

    def validation_data(self, config: ContentConfig, data: Path, *, on_damage: OnDamage | None = None) -> Any:
        """The same of held-back speech as it is."""
        from ddsp_tf.data.batches import validation_batches
        from ddsp_tf.tasks.content.examples import PhoneExamples

        examples = PhoneExamples(data, "validation", config, on_damage)
        return validation_batches(examples, batch_size=config.training.batch_size)

    def check(self, config: ContentConfig, origin: str) -> None:
        """Nothing: all of it was checked when it was read."""
        return

    @property
    def model_class(self) -> "type[ContentModel]":
        """The network; a run that goes on is loaded with its loss."""
        from ddsp_tf.tasks.content import loss  # noqa: F401 - Keras finds it by its name
        from ddsp_tf.tasks.content.model import ContentModel

        return ContentModel

    def build(self, config: ContentConfig, facts: Mapping[str, Any]) -> "ContentModel":
        """The encoder of the configuration."""
        return self.model_class.from_experiment(config, facts)

    def compile(self, model: Any, config: ContentConfig, crepe_weights: Path | None = None) -> None:
        """Cross-entropy of phones."""
        from ddsp_tf.tasks.content.loss import PhoneLoss
        from ddsp_tf.training.compile import compile_with

        compile_with(model, PhoneLoss(), config.training)

    def keep(
        self,
        config: ContentConfig,
        data: Path,
        run: Path,
        *,
        only_missing: bool,
        on_damage: OnDamage | None,
    ) -> None:
        """Bands of a few clips of each split, which files are compared on."""
        from ddsp_tf.speech.reference import REFERENCE_NAME, save_reference
        from ddsp_tf.tasks.content.examples import PhoneExamples

        if not only_missing or not (run / REFERENCE_NAME).exists():
            save_reference(run, lambda split: PhoneExamples(data, split, config, on_damage))

    def evaluate(
        self,
        model: Any,
        config: ContentConfig,
        data: Path,
        *,
        crepe_weights: Path | None,
        progress: Tell,
    ) -> "ContentScores":
        """Phones of held-back speech, and how well the content tells the speaker."""
        from ddsp_tf.tasks.content.evaluation import evaluate_content

        return evaluate_content(model, config, data, progress)

    def show_results(self, page: "Page", run: Path, model: Any, data: Path, log: Log) -> None:
        """A held-back clip, its phones and those that were found."""
        from ddsp_tf.tasks.content.report import show_results

        show_results(page, model, data)

    def show_model(self, page: "Page", model: Any, data: Path) -> None:
        """The layers and their weights."""
        encoder = model.encoder
        layers = [encoder.entry, *encoder.convolutions, encoder.memory, encoder.bottleneck, encoder.head]
        page.heading("The network")
        page.table(["layer", "weights"], [[layer.name, str(layer.count_params())] for layer in layers])

    def exportable(self, run: Path, options: Mapping[str, Any]) -> "ContentExport":
        """The encoder, frame by frame."""
        from ddsp_tf.tasks.content.export import ContentExport

        return ContentExport(run, options)


TASK: Task = ContentTask()
