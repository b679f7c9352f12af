"""The task `restoration`: sound in, cleaner sound out, by gains of bands that are learned."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_tf.data.records.info import DatasetInfo
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.tasks.command import Tell
from ddsp_tf.tasks.restoration.command import COMMAND
from ddsp_tf.tasks.restoration.config import RestorationConfig
from ddsp_tf.tasks.restoration.preparation import AUDIO, NOISE, ROOMS, SourcePreparation
from ddsp_tf.tasks.task import DatasetView, Log, Task

if TYPE_CHECKING:
    import keras

    from ddsp_tf.reports.html import Page
    from ddsp_tf.tasks.restoration.evaluation.evaluate import RestorationEvaluation
    from ddsp_tf.tasks.restoration.export.exportable import RestorationExport
    from ddsp_tf.tasks.restoration.model.model import Restoration
    from ddsp_tf.training.sounds import SoundPlace


class RestorationTask(Task):
    """See `ddsp_tf.tasks.task.Task`."""

    name = "restoration"
    command = COMMAND
    record_holds = (AUDIO,)

    @property
    def config_class(self) -> type[RestorationConfig]:
        """With the sections `data`, `mixtures`, `network` and `loss`."""
        return RestorationConfig

    def preparation(self, config: RestorationConfig, crepe_weights: Path | None = None) -> SourcePreparation:
        """Sounds as they are, held back by speaker, recording and room."""
        return SourcePreparation(config)

    def look_at(self, folder: Path, info: DatasetInfo) -> DatasetView:
        """How much there is of each group, and what is missing."""
        seconds, recordings = (info.statistics.get(name, {}) for name in ("seconds", "recordings"))
        rows = [
            (group, f"{recordings.get(group, 0)} recordings, {value / 60.0:.1f} min to train on")
            for group, value in sorted(seconds.items())
        ]
        notices = []
        if not seconds.get(NOISE):
            notices.append(
                "no noise was given (--noise): the network will hear synthetic noise and babble only"
            )
        if not seconds.get(ROOMS):
            notices.append("no rooms were given (--rooms): nothing will be learned about echoes")
        return DatasetView(rows, notices)

    def training_data(
        self,
        config: RestorationConfig,
        data: Path,
        *,
        skip_batches: int = 0,
        on_damage: OnDamage | None = None,
    ) -> Any:
        """Mixtures, each made by its number."""
        from ddsp_tf.data.batches import training_batches
        from ddsp_tf.tasks.restoration.examples import Mixtures

        settings, mixtures = config.training, Mixtures(config, data, "train", on_damage)
        return training_batches(
            mixtures, batch_size=settings.batch_size, seed=settings.seed, skip_batches=skip_batches
        )

    def validation_data(
        self, config: RestorationConfig, data: Path, *, on_damage: OnDamage | None = None
    ) -> Any:
        """Mixtures of what is held back, always the same."""
        from ddsp_tf.data.batches import validation_batches
        from ddsp_tf.tasks.restoration.examples import Mixtures

        mixtures = Mixtures(config, data, "validation", on_damage)
        return validation_batches(mixtures, batch_size=config.training.batch_size)

    def check(self, config: RestorationConfig, origin: str) -> None:
        """Its classes have checked everything."""
        return

    def facts(self, info: DatasetInfo, config: RestorationConfig, data: Path) -> dict[str, Any]:
        """How much there was of each group."""
        return {name: info.statistics[name] for name in ("seconds", "recordings") if name in info.statistics}

    @property
    def model_class(self) -> "type[Restoration]":
        """The network and what carries its gains."""
        from ddsp_tf.tasks.restoration.model.model import Restoration

        return Restoration

    def build(self, config: RestorationConfig, facts: Mapping[str, Any]) -> "Restoration":
        """The model of the configuration."""
        return self.model_class.from_experiment(config, facts)

    def compile(
        self, model: "Restoration", config: RestorationConfig, crepe_weights: Path | None = None
    ) -> None:
        """Compressed spectra, and the level of the error."""
        from ddsp_tf.tasks.restoration.loss import RestorationLoss
        from ddsp_tf.training.compile import compile_with

        settings = config.loss
        loss = RestorationLoss(
            settings.fft_sizes, settings.compressed_weight, settings.under_weight, settings.ratio_weight
        )
        compile_with(model, loss, config.training)

    def keep(
        self,
        config: RestorationConfig,
        data: Path,
        run: Path,
        *,
        only_missing: bool,
        on_damage: OnDamage | None,
    ) -> None:
        """A few held-back mixtures."""
        from ddsp_tf.tasks.restoration.held_back import HELD_BACK_NAME, save_held_back

        if not only_missing or not (run / HELD_BACK_NAME).exists():
            save_held_back(config, data, run, on_damage)

    def heard(
        self, config: RestorationConfig, data: Path, run: Path, places: "Sequence[SoundPlace]"
    ) -> "list[keras.callbacks.Callback]":
        """A held-back mixture and what is left of it, every epoch."""
        from ddsp_tf.tasks.restoration.held_back import load_held_back
        from ddsp_tf.training.held_back_sound import HeldBackSound

        noisy = load_held_back(run).noisy[:1]
        return [HeldBackSound(noisy[0], lambda model: model({"audio": noisy})[0].numpy(), places)]

    def evaluate(
        self,
        model: "Restoration",
        config: RestorationConfig,
        data: Path,
        *,
        crepe_weights: Path | None,
        progress: Tell,
    ) -> "RestorationEvaluation":
        """By ratio and by noise, in rooms, and on clean sound, beside what a user would take instead."""
        from ddsp_tf.tasks.restoration.evaluation.evaluate import evaluate_restoration

        return evaluate_restoration(model, config, data, progress)

    def show_results(self, page: "Page", run: Path, model: "Restoration", data: Path, log: Log) -> None:
        """Held-back mixtures: noisy, restored and clean, with the mask; and the scores."""
        from ddsp_tf.tasks.restoration.evaluation.report import show_results

        show_results(page, run, model)

    def show_model(self, page: "Page", model: "Restoration", data: Path) -> None:
        """The processors."""
        page.code(model.processors.table())

    def exportable(self, run: Path, options: Mapping[str, Any]) -> "RestorationExport":
        """The network, one signature."""
        from ddsp_tf.tasks.restoration.export.exportable import RestorationExport

        return RestorationExport(run, options)


TASK: Task = RestorationTask()
