"""What a task is: everything that differs between one kind of model and another.

All tasks are prepared, trained, resumed, evaluated, reported, quantized, exported and verified by the same
code, which asks the task for what is its own. To write one:

1. A folder in `ddsp_tf/tasks/`, named in `registry.py`, with a sub-class of `Task` whose one object is `TASK`
   in its `task.py`; the smallest complete one is `tests/tasks/gain/`.
2. Its configuration (`config_class`), a sub-class of `Config` with the sections that are its own.
3. From recordings to records: `preparation`, which measures what `record_holds` names.
4. From records to batches: `training_data` and `validation_data`; `ddsp_tf.data.batches` does all but the
   examples themselves.
5. The model (`build`, `model_class`), a `TaskModel`; its loss, metrics and optimizer (`compile`).
6. What is measured of it (`evaluate`), shown of it (`show_results`, `show_model`) and exported of it
   (`exportable`).
7. The command that uses it: a sub-class of `ddsp_tf.tasks.command.Command` whose one object is `COMMAND` in
   its `command.py`.

Modules of a task import what all tasks share, never another task, and nothing that all share imports a task.
`task.py` is loaded by `prepare` and its processes: it imports TensorFlow inside of its methods only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ddsp_tf.config.sections import Config
from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.records.info import DatasetInfo
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.tasks.command import Command, Tell
from ddsp_tf.tasks.registry import load

if TYPE_CHECKING:
    import keras

    from ddsp_export.exportable import Exportable
    from ddsp_tf.reports.html import Page
    from ddsp_tf.training.model import TaskModel
    from ddsp_tf.training.sounds import SoundPlace

Log = Sequence[Mapping[str, str]]
"""The lines of a run's log: what was logged in each epoch, by column."""


class Evaluation(Protocol):
    """What was measured of a model on what training has not seen, beside what it has to beat."""

    def table(self) -> str:
        """The scores as text for a terminal."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """The scores as plain data."""
        ...


@dataclass(frozen=True)
class DatasetView:
    """What a task sees in a dataset: lines for a terminal, and what the one who made the recordings may mend.

    Args:
        rows: What there is, as pairs of a word and a value.
        notices: Sentences on what is wrong and what to do.
    """

    rows: Sequence[tuple[str, str]] = ()
    notices: Sequence[str] = ()


@dataclass(frozen=True)
class Curves:
    """Columns of a run's log that belong in one plot.

    Args:
        columns: Their names.
        label: What the vertical axis shows, with its unit.
        title: What the plot shows.
        low: The lowest value that is worth showing; None for all.
    """

    columns: Sequence[str]
    label: str
    title: str
    low: float | None = None


class Task(Protocol):
    """A kind of model. Sub-classes override what is their own; the rest does nothing.

    Attributes:
        name: As configurations name it.
        command: What it adds to the command line.
        record_holds: Names of the sounds and features that its records must hold.
    """

    name: str
    command: Command
    record_holds: tuple[str, ...]

    # The configuration

    @property
    def config_class(self) -> type[Config]:
        """Its configuration, with the sections that are its own."""
        ...

    # From recordings to batches

    def needs_tensorflow_to_prepare(self, config: Any) -> bool:
        """Whether TensorFlow measures the recordings; else it is not loaded."""
        return False

    def preparation(self, config: Any, crepe_weights: Path | None = None) -> Preparation:
        """What is made of recordings, by a configuration of this task.

        Args:
            config: The configuration.
            crepe_weights: Weights of CREPE, if the user gave them.
        """
        ...

    def look_at(self, folder: Path, info: DatasetInfo) -> DatasetView:
        """Look at a dataset that was prepared, and write its report."""
        return DatasetView()

    def training_data(
        self, config: Any, data: Path, *, skip_batches: int = 0, on_damage: OnDamage | None = None
    ) -> Any:
        """The endless `tf.data.Dataset` of training batches: inputs by name, and the target.

        Args:
            config: The configuration.
            data: Folder of the dataset.
            skip_batches: Integer, batches to leave out at the beginning: batch `i` depends on nothing but `i`
                and the seed.
            on_damage: Called with a sentence for each damaged record, which is left out; fatal if None.
        """
        ...

    def validation_data(self, config: Any, data: Path, *, on_damage: OnDamage | None = None) -> Any:
        """The validation batches, always the same."""
        ...

    # The model and its training

    def check(self, config: Any, origin: str) -> None:
        """Check what only TensorFlow can check of a configuration, before any work starts.

        Raises:
            DdspError: Naming `origin` and what is wrong.
        """

    def facts(self, info: DatasetInfo, config: Any, data: Path) -> dict[str, Any]:
        """What a model of a configuration keeps of the dataset in a folder that made it, plain data."""
        return {}

    @property
    def model_class(self) -> "type[TaskModel]":
        """The class of its models; Keras can load one once this was asked for."""
        ...

    def build(self, config: Any, facts: Mapping[str, Any]) -> "TaskModel":
        """Build a model with its weights, drawn by `config.training.seed`; it keeps what it is given."""
        ...

    def compile(self, model: Any, config: Any, crepe_weights: Path | None = None) -> None:
        """Give a model loss, metrics and optimizer; `ddsp_tf.training.compile` does the last, and keeps its
        state where there is one.
        """
        ...

    def keep(
        self, config: Any, data: Path, run: Path, *, only_missing: bool, on_damage: OnDamage | None
    ) -> None:
        """Keep in a run, before its first step, what later commands need of its data."""

    def callbacks(self, config: Any, data: Path, tell: Tell) -> "list[keras.callbacks.Callback]":
        """What watches the training on a dataset, beside loss and speed; `tell` warns."""
        return []

    def heard(
        self, config: Any, data: Path, run: Path, places: "Sequence[SoundPlace]"
    ) -> "list[keras.callbacks.Callback]":
        """What hands sounds of a run to places after every epoch; nothing where a task has none to show."""
        return []

    # What it has come to

    def evaluate(
        self, model: Any, config: Any, data: Path, *, crepe_weights: Path | None, progress: Tell
    ) -> Evaluation:
        """Measure a model on the held-back passages of a dataset, beside its baselines."""
        ...

    def curves(self, model: Any) -> list[Curves]:
        """Plots of the log beside loss and its terms; what they show is no term of the loss."""
        return []

    def show_results(self, page: "Page", run: Path, model: Any, data: Path, log: Log) -> None:
        """Add to the report of a run what there is to hear and see of its results, and its scores.

        Raises:
            DdspError: If the dataset holds nothing to show.
        """

    def show_model(self, page: "Page", model: Any, data: Path) -> None:
        """Add to the report of a run what its model has learned."""

    # The device

    def exportable(self, run: Path, options: Mapping[str, Any]) -> "Exportable":
        """The model of a run as it is exported: signatures, states, card, and what holds a file to it.

        Args:
            run: The run folder.
            options: Of `Command.export_options`, and `step_alone`: whether `step` is to be the only
                signature.
        """
        ...


def task_named(name: str) -> Task:
    """The task of a name.

    Raises:
        DdspError: If there is none.
    """
    task: Task = load(name, "task").TASK
    return task
