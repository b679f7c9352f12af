"""The command `ddsp-edge`: look at an instrument, play it live, render files with it, time it."""

import argparse
import os
import sys
from collections.abc import Sequence

from ddsp_edge.cli.bench import add_bench
from ddsp_edge.cli.command import CommandLine, run_command
from ddsp_edge.cli.convert import add_convert
from ddsp_edge.cli.info import add_info
from ddsp_edge.cli.install_service import add_install_service
from ddsp_edge.cli.midi import add_midi
from ddsp_edge.cli.mix import add_mix
from ddsp_edge.cli.models import add_models
from ddsp_edge.cli.play import add_play
from ddsp_edge.cli.render import add_render
from ddsp_edge.cli.restore import add_restore
from ddsp_edge.cli.studio import add_studio
from ddsp_edge.cli.transcribe import add_transcribe
from ddsp_edge.threads import THREAD_VARIABLES
from ddsp_edge.version import __version__

PROGRAM = "ddsp-edge"
_PLAYING = ("render", "mix", "restore", "convert", "transcribe", "play", "midi", "bench", "studio")


def main(argv: Sequence[str] | None = None) -> int:
    """Run `ddsp-edge`; return its exit status, see `ddsp_edge.cli.command`."""
    if "numpy" not in sys.modules:
        # Products as small as ours gain nothing from threads, which spin and starve each other when the
        # machine has something else to do. OpenBLAS and its like read these once, when they are loaded.
        for variable in THREAD_VARIABLES:
            os.environ.setdefault(variable, "1")
    return run_command(PROGRAM, lambda: _arguments(argv))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; a command that plays says what it lacks."""
    arguments = _parser().parse_args(argv)
    if arguments.command in _PLAYING:
        from ddsp_edge.model.runtimes import WITHOUT_LITERT, has_litert

        if not has_litert():
            print(f"{PROGRAM}: warning: {WITHOUT_LITERT}", file=sys.stderr)
    return arguments


def _parser() -> argparse.ArgumentParser:
    # On every command too, so that it may stand on either side; SUPPRESS keeps the outer value.
    debug = argparse.ArgumentParser(add_help=False)
    text = "show the traceback of an error"
    debug.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=text)

    parser = CommandLine(prog=PROGRAM, description="Play instruments made by ddsp_tf.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.add_argument("--debug", action="store_true", help=text)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_models(commands, debug)
    add_info(commands, debug)
    add_render(commands, debug)
    add_mix(commands, debug)
    add_restore(commands, debug)
    add_convert(commands, debug)
    players = {"play": add_play(commands, debug), "midi": add_midi(commands, debug)}
    add_install_service(commands, debug, players)
    add_bench(commands, debug)
    add_transcribe(commands, debug)
    add_studio(commands, debug)
    return parser
