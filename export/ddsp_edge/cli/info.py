"""`ddsp-edge info`: what a model file is."""

import argparse
from typing import Any

from ddsp_edge.cli.command import tell
from ddsp_edge.cli.options import add_instrument


def add_info(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser("info", parents=[debug], help="tell what an instrument is")
    add_instrument(parser)
    parser.set_defaults(handler=_info)
    parser.add_argument("--json", action="store_true", help="print the whole card as JSON")


def _info(arguments: argparse.Namespace) -> None:
    from ddsp_edge.cli.card_text import describe
    from ddsp_edge.model.file import read_model_file

    file = read_model_file(arguments.instrument)
    tell(file.card.to_json() if arguments.json else describe(file, arguments.instrument))
