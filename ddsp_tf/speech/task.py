"""What tasks have in common whose networks name something in every frame of speech."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_tf.data.records.info import DatasetInfo
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.tasks.task import DatasetView, Task

if TYPE_CHECKING:
    from ddsp_tf.speech.examples import SpeechExamples


class SpeechTask(Task):
    """See `ddsp_tf.tasks.task.Task`. Sub-classes say what the clips, the model and its loss are."""

    @abstractmethod
    def examples(
        self, config: Any, data: Path, split: str, on_damage: OnDamage | None = None
    ) -> "SpeechExamples":
        """The clips of a split, `"train"` or `"validation"`."""

    def look_at(self, folder: Path, info: DatasetInfo) -> DatasetView:
        """Say where nothing is held back by speaker."""
        if info.settings.get("data.held_back"):
            return DatasetView()
        return DatasetView(
            notices=[
                "passages are held back at random: scores on them say little of other speakers. "
                "data.held_back names recordings, such as all of some speakers, to hold back"
            ]
        )

    def training_data(
        self, config: Any, data: Path, *, skip_batches: int = 0, on_damage: OnDamage | None = None
    ) -> Any:
        """What is heard of changed speech in, labels out."""
        from ddsp_tf.data.batches import training_batches

        examples, settings = self.examples(config, data, "train", on_damage), config.training
        return training_batches(
            examples, batch_size=settings.batch_size, seed=settings.seed, skip_batches=skip_batches
        )

    def validation_data(self, config: Any, data: Path, *, on_damage: OnDamage | None = None) -> Any:
        """The same of held-back speech as it is."""
        from ddsp_tf.data.batches import validation_batches

        examples = self.examples(config, data, "validation", on_damage)
        return validation_batches(examples, batch_size=config.training.batch_size)

    def check(self, config: Any, origin: str) -> None:
        """Nothing: all of it was checked when it was read."""
        return

    def build(self, config: Any, facts: Mapping[str, Any]) -> Any:
        """The network of the configuration."""
        return self.model_class.from_experiment(config, facts)  # type: ignore[attr-defined]

    def keep(
        self, config: Any, data: Path, run: Path, *, only_missing: bool, on_damage: OnDamage | None
    ) -> None:
        """What is heard of a few clips of each split, which files are compared on."""
        from ddsp_tf.speech.reference import REFERENCE_NAME, save_reference

        if not only_missing or not (run / REFERENCE_NAME).exists():
            save_reference(run, lambda split: self.examples(config, data, split, on_damage))
