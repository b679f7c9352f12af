"""The task itself: what `ddsp_tf.tasks.task` asks of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.records.info import DatasetInfo
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.speech.held_back import look_at_held_back
from ddsp_tf.tasks.command import Tell
from ddsp_tf.tasks.pitch.command import COMMAND
from ddsp_tf.tasks.pitch.config import PitchConfig
from ddsp_tf.tasks.task import DatasetView, Log, Task

if TYPE_CHECKING:
    from ddsp_tf.reports.html import Page
    from ddsp_tf.tasks.pitch.evaluation import PitchScores
    from ddsp_tf.tasks.pitch.export import PitchExport
    from ddsp_tf.tasks.pitch.model import PitchModel


class PitchTask(Task):
    """See `ddsp_tf.tasks.task.Task`."""

    name = "pitch"
    command = COMMAND
    record_holds = ("audio", "f0_hz")

    @property
    def config_class(self) -> type[PitchConfig]:
        """With `network` and `changes`."""
        return PitchConfig

    def preparation(self, config: PitchConfig, crepe_weights: Path | None = None) -> Preparation:
        """Speech with the pitch of every frame."""
        from ddsp_tf.tasks.pitch.preparation import TrackerPreparation

        return TrackerPreparation(config)

    def look_at(self, folder: Path, info: DatasetInfo) -> DatasetView:
        """Say where nothing is held back by speaker."""
        return look_at_held_back(info)

    def training_data(
        self,
        config: PitchConfig,
        data: Path,
        *,
        skip_batches: int = 0,
        on_damage: OnDamage | None = None,
    ) -> Any:
        """What is heard of changed speech in, pitch out."""
        from ddsp_tf.data.batches import training_batches
        from ddsp_tf.tasks.pitch.examples import PitchExamples

        examples, settings = PitchExamples(data, "train", config, on_damage), config.training
        return training_batches(
            examples, batch_size=settings.batch_size, seed=settings.seed, skip_batches=skip_batches
        )

    def validation_data(self, config: PitchConfig, data: Path, *, on_damage: OnDamage | None = None) -> Any:
        """The same of held-back speech as it is."""
        from ddsp_tf.data.batches import validation_batches
        from ddsp_tf.tasks.pitch.examples import PitchExamples

        examples = PitchExamples(data, "validation", config, on_damage)
        return validation_batches(examples, batch_size=config.training.batch_size)

    def check(self, config: PitchConfig, origin: str) -> None:
        """Nothing: all of it was checked when it was read."""
        return

    @property
    def model_class(self) -> "type[PitchModel]":
        """The network; a run that goes on is loaded with its loss."""
        from ddsp_tf.tasks.pitch import loss  # noqa: F401 - Keras finds it by its name
        from ddsp_tf.tasks.pitch.model import PitchModel

        return PitchModel

    def build(self, config: PitchConfig, facts: Mapping[str, Any]) -> "PitchModel":
        """The network of the configuration."""
        return self.model_class.from_experiment(config, facts)

    def compile(self, model: Any, config: PitchConfig, crepe_weights: Path | None = None) -> None:
        """Cross-entropy of pitches."""
        from ddsp_tf.tasks.pitch.loss import PitchLoss
        from ddsp_tf.training.compile import compile_with

        compile_with(model, PitchLoss(config.data.f0_min_hz, config.data.f0_max_hz), config.training)

    def keep(
        self,
        config: PitchConfig,
        data: Path,
        run: Path,
        *,
        only_missing: bool,
        on_damage: OnDamage | None,
    ) -> None:
        """What is heard of a few clips of each split, which files are compared on."""
        from ddsp_tf.speech.reference import REFERENCE_NAME, save_reference
        from ddsp_tf.tasks.pitch.examples import PitchExamples

        if not only_missing or not (run / REFERENCE_NAME).exists():
            save_reference(run, lambda split: PitchExamples(data, split, config, on_damage))

    def evaluate(
        self,
        model: Any,
        config: PitchConfig,
        data: Path,
        *,
        crepe_weights: Path | None,
        progress: Tell,
    ) -> "PitchScores":
        """Pitch of held-back speech, beside the tracker of the device."""
        from ddsp_tf.tasks.pitch.evaluation import evaluate_pitch

        return evaluate_pitch(model, config, data, progress)

    def show_results(self, page: "Page", run: Path, model: Any, data: Path, log: Log) -> None:
        """A held-back passage and its pitch."""
        from ddsp_tf.tasks.pitch.report import show_results

        show_results(page, model, data)

    def show_model(self, page: "Page", model: Any, data: Path) -> None:
        """The layers and their weights."""
        layers = [model.entry, *model.convolutions, model.memory, model.head]
        page.heading("The network")
        page.table(["layer", "weights"], [[layer.name, str(layer.count_params())] for layer in layers])

    def exportable(self, run: Path, options: Mapping[str, Any]) -> "PitchExport":
        """The network, frame by frame."""
        from ddsp_tf.tasks.pitch.export import PitchExport

        return PitchExport(run, options)


TASK: Task = PitchTask()
