"""What a model does with a file: one definition for the commands of `ddsp-edge` and for the studio.

A use knows its options, what it takes and what it makes; commands give it a command line, the studio a form.
"""

import argparse
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ddsp_edge.cli.command import model_argument, path_argument, tell
from ddsp_edge.cli.options import MODEL_HELP, WIDE
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


class Timed(Protocol):
    """What a report tells of how long something took."""

    seconds: float
    wall_seconds: float

    @property
    def realtime_factor(self) -> float:
        """Seconds of sound for each second of work."""


def pace_of(report: Timed) -> str:
    """How much sound was made in what time, in words."""
    from ddsp_edge.units import length_in_words

    lengths = (length_in_words(seconds) for seconds in (report.seconds, report.wall_seconds))
    return f"{' in '.join(lengths)}, {report.realtime_factor:.1f} x real time"


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

    def check(self, arguments: argparse.Namespace) -> None:
        """Refuse options that cannot be meant, before a file is read.

        Raises:
            DdspError: With what would be valid.
        """
        return

    def with_settings(self, arguments: argparse.Namespace) -> argparse.Namespace:
        """What the command line left open, from the file that `settings` names."""
        return with_settings_file(arguments, self.parser(), {})

    def parser(self) -> argparse.ArgumentParser:
        """A parser of its options alone."""
        parser = argparse.ArgumentParser(add_help=False)
        self.add_options(parser)
        return parser


def add_file_command(
    commands: Any, debug: argparse.ArgumentParser, use: FileUse, *, help: str, description: str
) -> None:
    """Add a command that does one thing with a sound file: its model, what is read and what is written.

    Args:
        commands: Those of a parser.
        debug: A parser of what all commands take.
        use: What it does.
        help: A few words, for the list of commands.
        description: What it does with INPUT by MODEL, into OUTPUT.
    """
    parser = commands.add_parser(
        use.command,
        parents=[debug],
        help=help,
        usage=f"ddsp-edge {use.command} [options] MODEL INPUT OUTPUT",
        description=description,
        formatter_class=WIDE,
    )
    parser.add_argument("model", metavar="MODEL", type=model_argument, help=MODEL_HELP)
    parser.add_argument("input", metavar="INPUT", type=path_argument, help="sound file")
    parser.add_argument("output", metavar="OUTPUT", type=path_argument, help=".wav or .flac to write")
    use.add_options(parser)
    add_settings(parser)

    def do(arguments: argparse.Namespace) -> None:
        run_file_use(use, Files(arguments.model, arguments.input, arguments.output), arguments)

    parser.set_defaults(handler=do)


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
    tell_outcome(outcome, files.out, arguments.quiet)


def tell_outcome(outcome: Outcome, out: Path, quiet: bool, before: str = "ddsp-edge: ") -> None:
    """Tell what came of it: warnings on stderr, and a summary.

    Args:
        outcome: What is to be told.
        out: The file that was written.
        quiet: Whether warnings are all that is told.
        before: What stands before a warning.
    """
    for warning in outcome.warnings:
        print(f"{before}warning: {printable(warning)}", file=sys.stderr)
    if not quiet:
        first, *more = outcome.told
        tell(f"{printable(out)}: {first}")
        for line in more:
            tell(f"  {line}")
