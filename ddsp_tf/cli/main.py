"""`ddsp-tf`: from a recording to an instrument for a device."""

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from ddsp_edge.version import __version__
from ddsp_tf.errors import DdspError, printable

COMMANDS = ("prepare", "train", "evaluate", "transfer", "export")
"""Modules of `ddsp_tf.cli` with `HELP`, `add_arguments` and `run`; none imports TensorFlow by itself."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments; those of the process if None.

    Returns:
        The exit status: 0 if all went well, 1 after an error (one line on stderr), 130 if interrupted.
    """
    # Before TensorFlow loads; it says much on stderr that no user can act on.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    args = _parser().parse_args(argv)
    try:
        args.handler(args)
    except KeyboardInterrupt:
        print("ddsp-tf: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (DdspError, OSError) as error:
        return _fail(args.debug, _words(error))
    except ModuleNotFoundError as error:
        needed = 'pip install "ddsp-tf[train]"'
        return _fail(args.debug, f"{error.name} is not installed: {args.command} needs {needed}")
    except Exception as error:  # noqa: BLE001 (the last resort of a command line)
        text = " ".join(str(error).split())[:300]
        return _fail(
            args.debug, f"{type(error).__name__}: {text} (a bug: run again with --debug to see where)"
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ddsp-tf", description="From a recording to an instrument.")
    parser.add_argument("--version", action="version", version=f"ddsp-tf {__version__}")
    _add_debug(parser, False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="command")
    for name in COMMANDS:
        module = importlib.import_module(f"ddsp_tf.cli.{name}")
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(command)
        _add_debug(command, argparse.SUPPRESS)  # so that it may stand on either side of the command
        command.set_defaults(handler=module.run)
    return parser


def _add_debug(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument("--debug", action="store_true", default=default, help="show tracebacks of errors")


def _fail(debug: bool, words: str) -> int:
    if debug:
        traceback.print_exc()
    print(f"ddsp-tf: error: {printable(words)}", file=sys.stderr)
    return 1


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
