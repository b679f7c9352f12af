"""What a task adds to the command line of `ddsp-tf`.

Every command line loads the commands of all tasks, so their modules import what is heavy in methods
only.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from ddsp_tf.tasks.registry import load

Tell = Callable[[str], None]
"""Called with a few words, or a sentence, for whoever waits."""


@dataclass(frozen=True)
class Target:
    """A host other than LiteRT that a model can be exported for.

    Args:
        check: Refuses what the command line alone shows to be wrong, before TensorFlow is loaded.
        write: Writes the file, telling its stages; returns what is to be told of it.
    """

    check: Callable[[argparse.Namespace], None]
    write: Callable[[argparse.Namespace, Tell], str]


@dataclass(frozen=True)
class Column:
    """A column of the table of ways to store the weights.

    Args:
        key: What of a file's quality it shows.
        heading: What stands above it.
        form: How a figure is formatted.
    """

    key: str
    heading: str
    form: str


@dataclass(frozen=True)
class ExportTable:
    """The table of ways to store the weights that an export prints.

    Args:
        columns: What it shows of a file's quality.
        legend: The line above it.
        before: The key of the figure of the Keras model, which has a line of its own; empty for none.
        compared: The key of the column that this figure stands in.
    """

    columns: tuple[Column, ...]
    legend: str
    before: str = ""
    compared: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """What of a file's quality it needs."""
        return tuple(column.key for column in self.columns)


class Word(Protocol):
    """A command of `ddsp-tf`."""

    word: str
    help: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare its command line."""
        ...

    def run(self, args: argparse.Namespace) -> None:
        """Run it."""
        ...


class Command:
    """The command lines of a task; sub-classes override what is their own.

    Attributes:
        noun: What a trained model of the task is, with its article: `"an instrument"`.
        word: The command of `ddsp-tf` that uses a trained model: `"transfer"`.
        help: What that command does, in a few words.
        listening: What is told while recordings are measured.
        groups: Kinds of recordings that it is prepared from, and what each is; the name of the only one is
            empty.
        others: Further commands, beside the one that uses a model.
        targets: Hosts other than LiteRT that it can be exported for, by name.
        export_table: What an export shows of each way to store the weights.
    """

    noun: str
    word: str
    help: str
    listening: str = "listening"
    groups: ClassVar[Mapping[str, str]] = {"": "sound file, or folder that holds some"}
    others: ClassVar[Sequence[Word]] = ()
    targets: ClassVar[Mapping[str, Target]] = {}
    export_table: ExportTable

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line of `ddsp-tf WORD`."""
        for name in ("run", "input", "output"):
            parser.add_argument(name, metavar=name.upper())

    def run(self, args: argparse.Namespace) -> None:
        """Run `ddsp-tf WORD`."""
        raise TypeError(f"{type(self).__name__} must say how a model is used (run)")

    def add_prepare_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of `ddsp-tf prepare` that are the task's own."""

    def prepare_overrides(self, args: argparse.Namespace, config: Any) -> list[str]:
        """Settings, as `--set` takes them, that those options or an answer of the user come to."""
        return []

    def add_export_options(self, parser: argparse._ArgumentGroup) -> None:
        """Add the options of `ddsp-tf export` that are the task's own."""

    def export_options(self, args: argparse.Namespace) -> dict[str, Any]:
        """Those options as plain data, for `Task.exportable`."""
        return {}

    def told_of(self, quality: Mapping[str, Any]) -> list[str]:
        """What is to be told of a file that was exported, a line each, of the quality in its card."""
        return []


def command_of(task: str) -> Command:
    """The command lines of a task.

    Raises:
        DdspError: If there is no such task.
    """
    command: Command = load(task, "command").COMMAND
    return command
