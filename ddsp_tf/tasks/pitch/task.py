"""The task itself: what `ddsp_tf.tasks.task` asks of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.speech.task import SpeechTask
from ddsp_tf.tasks.command import Tell
from ddsp_tf.tasks.pitch.command import COMMAND
from ddsp_tf.tasks.pitch.config import PitchConfig
from ddsp_tf.tasks.task import Log, Task

if TYPE_CHECKING:
    from ddsp_tf.reports.html import Page
    from ddsp_tf.tasks.pitch.evaluation import PitchScores
    from ddsp_tf.tasks.pitch.examples import PitchExamples
    from ddsp_tf.tasks.pitch.export import PitchExport
    from ddsp_tf.tasks.pitch.model import PitchModel


class PitchTask(SpeechTask):
    """See `ddsp_tf.speech.task.SpeechTask`."""

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

        return TrackerPreparation(config, crepe_weights)

    def examples(
        self, config: PitchConfig, data: Path, split: str, on_damage: OnDamage | None = None
    ) -> "PitchExamples":
        """What is heard of changed speech, and pitch."""
        from ddsp_tf.tasks.pitch.examples import PitchExamples

        return PitchExamples(data, split, config, on_damage)

    @property
    def model_class(self) -> "type[PitchModel]":
        """The network; a run that goes on is loaded with its loss."""
        from ddsp_tf.tasks.pitch import loss  # noqa: F401 - Keras finds it by its name
        from ddsp_tf.tasks.pitch.model import PitchModel

        return PitchModel

    def compile(self, model: Any, config: PitchConfig, crepe_weights: Path | None = None) -> None:
        """Cross-entropy of pitches."""
        from ddsp_tf.tasks.pitch.loss import PitchLoss
        from ddsp_tf.training.compile import compile_with

        compile_with(model, PitchLoss(config.data.f0_min_hz, config.data.f0_max_hz), config.training)

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
