"""`ddsp-tf`: from a recording to an instrument for a device."""

import argparse
import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ddsp_edge.cli.command import CommandLine, run_command
from ddsp_edge.version import __version__
from ddsp_tf.caches import use_writable_caches
from ddsp_tf.cli.quiet import quieten_tensorflow
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.command import command_of
from ddsp_tf.tasks.registry import task_names

COMMANDS = ("models", "prepare", "train", "evaluate", "export")
"""Modules of `ddsp_tf.cli` with `HELP`, `add_arguments` and `run`; none imports TensorFlow by itself. The
commands of the tasks come before the last."""

_TRAINING_SIDE = frozenset({"h5py", "keras", "librosa", "matplotlib", "scipy", "tensorflow", "yaml"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments; those of the process if None.

    Returns:
        The exit status, see `ddsp_edge.cli.command`.
    """
    quieten_tensorflow()  # it says much on stderr that no user can act on; worker processes load it too
    return run_command("ddsp-tf", lambda: _arguments(argv))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    use_writable_caches()
    return _parser().parse_args(argv)


def _parser() -> argparse.ArgumentParser:
    parser = CommandLine(prog="ddsp-tf", description="From a recording to an instrument.")
    parser.add_argument("--version", action="version", version=f"ddsp-tf {__version__}")
    _add_debug(parser, False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="command")

    def add(name: str, text: str, about: str | None, module: Any) -> None:
        command = commands.add_parser(name, help=text, description=about)
        module.add_arguments(command)
        _add_debug(command, argparse.SUPPRESS)  # so that it may stand on either side of the command
        command.set_defaults(handler=functools.partial(_run, module.run))

    modules = {name: importlib.import_module(f"ddsp_tf.cli.{name}") for name in COMMANDS}
    *before, last = modules.items()
    for name, module in before:
        add(name, module.HELP, module.__doc__, module)
    for name in task_names():
        command = command_of(name)
        for one in (command, *command.others):
            add(one.word, one.help, f"{one.help.capitalize()}.", one)
    add(last[0], last[1].HELP, last[1].__doc__, last[1])
    return parser


def _run(command: Callable[[argparse.Namespace], None], args: argparse.Namespace) -> None:
    try:
        command(args)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in _TRAINING_SIDE:
            raise
        raise DdspError(
            f"{args.command} needs TensorFlow and the rest of the training side, which is not installed here "
            f'({error.name} is missing). In a checkout of ddsp_tf: pip install ".[train]"'
        ) from error


def _add_debug(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument("--debug", action="store_true", default=default, help="show tracebacks of errors")


if __name__ == "__main__":
    sys.exit(main())
