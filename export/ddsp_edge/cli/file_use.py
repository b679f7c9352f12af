"""What a model does with a file: one definition for the commands of `ddsp-edge` and for the studio.

A use knows its options, what it takes and what it makes; commands give it a command line, the studio a form.
"""

import argparse
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.progress import seconds_bar
from ddsp_edge.cli.settings_file import with_settings_file
from ddsp_edge.errors import printable

if TYPE_CHECKING:
    from ddsp_edge.render.watch import Watch

SOUND, MIDI = "sound", "MIDI"
"""Kinds of files that a use may take."""

SETTINGS_HELP = "options from a TOML file; the command line goes first"
Progress = Callable[[float, float], None]
"""Called with the seconds done and the seconds in all."""


@dataclass(frozen=True)
class Files:
    """The files that a use is about: the model, what is read, and what is written."""

    model: Path
    source: Path
    out: Path


@dataclass(frozen=True)
class Outcome:
    """What is to be told of it.

    Args:
        told: Lines, the first of which follows the name of the file that was written.
        warnings: A line each.
    """

    told: list[str]
    warnings: list[str] = field(default_factory=list)


class FileUse(ABC):
    """What models of a task do with a file of a kind.

    Attributes:
        command: The word of `ddsp-edge` that does it.
        title: What it does, in words for a button.
        takes: `SOUND` or `MIDI`.
        ending: Of the file that it writes.
        also: Endings of further files that it can write, by the option that names such a file.
        lists: What may be chosen for an option that takes several names, by option.
    """

    command: ClassVar[str]
    title: ClassVar[str]
    takes: ClassVar[str] = SOUND
    ending: ClassVar[str] = ".wav"
    also: ClassVar[Mapping[str, str]] = {}
    lists: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @abstractmethod
    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add its options to a parser; each is None where it is not given."""

    def defaults(self) -> dict[str, Any]:
        """What holds where an option is not given, by its name; what hangs on the sound is left out."""
        return {}

    @abstractmethod
    def run(
        self, files: Files, arguments: argparse.Namespace, progress: Progress, watch: "Watch | None" = None
    ) -> Outcome:
        """Do it.

        Args:
            files: Which files.
            arguments: What was given of its options.
            progress: Called after each block.
            watch: Hears what an instrument is told, where there is one.

        Raises:
            DdspError: If a file or an option cannot be used.
        """

    def with_settings(self, arguments: argparse.Namespace) -> argparse.Namespace:
        """What the command line left open, from the file that `settings` names."""
        return with_settings_file(arguments, self.parser(), {})

    def parser(self) -> argparse.ArgumentParser:
        """A parser of its options alone."""
        parser = argparse.ArgumentParser(add_help=False)
        self.add_options(parser)
        return parser


def add_settings(parser: argparse.ArgumentParser, help: str = SETTINGS_HELP) -> None:
    """Add the option that names a file of options."""
    parser.add_argument("--settings", metavar="FILE", type=path_argument, help=help)


def run_file_use(use: FileUse, files: Files, arguments: argparse.Namespace) -> None:
    """Do it as a command does: options from a file, a bar, warnings, and a summary.

    Args:
        use: What is done.
        files: Which files.
        arguments: Of the command: its options, `settings` and `quiet`.
    """
    arguments = use.with_settings(arguments)
    with seconds_bar(arguments.quiet) as progress:
        outcome = use.run(files, arguments, progress)
    for warning in outcome.warnings:
        print(f"ddsp-edge: warning: {printable(warning)}", file=sys.stderr)
    if not arguments.quiet:
        tell(f"{printable(files.out)}: {outcome.told[0]}")
        for line in outcome.told[1:]:
            tell(f"  {line}")
