"""The task itself: what `ddsp_tf.tasks.task` asks of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.speech.task import SpeechTask
from ddsp_tf.tasks.command import Tell
from ddsp_tf.tasks.content.command import COMMAND
from ddsp_tf.tasks.content.config import ContentConfig
from ddsp_tf.tasks.task import Log, Task

if TYPE_CHECKING:
    from ddsp_tf.reports.html import Page
    from ddsp_tf.tasks.content.evaluation import ContentScores
    from ddsp_tf.tasks.content.examples import PhoneExamples
    from ddsp_tf.tasks.content.export import ContentExport
    from ddsp_tf.tasks.content.model import ContentModel


class ContentTask(SpeechTask):
    """See `ddsp_tf.speech.task.SpeechTask`."""

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

    def examples(
        self, config: ContentConfig, data: Path, split: str, on_damage: OnDamage | None = None
    ) -> "PhoneExamples":
        """Bands of changed speech, and phones."""
        from ddsp_tf.tasks.content.examples import PhoneExamples

        return PhoneExamples(data, split, config, on_damage)

    @property
    def model_class(self) -> "type[ContentModel]":
        """The network; a run that goes on is loaded with its loss."""
        from ddsp_tf.tasks.content import loss  # noqa: F401 - Keras finds it by its name
        from ddsp_tf.tasks.content.model import ContentModel

        return ContentModel

    def compile(self, model: Any, config: ContentConfig, crepe_weights: Path | None = None) -> None:
        """Cross-entropy of phones."""
        from ddsp_tf.tasks.content.loss import PhoneLoss
        from ddsp_tf.training.compile import compile_with

        compile_with(model, PhoneLoss(), config.training)

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
