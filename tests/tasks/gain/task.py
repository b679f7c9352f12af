"""The task itself."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ddsp_tf.data.batches import training_batches, validation_batches
from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.records.info import DatasetInfo, load_dataset_info
from ddsp_tf.data.records.shards import OnDamage, read_records
from ddsp_tf.tasks.command import Tell
from ddsp_tf.tasks.task import DatasetView, Log, Task
from tests.tasks.gain.command import COMMAND
from tests.tasks.gain.config import GainConfig
from tests.tasks.gain.examples import GainExamples
from tests.tasks.gain.preparation import preparation

if TYPE_CHECKING:
    from ddsp_tf.reports.html import Page
    from tests.tasks.gain.export import GainExport
    from tests.tasks.gain.model import GainModel


@dataclass(frozen=True)
class GainEvaluation:
    """Mean absolute error of the gain: of the model, and of leaving the sound as it is."""

    model: float
    unity: float

    def table(self) -> str:
        """As text."""
        return f"error of the gain: model {self.model:.4f}, none {self.unity:.4f}"

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


class GainTask(Task):
    """See `ddsp_tf.tasks.task.Task`."""

    name = "gain"
    command = COMMAND
    record_holds = ("audio", "compressed", "level_db", "gain")

    @property
    def config_class(self) -> type[GainConfig]:
        """With the section `network`."""
        return GainConfig

    def preparation(self, config: GainConfig, crepe_weights: Path | None = None) -> Preparation:
        """Levels and ideal gains."""
        return preparation(config)

    def look_at(self, folder: Path, info: DatasetInfo) -> DatasetView:
        """Nothing much."""
        return DatasetView([("levels", f"every {info.features['level_db'].hop} samples")])

    def training_data(
        self, config: GainConfig, data: Path, *, skip_batches: int = 0, on_damage: OnDamage | None = None
    ) -> Any:
        """Levels in, gains out."""
        settings = config.training
        examples = GainExamples(data, "train", config.spec.frames_for(settings.clip_seconds), on_damage)
        return training_batches(
            examples, batch_size=settings.batch_size, seed=settings.seed, skip_batches=skip_batches
        )

    def validation_data(self, config: GainConfig, data: Path, *, on_damage: OnDamage | None = None) -> Any:
        """The same, held back."""
        frames = config.spec.frames_for(config.training.clip_seconds)
        examples = GainExamples(data, "validation", frames, on_damage)
        return validation_batches(examples, batch_size=config.training.batch_size)

    @property
    def model_class(self) -> "type[GainModel]":
        """The model."""
        from tests.tasks.gain.model import GainModel

        return GainModel

    def build(self, config: GainConfig, facts: Mapping[str, Any]) -> "GainModel":
        """The dense layers."""
        import keras

        keras.utils.set_random_seed(config.training.seed)
        model = self.model_class(config.network.units, {"config": config.to_dict(), **facts})
        model.build(None)
        return model

    def compile(self, model: Any, config: GainConfig, crepe_weights: Path | None = None) -> None:
        """The mean square error."""
        from ddsp_tf.training.compile import compile_with

        compile_with(model, "mse", config.training, ["mae"])

    def keep(
        self, config: GainConfig, data: Path, run: Path, *, only_missing: bool, on_damage: OnDamage | None
    ) -> None:
        """Levels of a held-back passage."""
        from tests.tasks.gain.export import KEPT_NAME

        if not only_missing or not (run / KEPT_NAME).exists():
            _, record = next(iter(read_records(data, load_dataset_info(data), "validation")))
            np.save(run / KEPT_NAME, record.features["level_db"].values)

    def evaluate(
        self, model: Any, config: GainConfig, data: Path, *, crepe_weights: Path | None, progress: Tell
    ) -> GainEvaluation:
        """Beside a gain of 1."""
        progress("the gain")
        errors = []
        for _, record in read_records(data, load_dataset_info(data), "validation"):
            levels, wanted = (record.features[name].values for name in ("level_db", "gain"))
            given = np.asarray(model({"level_db": levels[np.newaxis]}))[0]
            errors.append((np.abs(given - wanted).mean(), np.abs(1.0 - wanted).mean()))
        return GainEvaluation(*map(float, np.mean(errors, axis=0)))

    def show_results(self, page: "Page", run: Path, model: Any, data: Path, log: Log) -> None:
        """The compressed sound."""
        info = load_dataset_info(data)
        _, record = next(iter(read_records(data, info, "validation")))
        page.heading("What a compressor should do")
        page.sound(record.sounds["compressed"] / np.float32(32768.0), info.sample_rate, "compressed")

    def exportable(self, run: Path, options: Mapping[str, Any]) -> "GainExport":
        """One signature."""
        from tests.tasks.gain.export import GainExport

        return GainExport(run, options)


TASK: Task = GainTask()
