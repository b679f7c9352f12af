"""`ddsp-edge studio`: a page to play with."""

import argparse
from typing import Any

from ddsp_edge.cli.command import model_argument, path_argument, say
from ddsp_edge.cli.options import WIDE, port
from ddsp_edge.errors import DdspError

PORT = 8765
MOST_MB = 1000
_MISSING = "the studio needs Starlette and uvicorn: pip install 'ddsp-tf[studio]' ({})"


def add_studio(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser(
        "studio",
        parents=[debug],
        help="open a page to play with, in the browser",
        usage="ddsp-edge studio [options] [MODEL_OR_FOLDER ...]",
        description="Serve a page on this machine on which sounds are dropped or recorded, played on "
        "instruments, restored and transcribed, with the models that come along and those of each "
        "MODEL_OR_FOLDER. Files are kept while it runs, and removed at its end. Ctrl-C ends. "
        "Needs pip install 'ddsp-tf[studio]'.",
        formatter_class=WIDE,
    )
    parser.set_defaults(handler=_studio)
    parser.add_argument(
        "places", metavar="MODEL_OR_FOLDER", nargs="*", type=model_argument, help=argparse.SUPPRESS
    )
    parser.add_argument("--port", metavar="N", type=port, default=PORT, help=f"0 for any ({PORT})")
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="0.0.0.0 lets others reach it, by an address with a token (127.0.0.1: nobody else)",
    )
    parser.add_argument(
        "--most-mb", metavar="MB", type=_megabytes, default=MOST_MB, help=f"of a file ({MOST_MB})"
    )
    parser.add_argument(
        "--train",
        metavar="FOLDER",
        type=path_argument,
        help="also make models of recordings; runs stay in FOLDER (needs the extra train)",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")


def _studio(arguments: argparse.Namespace) -> None:
    try:
        from ddsp_edge.studio.serve import serve
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("starlette", "uvicorn"):
            raise
        raise DdspError(_MISSING.format(error)) from error
    serve(
        arguments.places,
        host=arguments.host,
        port=arguments.port,
        most_mb=arguments.most_mb,
        browser=not arguments.no_browser,
        say=say,
        runs=arguments.train,
    )


def _megabytes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"megabytes are from 1 to 100000. Received: {text!r}")
    return int(text)
